"""The terms of the lines of carry, basis, yield and staking, as known at one instant.

Comes in: facts of the snapshot, prices, the configuration. Goes out: `SleeveTerms` by line, the price of a
unit, and for a line that can not be traded or held the reason. The formulae are in portfolio/sleeves.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from portfolio.model import Freeze, Leg, PriceMark, SleeveTerms
from portfolio.sleeves import (
    annual_funding,
    capital_per_coin,
    hedged_losses,
    notional_share,
    on_capital,
    pool_losses,
    short_liquidation_distance,
    simple_basis,
)
from tasks.context import RunContext
from tasks.known_assets import REFERENCE_CURRENCIES
from tasks.policy import execution_venues
from tasks.settings_sleeves import HedgedSettings
from tasks.sleeve_facts import Contract, Settlements, SleeveFacts, read_facts
from tasks.sleeve_parameters import CONTRACTS, hedge_venues, pool_settings
from warehouse.reader import Reader

# Where a venue's brackets are not stored, a dear one of a large venue's middle brackets is assumed.
ASSUMED_MAINTENANCE_RATE = 0.025


@dataclass(frozen=True)
class SleeveLines:
    """What is known of the lines of sleeves other than spot and cash, by line."""

    terms: dict[str, SleeveTerms] = field(default_factory=dict)
    marks: dict[str, PriceMark] = field(default_factory=dict)
    frozen: dict[str, Freeze] = field(default_factory=dict)
    unlisted: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the terms rest on beside the facts: prices of coins and cash, and which coins are out, by line."""

    prices: Mapping[str, PriceMark]
    cash: Mapping[str, float]
    frozen: Mapping[str, Freeze]
    unlisted: Mapping[str, str]


def read_sleeves(reader: Reader, context: RunContext, lines: Sequence[str], known: Known) -> SleeveLines:
    """Put together the terms of each line that is not spot or cash."""
    found = SleeveLines()
    sleeves = tuple(dict.fromkeys(line.partition(":")[0] for line in lines))
    if not sleeves:
        return found
    builder = _Builder(context, read_facts(reader, context, sleeves), known, found)
    for line in lines:
        sleeve, _, asset = line.partition(":")
        if sleeve in CONTRACTS:
            builder.hedged(line, sleeve, asset)
        elif sleeve in ("yield", "staking"):
            builder.pooled(line, sleeve, asset)
        else:
            found.unlisted[line] = (
                f"{line} is shown as a series of returns only: no option is priced at its bid"
            )
    return found


