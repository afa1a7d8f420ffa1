"""Under which terms a source's data may be used; apart from the sources so that quick commands can say it."""

from tasks.settings_schema import SourcesSettings

LICENCES = {
    "coinmetrics": "CC BY-NC 4.0: commercial use needs Coin Metrics' permission",
    "defillama": "free to use with attribution (defillama.com/docs/api)",
    "fred": "free to use with attribution; some series are copyrighted by third parties, see each one's page",
    "cftc": "public domain (a work of the United States government); commercial use is free",
}
VENUE_LICENCE = "public market data, under the venue's own terms of use"
NON_COMMERCIAL = ("coinmetrics",)


def licence_of(source: str) -> str:
    """Under which terms a source's data may be used."""
    return LICENCES.get(source, VENUE_LICENCE)


def warnings_of(sources: SourcesSettings) -> list[str]:
    """A sentence for each configured source whose data are not free for commercial use."""
    return [
        f"{name} is {licence_of(name)}."
        for name in NON_COMMERCIAL
        if getattr(sources, name, None) is not None
    ]
