"""What the sections of the configuration say about each other: names must exist, weights must add up.

Comes in: `Settings` whose types are right. Goes out: complaints with their places. No network, no data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path

from portfolio.feasibility import check_policy
from tasks.known_assets import REFERENCE_CURRENCIES, STABLECOINS, probable_slip
from tasks.policy import lines_of, policy_of
from tasks.settings_portfolio import PortfolioSettings
from tasks.settings_schema import DEFAULT_FRESHNESS, Settings
from tasks.sleeve_parameters import CONTRACTS, hedge_venues, pool_settings

Where = tuple[int | str, ...]
# Which section feeds a dataset that a portfolio may require; candles and funding come from the venues.
FED_BY = {
    "onchain_metrics": "coinmetrics",
    "protocol_metrics": "defillama",
    "stablecoins": "defillama",
    "yield_pools": "defillama",
    "incidents": "defillama",
    "macro_series": "fred",
    "futures_positioning": "cftc",
}


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong, and where it stands in the file."""

    where: Where
    message: str


def cross_checks(settings: Settings) -> list[Complaint]:
    """Everything that is wrong between sections; empty when all is well."""
    found = [*_venues(settings), *_universe(settings), *_aliases(settings)]
    found += [*_freshness(settings), *_channels(settings), *_sleeves(settings)]
    for name, portfolio in settings.portfolios.items():
        found += _portfolio(settings, name, portfolio)
    if not any(complaint.where[0] == "portfolios" for complaint in found):
        found += [complaint for name in settings.portfolios for complaint in _feasible(settings, name)]
    return found


def nearest(name: str, valid: Iterable[str]) -> str:
    """A hint: the nearest valid name, or all of them."""
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"valid: {', '.join(names)}"


def datasets_of(settings: Settings) -> set[str]:
    """The dataset names that this configuration can speak of."""
    other = {name for name in DEFAULT_FRESHNESS if not name.startswith("candles_")}
    return other | {f"candles_{timeframe}" for timeframe in settings.universe.timeframes}


CONTRACT_DATASETS = {"open_interest", "mark_candles", "leverage_brackets"}
OPTIONAL_DATASETS = {*CONTRACT_DATASETS, "implied_volatility", "tickers"}


def _venues(settings: Settings) -> Iterator[Complaint]:
    ids = [venue.id for venue in settings.venues]
    spec = find_spec("ccxt")  # looks for the package without importing its hundred exchanges
    folder = Path(next(iter(spec.submodule_search_locations or []))) if spec else None
    known = {path.stem for path in folder.glob("[a-z]*.py")} if folder else set(ids)
    for index, venue in enumerate(settings.venues):
        if ids.index(venue.id) != index:
            yield Complaint(("venues", index, "id"), f"{venue.id} is named twice: remove one")
        if venue.id not in known:
            yield Complaint(("venues", index, "id"), f"no exchange {venue.id!r}; {nearest(venue.id, known)}")
        facts = sorted(CONTRACT_DATASETS & set(venue.datasets))
        if facts and not {"perp", "future"} & set(venue.markets):
            yield Complaint(
                ("venues", index, "datasets"),
                f'{facts[0]} is of contracts and {venue.id} lists none in its markets: add "perp"',
            )
    for role, use in (("reference", "prices come from"), ("execution", "trades are proposed on")):
        if not any("spot" in venue.markets and role in venue.roles for venue in settings.venues):
            yield Complaint(
                ("venues", 0, "markets"),
                f'no venue with the role "{role}" lists "spot": {use} spot markets, add it',
            )


def _universe(settings: Settings) -> Iterator[Complaint]:
    universe = settings.universe
    for index, asset in enumerate(universe.assets):
        meant = None if asset in universe.confirmed_assets else probable_slip(asset)
        if meant:
            yield Complaint(
                ("universe", "assets", index),
                f"{asset!r} looks like a slip for {meant!r}: correct it, "
                "or add it to universe.confirmed_assets if it is meant",
            )
    if universe.quote not in STABLECOINS | REFERENCE_CURRENCIES:
        yield Complaint(
            ("universe", "quote"),
            f"{universe.quote!r} is no stablecoin; {nearest(universe.quote, STABLECOINS)}",
        )


def _aliases(settings: Settings) -> Iterator[Complaint]:
    universe = settings.universe
    owners: dict[str, str] = {}
    dates: set[tuple[str, date]] = set()
    for index, row in enumerate(universe.aliases):
        here: Where = ("universe", "aliases", index)
        if row.asset not in universe.assets:
            hint = nearest(row.asset, universe.assets)
            yield Complaint((*here, "asset"), f"{row.asset!r} is not in universe.assets; {hint}")
        if (row.asset, row.since) in dates:
            yield Complaint((*here, "since"), f"{row.asset} has two rows of {row.since}: remove one")
        dates.add((row.asset, row.since))
        if row.former is None or row.former == row.asset:
            continue
        if row.former in universe.assets:
            yield Complaint(
                (*here, "former"),
                f"{row.former!r} is in universe.assets and would count twice: remove it there",
            )
        if owners.setdefault(row.former, row.asset) != row.asset:
            text = f"{row.former!r} is the former name of {owners[row.former]} already: remove one"
            yield Complaint((*here, "former"), text)