@dataclass(frozen=True)
class _Builder:
    context: RunContext
    facts: SleeveFacts
    known: Known
    found: SleeveLines

    def hedged(self, line: str, sleeve: str, asset: str) -> None:
        """Carry or basis: a coin, a short contract, margin."""
        contract = self._contract(sleeve, asset)
        mark = self.known.prices.get(f"spot:{asset}")
        if contract is None or contract.price is None or f"spot:{asset}" in self.known.unlisted:
            kind = "perpetual" if sleeve == "carry" else "dated contract that is not about to expire"
            text = f"no {kind} of {asset} trades yet on a venue whose contracts are followed"
            self.found.unlisted[line] = self.known.unlisted.get(f"spot:{asset}", text)
            return
        quote_usd = self._dollars(contract.quote)
        if mark is None or quote_usd is None:
            missing = asset if mark is None else contract.quote
            why = self.known.frozen.get(f"spot:{asset}")
            self.found.frozen[line] = why or Freeze(
                "stale_price", f"{missing} has no price that is new enough."
            )
            return
        terms = self._hedged_terms(line, sleeve, contract, mark.price_usd / quote_usd, quote_usd)
        if terms is None:
            text = f"{asset} has no spot market on an execution venue, or no settlements yet"
            self.found.unlisted[line] = text
            return
        self._keep(terms, mark)
        stale = self.known.frozen.get(f"spot:{asset}") or self._stale(sleeve, contract)
        if stale is not None:
            self.found.frozen[line] = stale

    def pooled(self, line: str, sleeve: str, asset: str) -> None:
        """Yield or staking: an asset deposited with a protocol."""
        stated = pool_settings(self.context.settings, sleeve)
        pool = stated.pools[asset]
        rate = self.facts.pools.get(pool)
        mark = self.known.prices.get(f"spot:{asset}") or self._cash_mark(asset)
        if rate is None:
            self.found.unlisted[line] = f"nothing is known of the pool {pool} yet"
            return
        if mark is None:
            text = f"{asset} has no price that is new enough."
            self.found.frozen[line] = self.known.frozen.get(f"spot:{asset}") or Freeze("stale_price", text)
            return
        apy = rate.cautious(stated.reward_share)
        leg = Leg(
            role="pool",
            venue="",
            market_id=pool,
            symbol=rate.symbol,
            market_type="pool",
            base=asset,
            quote="USD",
            quantity_per_unit=1.0,
            price=mark.price_usd,
        )
        is_coin = asset in self.context.settings.universe.assets
        terms = SleeveTerms(
            line=line,
            legs=(leg,),
            capital_per_unit_usd=mark.price_usd,
            net_delta=float(is_coin),
            gross_notional=float(is_coin),
            expected_return=apy - stated.haircut,
            haircut=stated.haircut,
            exit_days=stated.exit_days,
            protocol=rate.project,
            issuer="" if is_coin else asset,
            losses=pool_losses(stated.depeg_fall) | stated.losses,
            detail=(
                f"{rate.project} on {rate.chain} pays {apy:.2%} a year on {rate.symbol} (the lower of the "
                f"newest rate and the median of {len(rate.apy_base)} days), less a haircut of "
                f"{stated.haircut:.1%}."
            ),
        )
        self._keep(terms, mark)
        stale = self.known.frozen.get(f"spot:{asset}") or self._too_old(
            rate.read_at, "yield_pools", f"the rate of {rate.project} {rate.symbol}", "stale_yield"
        )
        if stale is not None:
            self.found.frozen[line] = stale

    def _contract(self, sleeve: str, asset: str) -> Contract | None:
        settings = self.context.settings
        venues = hedge_venues(settings, sleeve)
        found = self.facts.contracts_on(asset, CONTRACTS[sleeve], venues)
        if sleeve == "basis":
            after = self.context.as_of + timedelta(days=settings.sleeves.basis.roll_days)
            found = [x for x in found if x.expires_at is not None and x.expires_at > after]
            found.sort(key=lambda x: (str(x.expires_at), venues.index(x.venue), x.market_id))
        return found[0] if found else None

    def _hedged_terms(
        self, line: str, sleeve: str, contract: Contract, spot: float, quote_usd: float
    ) -> SleeveTerms | None:
        """Terms of one coin with a short contract; `spot` in the contract's quote."""
        stated: HedgedSettings = getattr(self.context.settings.sleeves, sleeve)
        market = self.facts.spot_market(contract, execution_venues(self.context.settings))
        rate = self._contracted(sleeve, contract, spot)
        if market is None or rate is None:
            return None
        leverage = stated.leverage
        maintenance = contract.maintenance_margin_rate
        share = (
            1.0 if market["venue"] == contract.venue else max(notional_share(leverage), 1 / (leverage + 1))
        )
        losses = hedged_losses(leverage, share, stated.depeg_fall, stated.unhedged_move)
        spot_leg = Leg(
            role="spot",
            venue=market["venue"],
            market_id=market["market_id"],
            symbol=market["symbol"],
            market_type="spot",
            base=contract.base,
            quote=market["quote"],
            quantity_per_unit=1.0,
            price=spot * quote_usd / (self._dollars(market["quote"]) or quote_usd),
        )
        on_notional, sentence = rate
        return SleeveTerms(
            line=line,
            legs=(spot_leg, contract.short_leg(), contract.margin_leg(spot / leverage)),
            capital_per_unit_usd=capital_per_coin(spot * quote_usd, leverage),
            net_delta=0.0,
            gross_notional=2.0 * notional_share(leverage),
            expected_return=on_capital(on_notional, leverage) - stated.haircut,
            haircut=stated.haircut,
            liquidation_distance=short_liquidation_distance(
                leverage, ASSUMED_MAINTENANCE_RATE if maintenance is None else maintenance
            ),
            exit_days=stated.exit_days,
            venue=contract.venue,
            issuer="" if contract.quote in REFERENCE_CURRENCIES else contract.quote,
            losses=losses | stated.losses,
            detail=(
                f"{sentence}; at {leverage:g}× that is {on_capital(on_notional, leverage):.2%} on capital, "
                f"less a haircut of {stated.haircut:.1%}."
                + (" Its maintenance margin is assumed." if maintenance is None else "")
            ),
        )

    def _contracted(self, sleeve: str, contract: Contract, spot: float) -> tuple[float, str] | None:
        """The annual rate on notional, and the sentence it rests on."""
        if sleeve == "carry":
            settled = self.facts.funding.get((contract.venue, contract.market_id))
            found = annual_funding(settled.rates, settled.hours) if settled else None
            if settled is None or found is None:
                return None
            return found, _funding_sentence(contract, settled, found)
        if contract.expires_at is None or contract.price is None or contract.price_at is None:
            return None
        # Counted from the price and not from now: a run repeated on the same data says the same.
        days = (contract.expires_at - contract.price_at) / timedelta(days=1)
        basis = simple_basis(contract.price, spot, days)
        return basis, (
            f"{contract.symbol} at {contract.price:,.6g} against a coin at {spot:,.6g} {contract.quote} "
            f"locks {basis:.2%} a year until {contract.expires_at:%Y-%m-%d}"
        )

    def _stale(self, sleeve: str, contract: Contract) -> Freeze | None:
        name = f"the price of {contract.symbol} at {contract.venue}"
        stale = self._too_old(contract.price_at, "candles_1d", name, "stale_price")
        settled = self.facts.funding.get((contract.venue, contract.market_id))
        if stale is not None or sleeve != "carry" or settled is None:
            return stale
        name = f"the funding of {contract.symbol} at {contract.venue}"
        return self._too_old(settled.settled_at, "funding_rates", name, "stale_funding")

    def _too_old(self, at: datetime | None, dataset: str, name: str, code: str) -> Freeze | None:
        limit = self.context.settings.gate.freshness[dataset]
        if at is not None and self.context.as_of - at <= limit:
            return None
        when = "is not known" if at is None else f"is of {at:%Y-%m-%d %H:%M} UTC"
        hours = limit.total_seconds() / 3600
        return Freeze(code, f"{name} {when}, the limit is {hours:g} hours.")

    def _keep(self, terms: SleeveTerms, mark: PriceMark) -> None:
        price = terms.capital_per_unit_usd
        quoted = price / mark.price_usd * mark.price_quote
        self.found.terms[terms.line] = terms
        self.found.marks[terms.line] = PriceMark(
            price_usd=price, price_quote=quoted, at=mark.at, venues=mark.venues
        )

    def _dollars(self, quote: str) -> float | None:
        return 1.0 if quote in REFERENCE_CURRENCIES else self.known.cash.get(quote)

    def _cash_mark(self, asset: str) -> PriceMark | None:
        price = self._dollars(asset)
        if price is None:
            return None
        stored = self.known.prices.get(f"cash:{asset}")
        return stored or PriceMark(price_usd=price, price_quote=1.0, at=self.context.as_of)


def _funding_sentence(contract: Contract, settled: Settlements, found: float) -> str:
    intervals = sorted({f"{hours:g}" for hours in settled.hours})
    return (
        f"{contract.symbol} pays shorts {found:.2%} a year on notional at the median of its last "
        f"{len(settled.rates)} settlements of {' or '.join(intervals)} hours"
    )
