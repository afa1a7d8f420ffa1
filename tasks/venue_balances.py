"""Balances of a venue's account as a positions file, read with a key that may only read.

Comes in: a key from the environment or .env. Goes out: the text of a CSV that `trimtab positions import`
takes. A key that could trade, transfer or withdraw is refused before anything else is asked.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from tasks.clock import Clock
from tasks.positions_rows import TICKER
from tasks.settings import Settings, VenueSettings, venue_key
from tasks.sources._account import VENUES, AccountError, AccountReader, Key, UnreadableError, powers


@dataclass(frozen=True)
class Balances:
    """What an account holds, as the text of a positions file.

    Attributes:
        text: the CSV, with its header.
        rows: how many assets it lists.
        notes: what a person should know, one sentence each.
    """

    text: str
    rows: int
    notes: tuple[str, ...]


def read_balances(settings: Settings, venue_id: str, clock: Clock, *, accept_unverified: bool) -> Balances:
    """Ask the venue what the key may do, and only then what the account holds.

    Args:
        settings: the configuration; the venue must be in it.
        venue_id: its ccxt id.
        clock: the real time, which a signature carries.
        accept_unverified: go on where the venue does not say everything about the key; never where it says
            that the key may do more than read.

    Raises:
        AccountError: there is no key, it may do more than read, or the account could not be read.
    """
    reader = AccountReader(_key(settings, venue_id), _base_url(settings, venue_id), settings.network)
    notes = _judge(reader, clock, accept_unverified=accept_unverified)
    held = reader.balances(clock.now())
    odd = sorted(asset for asset in held if not TICKER.fullmatch(asset))
    if odd:
        names = ", ".join(ascii(name[:20]) for name in odd[:5])
        notes.append(f"{len(odd)} assets are left out, their names are no plain tickers: {names}.")
    rows = [(asset, venue_id, f"{held[asset]:f}") for asset in sorted(held) if asset not in odd]
    return Balances(_csv(rows), len(rows), tuple(notes))


def _judge(reader: AccountReader, clock: Clock, *, accept_unverified: bool) -> list[str]:
    """Refuse a key that may do more than read; what is to be said about one that is accepted."""
    try:
        permissions = reader.permissions(clock.now())
        allowed, missing = powers(permissions)
    except UnreadableError as error:
        permissions, allowed, missing = {}, [], [str(error)]
    if allowed:
        raise AccountError(
            f"Wanted a key for binance that may only read, found one that also may: {', '.join(allowed)}. "
            "No balance was asked for. Make a new key with reading alone, and delete this one at the venue."
        )
    if missing and not accept_unverified:
        raise AccountError(
            "Wanted to know that this key for binance may only read; the venue does not say: "
            f"{', '.join(missing)} No balance was asked for. If you know that it may only read, "
            "add --i-accept-unverified-key."
        )
    notes = ["What this key may do was not verified; you accepted that."] if missing else []
    if permissions.get("ipRestrict") is False:
        notes.append("This key works from any address; restrict it to yours at the venue.")
    return notes


def _key(settings: Settings, venue_id: str) -> Key:
    if venue_id not in VENUES:
        raise AccountError(
            f"Wanted a venue whose keys can be verified ({', '.join(VENUES)}), found {venue_id!r}. "
            "Export its balances as CSV and import that: `trimtab positions import FILE`."
        )
    found = venue_key(settings, venue_id)
    if found is None:
        name = venue_id.upper()
        raise AccountError(
            f"Wanted a read-only key in TRIMTAB_KEY_{name} and TRIMTAB_SECRET_{name}, found none or one. "
            "Put both into the environment or into .env (mode 600)."
        )
    return Key(*found)


def _base_url(settings: Settings, venue_id: str) -> str:
    venue = next((venue for venue in settings.venues if venue.id == venue_id), None)
    return _spot_address(venue) if venue else ""


def _spot_address(venue: VenueSettings) -> str:
    stated = venue.base_url
    return stated if isinstance(stated, str) else str(stated.get("spot", ""))


def _csv(rows: list[tuple[str, str, str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("asset", "venue", "quantity"))
    writer.writerows(rows)
    return text.getvalue()
