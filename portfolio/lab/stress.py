"""What a portfolio would lose: dated episodes of the past, and shocks that travel along declared edges.

A loss is positive, a gain negative; both are fractions of NAV at the weights given, and the losses of the
lines always sum to the loss of the portfolio. What no data can say is said, not estimated.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from portfolio.held_options import SHOCKED_VOLATILITY as SHOCKED
from portfolio.lab.exposures import Exposure

Kind = Literal["historical", "hypothetical", "modelled"]
Status = Literal["complete", "partial", "no_data"]

PRICE_FALLS = (0.30, 0.50)
PRICE_RISE = 0.50  # hurts shorts
DEPEG_FALL = 0.12  # USDC stood at 0.88 on 2023-03-11
FLIP_DAYS = 30
DAYS_PER_YEAR = 365.0
VOLATILITY_FACTOR = 2.0
TAIL = 0.01
MIN_TAIL_DAYS = 250  # one day in a hundred needs more than two of them
COVERED = 0.9999


@dataclass(frozen=True, slots=True)
class Episode:
    """Days that people remember: from the last close before the fall to the end of it."""

    name: str
    first: date
    last: date


# The first date is the close from which losses count; a daily close is dated by the midnight that ends it.
EPISODES = (
    Episode("covid_march_2020", date(2020, 3, 8), date(2020, 3, 17)),
    Episode("china_ban_may_2021", date(2021, 5, 12), date(2021, 5, 24)),
    Episode("luna_may_2022", date(2022, 5, 5), date(2022, 5, 13)),
    Episode("ftx_november_2022", date(2022, 11, 5), date(2022, 11, 22)),
    Episode("usdc_march_2023", date(2023, 3, 8), date(2023, 3, 14)),
    Episode("yen_august_2024", date(2024, 7, 30), date(2024, 8, 9)),
    Episode("auto_deleveraging_october_2025", date(2025, 10, 7), date(2025, 10, 18)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What one scenario costs.

    Attributes:
        status: `partial`: `covered` is less than all of the portfolio, and the loss is of that part only.
        loss: fraction of NAV; None where nothing can be said.
        by_line: line → fraction of NAV; sums to `loss`.
        covered: share of the gross weight that the figure is about.
        sentence: what happens and what the figure rests on.
        numbers: further figures, all finite.
    """

    name: str
    kind: Kind
    status: Status
    loss: float | None
    by_line: Mapping[str, float]
    sentence: str
    covered: float = 1.0
    missing: tuple[str, ...] = ()
    numbers: Mapping[str, float | str] = field(default_factory=dict)


def historical(
    exposures: Sequence[Exposure], returns: pd.DataFrame, episodes: Sequence[Episode] = EPISODES
) -> tuple[Scenario, ...]:
    """Send the present weights, bought and held, through each episode; the loss is at its worst close.

    Args:
        exposures: the portfolio.
        returns: simple daily returns; index naive midnights that end the day, columns lines; gaps are NaN.
        episodes: dated windows.
    """
    return tuple(_episode(exposures, returns, one) for one in episodes)


def _episode(exposures: Sequence[Exposure], returns: pd.DataFrame, episode: Episode) -> Scenario:
    days = pd.date_range(pd.Timestamp(episode.first) + pd.Timedelta(days=1), pd.Timestamp(episode.last))
    window = returns.reindex(index=days)
    known = [x for x in exposures if x.series in window and bool(window[x.series].notna().all())]
    missing = tuple(x.line for x in exposures if x not in known)
    covered = _share(known, exposures)
    span = f"{episode.first:%Y-%m-%d} to {episode.last:%Y-%m-%d}"
    if not any(x.delta or x.hedged_at for x in known) and missing:
        whose = "any line" if len(missing) == len(exposures) else ", ".join(missing)
        sentence = f"No data: no daily returns from {span} are stored for {whose}."
        return Scenario(
            name=episode.name, kind="historical", status="no_data", loss=None, by_line={},
            sentence=sentence, covered=covered, missing=missing,
        )  # fmt: skip
    growth = {name: (1.0 + window[name].to_numpy(dtype="float64")).cumprod() - 1.0 for name in _series(known)}
    parts = np.column_stack([np.zeros((len(days), 0)), *(x.gain(growth[x.series]) for x in known)])
    worst = int(parts.sum(axis=1).argmin())
    by_line = {x.line: -float(parts[worst, i]) for i, x in enumerate(known)}
    lacking = f" Without {', '.join(missing)}: no data there." if missing else ""
    sentence = f"Bought and held from {span}, at its worst close, {days[worst]:%Y-%m-%d}.{lacking}"
    return _made(
        episode.name, "historical", by_line, sentence, covered, missing, {"end": -float(parts[-1].sum())}
    )


