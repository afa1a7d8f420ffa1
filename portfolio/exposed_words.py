"""What is held and not allocated, as figures and sentences of its line."""

from collections.abc import Mapping

from portfolio.estimates import Estimates
from portfolio.exposed import HeldExposure
from portfolio.model import DecisionInputs


def exposed_numbers(exposure: HeldExposure | None) -> dict[str, float]:
    """Return the figures of a line by name; those of one option have its id behind a colon."""
    if exposure is None:
        return {}
    found = {"delta_usd": exposure.delta_usd, "gross_notional_usd": exposure.gross_usd}
    if exposure.options:
        found["vega_usd"] = exposure.vega_usd
    for one in exposure.options:
        name = f"{one.market_id}@{one.venue}"
        own: Mapping[str, float | None] = {
            "option_quantity": one.quantity,
            "option_value_usd": one.value_usd,
            "option_delta_usd": one.delta_usd,
            "option_vega_usd": one.vega_usd,
        }
        for what, value in own.items():
            if value is not None:
                found[f"{what}:{name}"] = found.get(f"{what}:{name}", 0.0) + value
    return found


def exposed_sentence(line: str, inputs: DecisionInputs, estimates: Estimates | None) -> str:
    """Return what a held line is made of, and whether the risk of the book could count it."""
    exposure = inputs.exposed.get(line)
    if exposure is None:
        return ""
    text = exposure.detail
    if estimates is None or not exposure.delta_usd:
        return text
    if estimates.fixed is None or line not in estimates.fixed.lines:
        return f"{text} The risk of the book can not count it: no returns of {exposure.asset} are at hand."
    counted = f"{exposure.delta_usd:+,.0f} USD of {exposure.asset}"
    return f"{text} The risk before and after counts it with {counted}."