def _freshness(settings: Settings) -> Iterator[Complaint]:
    for dataset in settings.gate.freshness:
        if dataset not in DEFAULT_FRESHNESS:
            yield Complaint(
                ("gate", "freshness", dataset), f"unknown dataset; {nearest(dataset, DEFAULT_FRESHNESS)}"
            )


def _channels(settings: Settings) -> Iterator[Complaint]:
    folder = Path(__file__).parent / "channels"
    kinds = {path.stem.removesuffix("_url") for path in folder.glob("[a-z]*.py")}
    for name, channel in settings.channels.items():
        if channel.kind not in kinds:
            yield Complaint(
                ("channels", name, "kind"), f"unknown kind {channel.kind!r}; {nearest(channel.kind, kinds)}"
            )
        for portfolio in channel.portfolios:
            if portfolio not in settings.portfolios:
                hint = nearest(portfolio, settings.portfolios)
                yield Complaint(("channels", name, "portfolios"), f"no portfolio {portfolio!r}; {hint}")


def _sleeves(settings: Settings) -> Iterator[Complaint]:
    for sleeve in ("carry", "basis"):
        for index, venue in enumerate(getattr(settings.sleeves, sleeve).venues):
            if venue not in hedge_venues(settings, sleeve):
                kind = CONTRACTS[sleeve]
                text = f'{venue!r} is no execution venue with "{kind}" in its markets: correct it, or add it'
                yield Complaint(("sleeves", sleeve, "venues", index), text)
    for sleeve in ("yield", "staking"):
        for asset in pool_settings(settings, sleeve).pools:
            here: Where = ("sleeves", sleeve, "pools", asset)
            if settings.sources.defillama is None:
                text = "nothing feeds the rates of pools: add a [sources.defillama] section"
                yield Complaint(here, text)
            money = STABLECOINS | REFERENCE_CURRENCIES
            valid = settings.universe.assets if sleeve == "staking" else (*settings.universe.assets, *money)
            if asset not in valid:
                yield Complaint(here, f"no price for {asset!r} is followed; {nearest(asset, valid)}")


def _fed_by_venues(settings: Settings, portfolio: PortfolioSettings, here: Where) -> Iterator[Complaint]:
    if "funding_rates" in portfolio.requires and not any(
        "perp" in venue.markets for venue in settings.venues
    ):
        yield Complaint(
            (*here, "requires"), 'funding_rates are required and no venue lists "perp" in its markets'
        )
    for dataset in sorted(OPTIONAL_DATASETS & set(portfolio.requires)):
        if not any(dataset in venue.datasets for venue in settings.venues):
            yield Complaint(
                (*here, "requires"), f"{dataset} is required and no venue lists it in its datasets: add it"
            )


def _portfolio(settings: Settings, name: str, portfolio: PortfolioSettings) -> Iterator[Complaint]:
    here: Where = ("portfolios", name)
    for dataset in portfolio.requires:
        if dataset not in datasets_of(settings):
            hint = nearest(dataset, datasets_of(settings))
            yield Complaint((*here, "requires"), f"unknown dataset {dataset!r}; {hint}")
        source = FED_BY.get(dataset)
        if source and getattr(settings.sources, source) is None:
            yield Complaint(
                (*here, "requires"),
                f"{dataset} is required and nothing feeds it: add a [sources.{source}] section",
            )
    yield from _fed_by_venues(settings, portfolio, here)
    valid = set(lines_of(settings, name))
    for setting in ("weight_bounds", "target_weights"):
        for line in getattr(portfolio, setting) or {}:
            if line != "default" and line not in valid:
                yield Complaint((*here, setting, line), f"no such line {line!r}; {nearest(line, valid)}")
    for asset in portfolio.net_delta_bounds:
        if asset not in settings.universe.assets:
            hint = nearest(asset, settings.universe.assets)
            yield Complaint(
                (*here, "net_delta_bounds", asset), f"{asset!r} is not in universe.assets; {hint}"
            )


def _feasible(settings: Settings, name: str) -> Iterator[Complaint]:
    for problem in check_policy(policy_of(settings, name), lines_of(settings, name)):
        yield Complaint(
            ("portfolios", name, *problem.setting.split(".")),
            f"wanted {problem.wanted}, found {problem.found}. {problem.remedy}",
        )
