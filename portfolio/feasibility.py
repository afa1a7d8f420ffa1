"""Finds policies that no portfolio can satisfy, before any data is fetched and anything is solved.

Every finding names one setting of the portfolio's own table, what was wanted of it, what was found, and what
to type.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from portfolio import registry
from portfolio.policy import Limit, Policy

SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Problem:
    """One impossible setting: its dotted name inside the portfolio's table, wanted, found, remedy."""

    setting: str
    wanted: str
    found: str
    remedy: str


def check_policy(policy: Policy, lines: Sequence[str]) -> list[Problem]:
    """List what can not be satisfied.

    Args:
        policy: the portfolio's settings.
        lines: every line the portfolio may hold ("spot:BTC", "cash:USDT", ...).
    """
    problems = _names(policy) + _numbers(policy) + _bounds(policy, lines) + _limits(policy, lines)
    if not problems:
        problems = _sums(policy, lines)
    return problems + _targets(policy, lines)


def _names(policy: Policy) -> list[Problem]:
    found: list[Problem] = []
    wanted = [
        ("objective", policy.objective, registry.names(registry.OPTIMISERS)),
        ("expected_returns", policy.expected_returns, registry.names(registry.EXPECTED_RETURNS)),
        ("risk_model", policy.risk_model, registry.names(registry.RISK_MODELS)),
    ]
    ladder = tuple(sorted({*registry.names(registry.OPTIMISERS), "hold"} - {"policy"}))
    wanted += [("fallbacks", name, ladder) for name in policy.fallbacks]
    for setting, name, valid in wanted:
        if name not in valid:
            nearest = registry.nearest(name, valid)
            found.append(Problem(setting, f"one of {', '.join(valid)}", repr(name), f"Write {nearest!r}."))
    return found


def _numbers(policy: Policy) -> list[Problem]:
    rules = policy.rebalance
    positive = [
        ("risk_aversion", policy.risk_aversion),
        ("lookback_days", policy.lookback_days),
        ("max_turnover", policy.max_turnover),
        ("max_participation", policy.max_participation),
        ("target_volatility", policy.target_volatility),
        ("rebalance.horizon_days", rules.horizon_days),
        ("rebalance.valid_hours", rules.valid_hours),
    ]
    not_negative = [
        ("cash_floor_usd", policy.cash_floor_usd),
        ("max_frozen_share", policy.max_frozen_share),
        ("min_position", policy.min_position),
        ("regularisation", policy.regularisation),
        ("resampling_draws", policy.resampling_draws),
        *((f"scenario_loss_caps.{name}", cap) for name, cap in policy.scenario_loss_caps.items()),
        ("rebalance.band_absolute", rules.band_absolute),
        ("rebalance.band_relative", rules.band_relative),
        ("rebalance.min_benefit_over_cost", rules.min_benefit_over_cost),
        ("rebalance.cooldown_hours", rules.cooldown_hours),
    ]
    found = [
        Problem(name, "a number above 0", repr(value), f"Set {name} above 0.")
        for name, value in positive
        if not (math.isfinite(value) and value > 0)
    ]
    found += [
        Problem(name, "a number of at least 0", repr(value), f"Set {name} to 0 or more.")
        for name, value in not_negative
        if not (math.isfinite(value) and value >= 0)
    ]
    if not 0.0 < policy.cvar_level < 1.0:
        found.append(Problem("cvar_level", "a share between 0 and 1", repr(policy.cvar_level), "Write 0.95."))
    modes = ("full", "cash_flow_only", "sell_only")
    if rules.mode not in modes:
        remedy = f"Write {registry.nearest(str(rules.mode), modes)!r}."
        found.append(Problem("rebalance.mode", f"one of {', '.join(modes)}", repr(rules.mode), remedy))
    if policy.on_stale not in ("block", "degrade"):
        found.append(Problem("on_stale", "block or degrade", repr(policy.on_stale), "Write 'block'."))
    return found


