"""The configuration that decided once, read back from the policy as it was stored."""

from __future__ import annotations

import tomllib

from tasks.settings_schema import Settings


def settings_then(settings: Settings, policy: str) -> Settings:
    """The configuration as it was, in today's home; what can not change a decision has its default.

    Args:
        settings: today's.
        policy: TOML of ops.policies.
    """
    return Settings.model_validate(
        {
            **tomllib.loads(policy),
            "config_path": settings.config_path,
            "warehouse": {"home": settings.warehouse.home},
        }
    )