def hypothetical(exposures: Sequence[Exposure], returns: pd.DataFrame) -> tuple[Scenario, ...]:
    """Apply every shock that the portfolio has an edge to; `returns` as in `historical`."""
    found = [_price(exposures, fall) for fall in (*PRICE_FALLS, -PRICE_RISE)]
    found += [_volatility(exposures, returns)]
    if any(x.hedged_at for x in exposures):
        found += [_funding(exposures), _auto_deleveraging(exposures)]
    found += [_depeg(exposures, issuer) for issuer in _names(x.issuer for x in exposures)]
    venues = _names(v for x in exposures for v in (*x.venues, x.hedged_at))
    found += [_venue(exposures, venue) for venue in venues]
    found += [_exploit(exposures, protocol) for protocol in _names(x.protocol for x in exposures)]
    found += [_liquidation(x) for x in exposures if x.held is None and x.liquidation_distance is not None]
    return tuple(found)


def _price(exposures: Sequence[Exposure], fall: float) -> Scenario:
    """Every coin moves at once; a rise beyond a hedge's distance takes its margin and leaves the coins."""
    by_line: dict[str, float] = {}
    liquidated: list[str] = []
    for x in exposures:
        loss = x.delta * fall if x.held is None else -float(x.gain(np.array([-fall]), factors=SHOCKED)[0])
        if x.held is None and x.liquidation_distance is not None and -fall >= x.liquidation_distance:
            margin = x.losses.get("liquidation", 0.0)
            loss += x.weight * (margin + fall * (1.0 - margin))  # the coins beside it go on rising, alone
            liquidated.append(x.line)
        by_line[x.line] = loss
    word = f"Every coin falls by {fall:.0%}" if fall > 0.0 else f"Every coin rises by {-fall:.0%}"
    is_hedged = any(x.liquidation_distance is not None for x in exposures)
    kept = "; no short of a hedge is liquidated." if is_hedged else "."
    tail = f"; liquidated: {', '.join(liquidated)}." if liquidated else kept
    if any(x.held is not None and x.held.options for x in exposures):
        tried = ", ".join(f"{factor:g}" for factor in SHOCKED)
        tail += f" Options are re-priced, with their volatility times {tried}: the worst counts."
    name = f"price_{'minus' if fall > 0.0 else 'plus'}_{abs(fall) * 100:.0f}"
    return _made(name, "hypothetical", by_line, word + tail)


def _volatility(exposures: Sequence[Exposure], returns: pd.DataFrame) -> Scenario:
    """The mean of the worst hundredth of days (expected shortfall) with every move twice as large."""
    name = "volatility_double"
    known = [x for x in exposures if x.series in returns and returns[x.series].notna().sum() >= MIN_TAIL_DAYS]
    missing = tuple(x.line for x in exposures if x not in known)
    panel = returns[_series(known)].dropna()
    if not known or len(panel) < MIN_TAIL_DAYS:
        sentence = (
            f"No data: {MIN_TAIL_DAYS} common days are needed, {len(panel) if known else 0} are stored."
        )
        return Scenario(
            name=name, kind="hypothetical", status="no_data", loss=None, by_line={}, sentence=sentence,
            covered=_share(known, exposures), missing=missing,
        )  # fmt: skip
    moves = {name: VOLATILITY_FACTOR * panel[name].to_numpy(dtype="float64") for name in panel}
    tried = (1.0, VOLATILITY_FACTOR)
    parts = np.column_stack([x.gain(moves[x.series], factors=tried) for x in known])
    count = max(1, int(len(panel) * TAIL))
    worst = np.argsort(parts.sum(axis=1), kind="stable")[:count]
    by_line = {x.line: -float(parts[worst, i].mean()) for i, x in enumerate(known)}
    lacking = f" Without {', '.join(missing)}: no data there." if missing else ""
    sentence = (
        f"Moves are twice as large: one day, the mean of the worst {count} of {len(panel)} days.{lacking}"
    )
    return _made(name, "hypothetical", by_line, sentence, _share(known, exposures), missing)