def _bounds(policy: Policy, lines: Sequence[str]) -> list[Problem]:
    found: list[Problem] = []
    settings = [("weight_bounds.default", policy.default_bounds)]
    settings += [(f'weight_bounds."{line}"', b) for line, b in policy.weight_bounds.items()]
    settings += [(f"class_bounds.{sleeve}", b) for sleeve, b in policy.class_bounds.items()]
    for setting, (lower, upper) in settings:
        if not (math.isfinite(lower) and math.isfinite(upper) and 0.0 <= lower <= upper <= 1.0):
            remedy = f"Set {setting} so that 0 ≤ lower ≤ upper ≤ 1."
            found.append(Problem(setting, "0 ≤ lower ≤ upper ≤ 1", f"[{lower}, {upper}]", remedy))
    for line in policy.weight_bounds:
        if lines and line not in lines:
            remedy = f"Did you mean {registry.nearest(line, tuple(sorted(lines)))!r}?"
            found.append(Problem(f'weight_bounds."{line}"', "a line of this portfolio", repr(line), remedy))
    found += [
        Problem(
            f"class_bounds.{sleeve}",
            f"one of the sleeves {', '.join(policy.sleeves)}",
            repr(sleeve),
            f"Add {sleeve!r} to sleeves or remove the entry.",
        )
        for sleeve in policy.class_bounds
        if sleeve not in policy.sleeves
    ]
    return found


def _limits(policy: Policy, lines: Sequence[str]) -> list[Problem]:
    """Limits on what is not there, limits that the weight bounds contradict, positions too small to hold."""
    found: list[Problem] = []
    assets = tuple(sorted({x.partition(":")[2] for x in lines}))
    for i, limit in enumerate(policy.limits):
        setting = f"limits.{i}"
        valid = {"asset": assets, "class": policy.sleeves}.get(limit.by, ())
        if valid and limit.of not in valid:
            remedy = f"Did you mean {registry.nearest(limit.of, valid)!r}?"
            wanted = f"{'an' if limit.by == 'asset' else 'a'} {limit.by} of this portfolio"
            found.append(Problem(setting, wanted, repr(limit.of), remedy))
        elif not limit.lower <= limit.upper:
            bounds = f"[{limit.lower}, {limit.upper}]"
            found.append(Problem(setting, "lower ≤ upper", bounds, f"Set {setting} so that lower ≤ upper."))
        elif valid and limit.measure == "capital":
            found += _limit_sums(setting, limit, policy, lines)
    for line in lines:
        lower, upper = policy.bounds_of(line)
        if lower <= upper < policy.min_position and upper > 0.0 and not line.startswith("cash:"):
            remedy = f'Lower min_position or raise weight_bounds."{line}".'
            text = f"{line} may hold at most {upper:.4g}"
            found.append(Problem("min_position", "a line that can hold it", text, remedy))
            break
    return found


def _limit_sums(setting: str, limit: Limit, policy: Policy, lines: Sequence[str]) -> list[Problem]:
    """A capital limit that the bounds of its lines can not meet."""
    part = 0 if limit.by == "class" else 2
    members = [policy.bounds_of(x) for x in lines if x.partition(":")[part] == limit.of]
    low, high = sum(b[0] for b in members), sum(b[1] for b in members)
    remedy = f"Relax {setting} or the weight_bounds of {limit.of}."
    if low > limit.upper + SUM_TOLERANCE:
        text = f"its lines want at least {low:.4g}"
        return [Problem(setting, f"at most {limit.upper:.4g} of NAV", text, remedy)]
    if high < limit.lower - SUM_TOLERANCE:
        text = f"its lines may hold at most {high:.4g}"
        return [Problem(setting, f"at least {limit.lower:.4g} of NAV", text, remedy)]
    return []


