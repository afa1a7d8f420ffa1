"""Which portfolios a command means."""

from __future__ import annotations

from flows.exit_status import MisuseError
from tasks.settings import Settings
from tasks.settings_checks import nearest


def chosen_portfolios(settings: Settings, portfolio: str | None) -> tuple[str, ...]:
    """The portfolio that was named, or all of them.

    Raises:
        MisuseError: there is none of that name, or none at all.
    """
    names = tuple(settings.portfolios)
    if not names:
        raise MisuseError(
            f"Wanted at least one [portfolios.NAME] section in {settings.config_path}, found none. Add one."
        )
    if portfolio is None:
        return names
    if portfolio not in names:
        raise MisuseError(f"There is no portfolio {portfolio!r}; {nearest(portfolio, names)}.")
    return (portfolio,)
