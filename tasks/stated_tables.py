"""The tables of the mart that repeat what the configuration says.

An ingest stores them for people who ask the warehouse. A decision and a replay bring their own, so that what
is computed over the past follows the policy in question and not the newest ingest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.settings_schema import Settings
from tasks.sleeve_parameters import TABLE, sleeve_parameters
from warehouse.master import Master

Rows = Sequence[Mapping[str, Any]]


def stated_tables(settings: Settings, portfolio: str) -> dict[str, Rows]:
    """Table → its rows, for the sleeves of one portfolio."""
    sleeves = settings.portfolios[portfolio].sleeves
    return {"mart.venue_roles": venue_roles(settings), TABLE: sleeve_parameters(settings, sleeves)}


def store_stated(master: Master, settings: Settings) -> None:
    """Write the rows of all sleeves over those of the ingest before."""
    with master.transaction():
        master.upsert("mart.venue_roles", venue_roles(settings))
        master.run("forget_sleeve_parameters")
        master.append(TABLE, sleeve_parameters(settings))


def venue_roles(settings: Settings) -> list[dict[str, Any]]:
    """What each venue is for, so that the views know whose prices count."""
    return [
        {
            "venue": venue.id,
            "is_reference": "reference" in venue.roles,
            "is_execution": "execution" in venue.roles,
        }
        for venue in settings.venues
    ]