def _sums(policy: Policy, lines: Sequence[str]) -> list[Problem]:
    if not lines or policy.objective == "policy":
        return []
    found: list[Problem] = []
    low_total, high_total = 0.0, 0.0
    for sleeve in policy.sleeves:
        members = [policy.bounds_of(x) for x in lines if x.startswith(f"{sleeve}:")]
        low, high = sum(b[0] for b in members), sum(b[1] for b in members)
        class_low, class_high = policy.class_bounds.get(sleeve, (0.0, 1.0))
        setting = f"class_bounds.{sleeve}"
        if low > class_high + SUM_TOLERANCE:
            text = f"its lines want at least {low:.4g}"
            remedy = f"Raise the upper bound of {setting} or lower the weight_bounds of its lines."
            found.append(Problem(setting, f"at most {class_high:.4g} of NAV", text, remedy))
        if high < class_low - SUM_TOLERANCE:
            text = f"its lines may hold at most {high:.4g}"
            remedy = f"Lower the lower bound of {setting} or raise the weight_bounds of its lines."
            found.append(Problem(setting, f"at least {class_low:.4g} of NAV", text, remedy))
        low_total += max(low, class_low)
        high_total += min(high, class_high)
    if low_total > 1.0 + SUM_TOLERANCE:
        remedy = "Lower a lower bound of weight_bounds or class_bounds."
        found.append(
            Problem("weight_bounds", "lower bounds that sum to at most 1", f"{low_total:.4g}", remedy)
        )
    if high_total < 1.0 - SUM_TOLERANCE:
        remedy = "Raise an upper bound of weight_bounds or class_bounds, or add a line."
        found.append(
            Problem("weight_bounds", "upper bounds that sum to at least 1", f"{high_total:.4g}", remedy)
        )
    return found


def _targets(policy: Policy, lines: Sequence[str]) -> list[Problem]:
    targets = policy.target_weights
    if policy.objective != "policy":
        if targets:
            text, remedy = (
                f"objective {policy.objective!r}",
                'Set objective = "policy" or remove target_weights.',
            )
            return [Problem("target_weights", "only with objective 'policy'", text, remedy)]
        return []
    if not targets:
        remedy = 'Write target_weights = { "cash:USDC" = 0.8, "spot:BTC" = 0.2 }.'
        return [Problem("target_weights", "weights that sum to 1", "none", remedy)]
    found: list[Problem] = []
    total = sum(targets.values())
    if not abs(total - 1.0) <= SUM_TOLERANCE:
        remedy = f"Change the weights by {1.0 - total:+.6g} in total."
        found.append(Problem("target_weights", "weights that sum to 1", f"{total:.6g}", remedy))
    for line, weight in targets.items():
        setting = f'target_weights."{line}"'
        lower, upper = policy.bounds_of(line)
        if line.partition(":")[0] not in policy.sleeves or (lines and line not in lines):
            valid = tuple(sorted(lines)) or policy.sleeves
            remedy = f"Did you mean {registry.nearest(line, valid)!r}?"
            found.append(Problem(setting, "a line of this portfolio", repr(line), remedy))
        elif not (0.0 <= weight <= 1.0 and lower - SUM_TOLERANCE <= weight <= upper + SUM_TOLERANCE):
            remedy = "Change the weight or its weight_bounds."
            found.append(Problem(setting, f"a weight in [{lower:.4g}, {upper:.4g}]", f"{weight:.4g}", remedy))
    for sleeve, (lower, upper) in policy.class_bounds.items():
        held = sum(w for line, w in targets.items() if line.startswith(f"{sleeve}:"))
        if not lower - SUM_TOLERANCE <= held <= upper + SUM_TOLERANCE:
            wanted, remedy = (
                f"targets in [{lower:.4g}, {upper:.4g}] of NAV",
                "Change the targets or the class bounds.",
            )
            found.append(Problem(f"class_bounds.{sleeve}", wanted, f"{held:.4g}", remedy))
    return found
