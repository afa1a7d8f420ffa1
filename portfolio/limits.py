"""The owner's limits across lines, as linear rules: what is bounded, over which lines, by what name.

Capital, net delta and gross notional per asset, class, venue, protocol and issuer; the cash floor; what one
scenario may cost; what a protocol's facts allow. Delta, notional and losses come from the terms of a line,
for variance sees none of them: a carry position has capital and notional and no delta, and its calm returns
say nothing of the day its venue does not pay.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from portfolio.book import Book, sound_positions
from portfolio.exposed import share_of
from portfolio.markets import choose_market
from portfolio.model import DecisionInputs, Policy, asset_of, is_cash, sleeve_of
from portfolio.policy import Limit
from portfolio.problem import Linear
from portfolio.terms import SleeveTerms
from portfolio.tiers import protocol_caps

Array = NDArray[np.float64]
# A scenario strikes one counterparty at a time: its name says of which kind.
STRIKES = {"venue": "venue", "protocol": "protocol", "exploit": "protocol", "depeg": "issuer"}


def policy_rows(
    lines: tuple[str, ...], book: Book, inputs: DecisionInputs, policy: Policy
) -> tuple[Linear, ...]:
    """Return every limit of the policy that concerns more than one line's capital, in a fixed order."""
    rows = [*_class_rows(lines, book, policy)]
    rows += [_limit_row(limit, lines, book, inputs, policy) for limit in _all_limits(policy)]
    rows += _scenario_rows(lines, inputs.terms, policy)
    rows += _protocol_rows(lines, inputs, policy)
    return tuple(row for row in rows if _can_bind(row))


def measured(measure: str, line: str, terms: Mapping[str, SleeveTerms]) -> float:
    """Return what a unit of capital in a line counts: 1 as capital, else its delta or its notional."""
    if measure == "capital":
        return 1.0
    known = terms.get(line)
    if known is None:
        return 0.0 if is_cash(line) else 1.0
    return known.net_delta if measure == "net_delta" else known.gross_notional


def belonging(limit: Limit, line: str, book: Book, inputs: DecisionInputs, policy: Policy) -> float:
    """Return which share of a line belongs to the limit's asset, class, venue, protocol or issuer."""
    terms = inputs.terms.get(line)
    if limit.by == "venue":
        return _venue_share(limit.of, line, book, inputs, policy)
    coin = asset_of(line) if sleeve_of(line) in ("cash", "yield") else ""
    names = {
        "portfolio": limit.of,
        "asset": asset_of(line),
        "class": sleeve_of(line),
        "protocol": terms.protocol if terms else "",
        "issuer": (terms.issuer if terms else "") or coin,
    }
    return float(names[limit.by] == limit.of)


def _venue_share(venue: str, line: str, book: Book, inputs: DecisionInputs, policy: Policy) -> float:
    """Share of a line at a venue: of its terms, of what is held now, or of where it would be bought."""
    terms = inputs.terms.get(line)
    if terms is not None and terms.venue:
        return float(terms.venue == venue)
    held = [(p.venue, abs(float(p.quantity))) for p in sound_positions(inputs) if p.line == line]
    total = sum(amount for _, amount in held)
    if total > 0.0:
        return sum(amount for name, amount in held if name == venue) / total
    market = choose_market(line, book, inputs, policy)
    return float(market is not None and market.venue == venue)


def _class_rows(lines: tuple[str, ...], book: Book, policy: Policy) -> list[Linear]:
    floor = policy.cash_floor_usd / book.nav_usd if book.nav_usd else 0.0
    bounds = dict(policy.class_bounds)
    low, high = bounds.get("cash", (0.0, 1.0))
    names = {sleeve: f"class {sleeve}" for sleeve in bounds}
    if floor > low:
        bounds["cash"], names["cash"] = (min(floor, 1.0), max(high, min(floor, 1.0))), "cash_floor_usd"
    rows: list[Linear] = []
    for sleeve, (lower, upper) in sorted(bounds.items()):
        members = np.array([float(sleeve_of(x) == sleeve) for x in lines])
        if members.any():
            rows.append(Linear(name=names[sleeve], coefficients=members, lower=lower, upper=upper))
    return rows


def _all_limits(policy: Policy) -> list[Limit]:
    found = [
        Limit(
            measure="net_delta", by="asset", of=asset, lower=low, upper=high, name=f"net_delta_bounds {asset}"
        )
        for asset, (low, high) in sorted(policy.net_delta_bounds.items())
    ]
    if policy.gross_notional_limit is not None:
        most = policy.gross_notional_limit
        found.append(Limit(measure="gross_notional", by="portfolio", upper=most, name="gross_notional_limit"))
    return [*found, *policy.limits]


def _limit_row(
    limit: Limit, lines: tuple[str, ...], book: Book, inputs: DecisionInputs, policy: Policy
) -> Linear:
    """What is held and not allocated counts in dollars: it is no multiple of its capital."""
    row, fixed = np.zeros(len(lines)), 0.0
    for i, line in enumerate(lines):
        part = belonging(limit, line, book, inputs, policy)
        if line in inputs.exposed and limit.measure != "capital":
            fixed += part * share_of(inputs.exposed[line], limit.measure, book.nav_usd)
        else:
            row[i] = part * measured(limit.measure, line, inputs.terms)
    return Linear(name=limit.title(), coefficients=row, lower=limit.lower, upper=limit.upper, fixed=fixed)


def _scenario_rows(lines: tuple[str, ...], terms: Mapping[str, SleeveTerms], policy: Policy) -> list[Linear]:
    """One rule per scenario and counterparty it can strike: the loss if it happens, capped."""
    struck: dict[tuple[str, str], Array] = {}
    for i, line in enumerate(lines):
        known = terms.get(line)
        for scenario, loss in (known.losses if known else {}).items():
            kind = next((v for k, v in STRIKES.items() if scenario.startswith(k)), "")
            whom = str(getattr(known, kind)) if kind else ""
            row = struck.setdefault((scenario, whom), np.zeros(len(lines)))
            row[i] = loss
    default = policy.scenario_loss_caps.get("default", 1.0)
    return [
        Linear(
            name=f"scenario {scenario} {whom}".rstrip(),
            coefficients=row,
            upper=policy.scenario_loss_caps.get(scenario, default),
        )
        for (scenario, whom), row in sorted(struck.items())
    ]


def _protocol_rows(lines: tuple[str, ...], inputs: DecisionInputs, policy: Policy) -> list[Linear]:
    found = {x: inputs.terms[x].protocol for x in lines if x in inputs.terms and inputs.terms[x].protocol}
    caps = protocol_caps(set(found.values()), inputs, policy)
    return [
        Linear(
            name=f"protocol {protocol} ({tier})",
            coefficients=np.array([float(found.get(x) == protocol) for x in lines]),
            upper=cap,
        )
        for protocol, (tier, cap) in sorted(caps.items())
    ]


def _can_bind(row: Linear) -> bool:
    """Tell whether weights between 0 and 1 that sum to 1 can break a rule at all."""
    if row.name.startswith(("class ", "cash_floor")):
        return True  # kept as they always were: their names are part of what is published
    most, least = float(row.coefficients.max(initial=0.0)), float(row.coefficients.min(initial=0.0))
    return row.upper < row.fixed + most or row.lower > row.fixed + least
