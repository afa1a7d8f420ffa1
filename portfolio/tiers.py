"""How much a protocol may hold, from facts about it: age, audits, value locked, incidents.

The owner writes the tiers; a protocol is in the first whose every demand its facts meet. A fact that is not
known meets no demand, and nobody guesses the probability of an exploit.
"""

from collections.abc import Iterable

from portfolio.model import DecisionInputs, Policy
from portfolio.policy import ProtocolTier


def protocol_caps(
    protocols: Iterable[str], inputs: DecisionInputs, policy: Policy
) -> dict[str, tuple[str, float]]:
    """Return protocol → (tier, cap as a fraction of NAV); empty where the policy has no tiers."""
    if not policy.protocol_tiers:
        return {}
    return {p: _tier(p, inputs, policy) for p in protocols}


def _tier(protocol: str, inputs: DecisionInputs, policy: Policy) -> tuple[str, float]:
    for tier in policy.protocol_tiers:
        if not unmet(tier, protocol, inputs, policy):
            return tier.name, tier.cap
    return "no tier", 0.0


def unmet(tier: ProtocolTier, protocol: str, inputs: DecisionInputs, policy: Policy) -> list[str]:
    """Return which demands of a tier a protocol does not meet, as sentences."""
    own, seen = policy.protocol_facts.get(protocol), inputs.protocols.get(protocol)
    launched = own.launched if own else None
    age = (inputs.as_of.date() - launched).days if launched else None
    facts = [
        ("days of age", age, tier.min_age_days),
        ("audits", own.audits if own else None, tier.min_audits),
        ("USD locked", seen.tvl_usd if seen else None, tier.min_tvl_usd),
    ]
    found = [
        f"{'unknown' if have is None else f'{have:,.0f}'} {what}, {wanted:,.0f} wanted"
        for what, have, wanted in facts
        if wanted > 0 and not (have is not None and have >= wanted)
    ]
    incidents = seen.incidents if seen else None
    if tier.max_incidents is not None and not (incidents is not None and incidents <= tier.max_incidents):
        had = "unknown" if incidents is None else str(incidents)
        found.append(f"{had} incidents, at most {tier.max_incidents} wanted")
    return found
