"""What a backtest walks: the policy, its variations, and the plain portfolios beside it.

Comes in: the configuration and what is to be varied. Goes out: jobs as plain values that another process can
carry out. A variation is a key of the portfolio's section or of its `rebalance` table, or `every_hours`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from pydantic import ValidationError

from portfolio.lab.baselines import baselines
from portfolio.policy import Policy
from tasks.policy import config_hash, lines_of, policy_of
from tasks.settings import Settings
from tasks.settings_checks import nearest
from tasks.settings_portfolio import PortfolioSettings, RebalanceSettings

CALENDAR = "every_hours"
MOST_VARIATIONS = 5000
FIXED_KEYS = ("holdings", "rebalance", "requires", "sleeves")


class BacktestError(Exception):
    """A backtest that can not be made as asked; the message says what to ask instead. Exit status 2."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One walk.

    Attributes:
        name: policy, or of a plain portfolio.
        kind: walk (the policy itself), hold or fixed (which follow its first trades).
        variation: what differs from the configuration, as text; empty for nothing.
    """

    name: str
    kind: str
    variation: str
    policy: Policy
    every_hours: int
    config_hash: str
    is_baseline: bool = False

    def rules(self) -> str:
        """What the walk depends on besides the study: the same for jobs that differ in name alone."""
        return repr((self.kind, self.policy, self.every_hours, self.is_baseline))

    def estimates(self) -> tuple[object, ...]:
        """What its estimates depend on: of two jobs with the same, the second one finds them computed."""
        rules = self.policy
        way = (rules.lookback_days, rules.expected_returns, rules.risk_model, rules.rebalance.horizon_days)
        return (self.is_baseline, self.every_hours, *way)


def plan_jobs(
    settings: Settings, portfolio: str, every_hours: int, vary: Mapping[str, Sequence[str]]
) -> list[Job]:
    """The policy as configured, its variations, and the plain portfolios.

    Args:
        settings: the configuration.
        portfolio: its name.
        every_hours: hours between decisions where the calendar is not varied.
        vary: key → values, as text; every combination is walked.

    Raises:
        BacktestError: an unknown key, a value that the configuration would refuse, or too many combinations.
    """
    policy = policy_of(settings, portfolio)
    hashed = config_hash(settings, portfolio)
    lines = lines_of(settings, portfolio)
    own = Job(
        name="policy", kind="walk", variation="", policy=policy, every_hours=every_hours, config_hash=hashed
    )
    jobs = [own, *_variations(settings, portfolio, every_hours, vary)]
    plain: Mapping[str, tuple[str, Policy]] = {
        "hold": ("hold", policy),
        "fixed": ("fixed", policy),
        **{name: ("walk", rules) for name, rules in baselines(policy, lines).items()},
    }
    jobs += [
        Job(
            name=name,
            kind=kind,
            variation="",
            policy=rules,
            every_hours=every_hours,
            config_hash=hashed,
            is_baseline=True,
        )
        for name, (kind, rules) in plain.items()
    ]
    return jobs


def _variations(
    settings: Settings, portfolio: str, every_hours: int, vary: Mapping[str, Sequence[str]]
) -> list[Job]:
    count = 1
    for values in vary.values():
        count *= len(values)
    if count > MOST_VARIATIONS:
        raise BacktestError(
            f"{count} combinations were asked for; at most {MOST_VARIATIONS} are walked at once. "
            "Vary fewer keys."
        )
    jobs: list[Job] = []
    for chosen in product(*vary.values()) if vary else ():
        changes = dict(zip(vary, chosen, strict=True))
        changed = vary_settings(settings, portfolio, changes)
        jobs.append(
            Job(
                name="policy",
                kind="walk",
                variation=" ".join(f"{key}={value}" for key, value in changes.items()),
                policy=policy_of(changed, portfolio),
                every_hours=_hours(changes.get(CALENDAR, str(every_hours))),
                config_hash=config_hash(changed, portfolio),
            )
        )
    return jobs


def vary_settings(settings: Settings, portfolio: str, changes: Mapping[str, str]) -> Settings:
    """The configuration with some of a portfolio's values replaced, checked as if a file had said so."""
    section = settings.portfolios[portfolio]
    rebalance: dict[str, Any] = section.rebalance.model_dump()
    own: dict[str, Any] = section.model_dump(exclude={"rebalance", "holdings"})
    for key, value in changes.items():
        if key in RebalanceSettings.model_fields:
            rebalance[key] = value
        elif key in PortfolioSettings.model_fields and key not in FIXED_KEYS:
            own[key] = value
        elif key != CALENDAR:
            raise BacktestError(f"--vary {key}: there is no such setting; {nearest(key, variable_keys())}.")
    try:
        changed = PortfolioSettings.model_validate(
            {**own, "rebalance": rebalance, "holdings": section.holdings}
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BacktestError(f"--vary {place}: {first['msg']}, found {first['input']!r}.") from None
    return settings.model_copy(update={"portfolios": {**settings.portfolios, portfolio: changed}})


def variable_keys() -> tuple[str, ...]:
    """The keys that may be varied."""
    own = [key for key in PortfolioSettings.model_fields if key not in FIXED_KEYS]
    return (CALENDAR, *RebalanceSettings.model_fields, *own)


def _hours(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 24 * 366:
        raise BacktestError(f"--vary {CALENDAR}: wanted hours from 1 to 8784, found {text!r}.")
    return int(text)


def instants_of(first: datetime, last: datetime, jobs: Sequence[Job]) -> dict[int, tuple[datetime, ...]]:
    """The decision instants of each calendar, in order; the last one lies a close before the end.

    Raises:
        BacktestError: there is none.
    """
    found: dict[int, tuple[datetime, ...]] = {}
    for hours in {job.every_hours for job in jobs}:
        step, steps = timedelta(hours=hours), int((last - first) / timedelta(hours=hours))
        found[hours] = tuple(first + n * step for n in range(steps + 1) if first + n * step < last)
        if not found[hours]:
            raise BacktestError(
                f"A backtest from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC has no decision in it. "
                "Give an end that lies later."
            )
    return found
