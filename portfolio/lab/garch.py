"""The distribution of NAV over the horizon: GARCH(1,1) volatility, with the shocks that really happened.

Filtered historical simulation: each line's own conditional volatility is fitted, the residuals of whole days
are drawn together so that lines fall together as they did, and volatility answers each shock. No drift: what
the past earned is luck here. Source: G. Barone-Adesi, K. Giannopoulos and L. Vosper, "VaR without
correlations for portfolios of derivative securities", Journal of Futures Markets 19 (1999).
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from portfolio.lab.exposures import Exposure
from portfolio.lab.stress import COVERED, Scenario

Array = NDArray[np.float64]
MIN_DAYS = 250  # a GARCH of fewer days is mostly its starting values
SCALE = 100.0  # in percent the fit is well conditioned
EWMA_DECAY = 0.94  # RiskMetrics, J.P. Morgan 1996
QUANTILES = (0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99)
FLAT = 1e-9  # daily standard deviation below which there is nothing to fit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filter:
    """One line's variance recursion σ²' = ω + α r² + β σ², daily and per one, with where it stands.

    Attributes:
        variance: of the next day.
        residuals: r/σ of each past day.
        is_fitted: False: the exponential weights of RiskMetrics, for the fit had no usable answer.
    """

    omega: float
    alpha: float
    beta: float
    variance: float
    residuals: Array
    is_fitted: bool = True


def fit(returns: Array) -> Filter:
    """Fit GARCH(1,1) with zero mean and Student's t by maximum likelihood to daily simple returns."""
    from arch import arch_model  # noqa: PLC0415 - only a simulation pays for it

    centred = (returns - returns.mean()) * SCALE
    model = arch_model(centred, mean="Zero", vol="GARCH", p=1, q=1, dist="t", rescale=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that fails is seen by its flag below
        found = model.fit(disp="off", show_warning=False)
    values = [float(found.params[name]) for name in ("omega", "alpha[1]", "beta[1]")]
    omega, alpha, beta = values[0] / SCALE**2, values[1], values[2]
    sound = found.convergence_flag == 0 and all(math.isfinite(x) for x in values)
    if not sound or alpha + beta > 1.0 + 1e-6 or min(values) < 0.0:
        return _filtered(centred / SCALE, 0.0, 1.0 - EWMA_DECAY, EWMA_DECAY, is_fitted=False)
    return _filtered(centred / SCALE, omega, alpha, beta, is_fitted=True)


def _filtered(centred: Array, omega: float, alpha: float, beta: float, *, is_fitted: bool) -> Filter:
    variance = float(centred.var())
    residuals = np.empty(len(centred))
    for i, r in enumerate(centred):
        residuals[i] = r / math.sqrt(variance)
        variance = omega + alpha * float(r) ** 2 + beta * variance
    return Filter(
        omega=omega, alpha=alpha, beta=beta, variance=variance, residuals=residuals, is_fitted=is_fitted
    )


def simulate(filters: Sequence[Filter], days: int, paths: int, seed: int) -> Array:
    """Draw the growth (1 = unchanged) of each line over the horizon: paths × lines.

    Residuals of one past day are drawn for all lines at once. A return never takes more than everything.
    """
    rng = np.random.default_rng(seed)
    residuals = np.column_stack([x.residuals for x in filters])
    omega = np.array([x.omega for x in filters])
    alpha = np.array([x.alpha for x in filters])
    beta = np.array([x.beta for x in filters])
    variance = np.tile([x.variance for x in filters], (paths, 1))
    growth = np.ones((paths, len(filters)))
    for _ in range(days):
        drawn = residuals[rng.integers(0, len(residuals), size=paths)]
        moved = np.maximum(np.sqrt(variance) * drawn, -1.0)
        growth *= 1.0 + moved
        variance = omega + alpha * moved**2 + beta * variance
    return growth


def tail(losses: Array, level: float) -> tuple[float, float]:
    """Return value at risk and expected shortfall: the loss of that quantile, and the mean of those beyond.

    R. T. Rockafellar and S. Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2 (2000).
    """
    ordered = np.sort(losses)
    beyond = max(1, round(len(ordered) * (1.0 - level)))
    worst = ordered[-beyond:]
    return float(worst[0]), float(worst.mean())


def monte_carlo(
    exposures: Sequence[Exposure], returns: pd.DataFrame, days: int, paths: int, seed: int
) -> tuple[Scenario, ...]:
    """Return value at risk and expected shortfall of NAV at 95 % and 99 % over the horizon.

    Lines that do not move (the reference currency) stay; lines with too few days are named and left out.
    """
    known = [x for x in exposures if x.series in returns and returns[x.series].notna().sum() >= MIN_DAYS]
    names = list(dict.fromkeys(x.series for x in known))
    panel = returns[names].dropna()
    missing = tuple(x.line for x in exposures if x not in known)
    if not known or len(panel) < MIN_DAYS:
        sentence = f"No data: {MIN_DAYS} common days are needed, {len(panel) if known else 0} are stored."
        return (_without(sentence, tuple(x.line for x in exposures)),)
    values = panel.to_numpy(dtype="float64")
    filters = [
        fit(values[:, i]) if float(values[:, i].std()) > FLAT else _flat(len(panel))
        for i in range(len(names))
    ]
    growth = simulate(filters, days, paths, seed) - 1.0
    moved = {name: growth[:, i] for i, name in enumerate(names)}
    parts = np.column_stack([-x.gain(moved[x.series], days) for x in known])
    gross = sum(x.size for x in exposures)
    covered = sum(x.size for x in known) / gross if gross > 0.0 else 0.0
    unfitted = [name for name, f in zip(names, filters, strict=True) if not f.is_fitted]
    sentence = (
        f"{paths} paths of {days} days, GARCH(1,1) on {len(panel)} days with their own shocks, no drift."
    )
    sentence += f" RiskMetrics weights for {', '.join(unfitted)}." if unfitted else ""
    sentence += f" Without {', '.join(missing)}: too few days." if missing else ""
    lines = [x.line for x in known]
    return tuple(_measured(parts, lines, level, sentence, (covered, missing)) for level in (0.95, 0.99))


def _flat(days: int) -> Filter:
    return Filter(omega=0.0, alpha=0.0, beta=0.0, variance=0.0, residuals=np.zeros(days))


def _measured(
    parts: Array, lines: Sequence[str], level: float, sentence: str, cover: tuple[float, tuple[str, ...]]
) -> Scenario:
    """Expected shortfall with each line's part of it (Euler): the mean of its losses on the tail's paths."""
    losses = parts.sum(axis=1)
    at_risk, _ = tail(losses, level)
    beyond = max(1, round(len(losses) * (1.0 - level)))
    worst = np.argsort(losses, kind="stable")[-beyond:]
    by_line = {line: float(parts[worst, i].mean()) for i, line in enumerate(lines)}
    spread = {f"nav_q{int(q * 100):02d}": 1.0 - float(np.quantile(losses, 1.0 - q)) for q in QUANTILES}
    return Scenario(
        name=f"monte_carlo_{int(level * 100)}",
        kind="modelled",
        status="complete" if cover[0] >= COVERED else "partial",
        loss=math.fsum(by_line.values()),
        by_line=by_line,
        sentence=f"Mean loss of the worst {1.0 - level:.0%} (CVaR), VaR {at_risk:.2%}: {sentence}",
        covered=cover[0],
        missing=cover[1],
        numbers={"var": at_risk, **spread},
    )


def _without(sentence: str, missing: tuple[str, ...]) -> Scenario:
    return Scenario(
        name="monte_carlo_95", kind="modelled", status="no_data", loss=None, by_line={},
        sentence=sentence, covered=0.0, missing=missing,
    )  # fmt: skip