def _funding(exposures: Sequence[Exposure]) -> Scenario:
    """Shorts pay what they earned; a dated contract has locked its basis."""
    lines = [x for x in exposures if x.hedged_at and x.line.startswith("carry:")]
    by_line = {x.line: x.weight * abs(x.rate) * FLIP_DAYS / DAYS_PER_YEAR for x in lines}
    sentence = f"Funding turns its sign for {FLIP_DAYS} days: shorts pay what they earn now."
    return _made("funding_flip", "hypothetical", by_line, sentence)


def _auto_deleveraging(exposures: Sequence[Exposure]) -> Scenario:
    by_line = {x.line: x.weight * x.losses.get("auto_deleveraging", 0.0) for x in exposures if x.hedged_at}
    sentence = "In a crash venues close winning shorts, and the coins go on falling alone."
    return _made("auto_deleveraging", "hypothetical", by_line, sentence)


def _depeg(exposures: Sequence[Exposure], issuer: str) -> Scenario:
    """All that is worth a stablecoin falls with it: cash, pools, and hedges that are margined in it."""
    by_line = {x.line: x.weight * DEPEG_FALL for x in exposures if x.issuer == issuer}
    sentence = f"{issuer} falls to {1.0 - DEPEG_FALL:.2f} USD, with all that is worth {issuer}."
    return _made(f"depeg:{issuer}", "hypothetical", by_line, sentence)


def _venue(exposures: Sequence[Exposure], venue: str) -> Scenario:
    """A venue fails: what lies there is gone, and coins elsewhere lose the shorts that hedged them."""
    by_line: dict[str, float] = {}
    for x in exposures:
        loss = x.claim * x.venues.get(venue, 0.0)
        if x.hedged_at == venue:
            away = 1.0 - x.venues.get(venue, 0.0)
            loss += x.weight * min(away, x.losses.get("auto_deleveraging", 0.0))
        if loss:
            by_line[x.line] = loss
    placeless = tuple(x.line for x in exposures if not x.venues and not x.protocol)
    sentence = f"{venue} fails, and nothing comes back; coins elsewhere that it hedged fall alone."
    if placeless:
        sentence += f" No venue is known for {', '.join(placeless)}."
    covered = _share([x for x in exposures if x.line not in placeless], exposures)
    return _made(f"venue_loss:{venue}", "hypothetical", by_line, sentence, covered, placeless)


def _exploit(exposures: Sequence[Exposure], protocol: str) -> Scenario:
    lines = [x for x in exposures if x.protocol == protocol]
    by_line = {x.line: x.weight * x.losses.get("exploit", 1.0) for x in lines}
    return _made(f"exploit:{protocol}", "hypothetical", by_line, f"{protocol} is emptied.")


def _liquidation(x: Exposure) -> Scenario:
    """One's own short, exactly: how far the price is from it, and what it takes."""
    distance = x.liquidation_distance or 0.0
    by_line = {x.line: x.weight * x.losses.get("liquidation", 0.0)}
    sentence = f"A rise of {distance:.2%} liquidates the short of {x.line}: a spike takes its margin."
    return _made(f"liquidation:{x.line}", "hypothetical", by_line, sentence, numbers={"distance": distance})


def _names(found: Iterable[str]) -> list[str]:
    return sorted({name for name in found if name})


def _series(found: Iterable[Exposure]) -> list[str]:
    return list(dict.fromkeys(x.series for x in found))


def _share(part: Sequence[Exposure], whole: Sequence[Exposure]) -> float:
    gross = math.fsum(x.size for x in whole)
    return math.fsum(x.size for x in part) / gross if gross > 0.0 else 0.0


def _made(
    name: str,
    kind: Kind,
    by_line: Mapping[str, float],
    sentence: str,
    covered: float = 1.0,
    missing: tuple[str, ...] = (),
    numbers: Mapping[str, float | str] | None = None,
) -> Scenario:
    return Scenario(
        name=name,
        kind=kind,
        status="complete" if covered >= COVERED else "partial",
        loss=math.fsum(by_line.values()) + 0.0,
        by_line=by_line,
        sentence=sentence,
        covered=covered,
        missing=missing,
        numbers=numbers or {},
    )
