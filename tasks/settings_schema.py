"""The shape of trimtab.toml: every section, key, type, bound and default.

Comes in: the parsed TOML with environment overrides applied. Goes out: frozen models. Never reads a file, the
environment or a secret; that is `tasks/settings.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from tasks.settings_agreement import AgreementSettings
from tasks.settings_kinds import Asset, BaseUrl, Duration, Fraction, Section
from tasks.settings_operation import AlertSettings, ScheduleSettings, TimeZone, WatchSettings
from tasks.settings_portfolio import PortfolioSettings
from tasks.settings_sleeves import SleevesSettings

TIMEFRAMES = ("15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")
SLEEVES = ("spot", "carry", "basis", "yield", "staking", "options", "cash")
ALERT_EVENTS = ("recommendation", "blocked", "overdue", "resolved", "guard", "retracted")
DEFAULT_FRESHNESS = {
    "candles_15m": "1h",
    "candles_30m": "2h",
    "candles_1h": "3h",
    "candles_2h": "6h",
    "candles_4h": "10h",
    "candles_6h": "14h",
    "candles_8h": "18h",
    "candles_12h": "26h",
    "candles_1d": "30h",
    "funding_rates": "10h",
    "onchain_metrics": "60h",
    "instruments": "48h",
    "order_book_depth": "3h",
    "tickers": "3h",
    "open_interest": "4h",
    "mark_candles": "30h",
    "leverage_brackets": "48h",
    "implied_volatility": "26h",
    "stablecoins": "60h",
    "protocol_metrics": "60h",
    "macro_series": "120h",
    "yield_pools": "60h",
    "incidents": "48h",
    "futures_positioning": "14d",
}
MarketType = Literal["spot", "perp", "future"]
# What a venue is asked for only when its section names it.
MarketDataset = Literal["open_interest", "mark_candles", "leverage_brackets", "implied_volatility", "tickers"]


class WarehouseSettings(Section):
    """Where the data live and how long they are kept."""

    home: Path = Path("data")
    keep_snapshots: int = Field(default=8, ge=1, le=1000)
    keep_received_days: int = Field(default=7, ge=0, le=3650)
    keep_pages_days: int = Field(default=30, ge=0, le=36_500)  # 0: for ever
    # Where you serve the folder `published`, so that an alert's link opens elsewhere; empty: the file's path.
    pages_url: str = Field(default="", pattern=r"^(https?://[^\s<>\"'`{}|\\^]+)?$")
    keep_vintages_days: int = Field(default=730, ge=0, le=36_500)  # 0: for ever
    keep_validations_days: int = Field(default=180, ge=0, le=36_500)  # 0: for ever
    compact_above: float = Field(default=0.25, ge=0, le=1)
    parquet_mirror: bool = False
    memory_limit: str = Field(default="2GB", pattern=r"^\d+(\.\d+)?\s?(MB|GB|MiB|GiB)$")


class NetworkSettings(Section):
    """Limits that hold for every request to every source."""

    timeout_seconds: float = Field(default=15, gt=0, le=300)
    deadline_seconds: float = Field(default=30, gt=0, le=600)
    attempts: int = Field(default=4, ge=1, le=20)
    retry_budget_seconds: float = Field(default=90, ge=0, le=3600)
    max_body_bytes: int = Field(default=32_000_000, ge=100_000)


class VenueSettings(Section):
    """One exchange, by its ccxt id: prices come from reference venues, trades go to execution venues."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    base_url: BaseUrl | dict[MarketType, BaseUrl] = ""
    markets: tuple[MarketType, ...] = ("spot", "perp")
    roles: tuple[Literal["reference", "execution"], ...] = Field(
        default=("reference", "execution"), min_length=1
    )
    datasets: tuple[MarketDataset, ...] = ()
    max_concurrency: int = Field(default=8, ge=1, le=64)
    # 0: as the venue documents. A market of one's own may allow more, a shared address less.
    weights_per_minute: float = Field(default=0, ge=0)


class CoinMetricsSettings(Section):
    """Coin Metrics community API: on-chain metrics and reference prices, daily."""

    base_url: BaseUrl = "https://community-api.coinmetrics.io"
    metrics: tuple[str, ...] = ("PriceUSD", "CapMrktCurUSD", "AdrActCnt", "TxCnt")


class DefiLlamaSettings(Section):
    """DefiLlama: chains, stablecoins and, where named, protocols, pools and incidents.

    `protocols` are slugs such as "aave-v3"; `pools` and `lending_pools` are DefiLlama's pool ids, the latter
    with what borrowers pay.
    """

    base_url: BaseUrl = ""
    chains: tuple[str, ...] = ("Ethereum", "Solana", "Tron", "BSC")
    stablecoins: tuple[Asset, ...] = ("USDT", "USDC", "DAI")
    protocols: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    lending_pools: tuple[str, ...] = ()
    incidents: bool = False


class FredSettings(Section):
    """FRED: macro series as CSV; what is not daily is named under its frequency, for it appears later."""

    base_url: BaseUrl = "https://fred.stlouisfed.org"
    series: tuple[str, ...] = ("DGS10", "DTWEXBGS", "VIXCLS", "SP500")
    weekly: tuple[str, ...] = ()
    monthly: tuple[str, ...] = ()
    quarterly: tuple[str, ...] = ()
    # Days after a period's end at which a series appears, where its frequency's own lag does not fit.
    lag_days: dict[str, Annotated[int, Field(ge=1, le=400)]] = Field(default_factory=dict[str, int])

    @property
    def every(self) -> tuple[str, ...]:
        """All series, of any frequency."""
        return (*self.series, *self.weekly, *self.monthly, *self.quarterly)

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        twice = sorted({name for name in self.every if self.every.count(name) > 1})
        if twice:
            raise ValueError(f"wanted each series under one frequency, found {', '.join(twice)} twice")
        unknown = sorted(set(self.lag_days) - set(self.every))
        if unknown:
            raise ValueError(f"lag_days names {', '.join(unknown)}, which is in no list of series")
        return self


class CftcSettings(Section):
    """CFTC: weekly positions in futures, coin → the CFTC's contract code."""

    base_url: BaseUrl = "https://publicreporting.cftc.gov"
    contracts: dict[Asset, Annotated[str, Field(pattern=r"^[0-9A-Z+]{6}$")]] = Field(
        default_factory=lambda: {"BTC": "133741", "ETH": "146021"}
    )


class SourcesSettings(Section):
    """A source without a section is not asked."""

    coinmetrics: CoinMetricsSettings | None = None
    defillama: DefiLlamaSettings | None = None
    fred: FredSettings | None = None
    cftc: CftcSettings | None = None


class AliasSettings(Section):
    """A dated fact about a ticker: the only thing that joins two histories, or parts one.

    With `former`, the coin was called so until `since`; the coin's own ticker as `former` says that it is the
    same coin although its market was away or counts in a new unit. Without it, another coin begins there.
    """

    asset: Asset
    since: date
    former: Asset | None = None


class ExitSettings(Section):
    """A delisting that somebody announced: when a coin's markets close, at one venue or at all of them."""

    asset: Asset
    closes_at: AwareDatetime
    venue: str | None = None


class UniverseSettings(Section):
    """What is followed: coins against one quote currency."""

    quote: Asset = "USDT"
    assets: tuple[Asset, ...] = Field(min_length=1)
    cash: tuple[Asset, ...] = ()
    confirmed_assets: tuple[Asset, ...] = ()
    aliases: tuple[AliasSettings, ...] = ()
    exits: tuple[ExitSettings, ...] = ()
    timeframes: tuple[str, ...] = ("1d", "1h")
    history_start: date = date(2019, 1, 1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, values in (("assets", self.assets), ("timeframes", self.timeframes)):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"{name} names {', '.join(twice)} twice: remove the repetition")
        unknown = [value for value in self.timeframes if value not in TIMEFRAMES]
        if unknown:
            raise ValueError(f"timeframes: {unknown[0]!r} is not one of {', '.join(TIMEFRAMES)}")
        if "1d" not in self.timeframes:
            raise ValueError('timeframes must hold "1d": allocations are computed from daily returns')
        if self.quote in self.assets:
            raise ValueError(f"assets holds the quote currency {self.quote}: name it in cash instead")
        return self


def _freshness(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    given = {str(key): item for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return {**DEFAULT_FRESHNESS, **given}


class GateSettings(Section):
    """What data must be like before they may decide anything."""

    min_venues: int = Field(default=1, ge=1, le=20)
    max_frozen_share: Fraction = 0.35
    peg_tolerance: float = Field(default=0.02, gt=0, lt=0.5)
    # Calibrated on eight coins, 2018 to 2026: docs/false-alarms.md.
    max_spike: float = Field(default=0.5, gt=0.05, le=10)
    max_repeats: int = Field(default=2, ge=1, le=1000)
    day_tolerance: float = Field(default=1e-6, gt=0, le=0.1)
    # An input that changed by more flags the recommendations that had used it.
    revision_tolerance: float = Field(default=0.005, ge=0, le=1)
    agreement: AgreementSettings = Field(default_factory=AgreementSettings)
    freshness: Annotated[dict[str, Duration], BeforeValidator(_freshness)] = Field(
        default_factory=lambda: dict(DEFAULT_FRESHNESS), validate_default=True
    )


class ChannelSettings(Section):
    """One way out for alerts; its URL is a secret and stays in the environment."""

    kind: str = "apprise"
    allow_private_hosts: bool = False
    # The times of messages are shown in it, with its offset from UTC.
    time_zone: TimeZone = "UTC"
    portfolios: tuple[str, ...] = ()
    events: tuple[Literal["recommendation", "blocked", "overdue", "resolved", "guard", "retracted"], ...] = (
        "recommendation",
        "blocked",
        "overdue",
        "resolved",
        "guard",
    )


class Settings(Section):
    """The whole configuration; `config_path` is the file that it came from."""

    config_path: Path
    seed: int = Field(default=7, ge=0)
    warehouse: WarehouseSettings = Field(default_factory=WarehouseSettings)
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    venues: tuple[VenueSettings, ...] = Field(min_length=1)
    sources: SourcesSettings = Field(default_factory=SourcesSettings)
    universe: UniverseSettings
    gate: GateSettings = Field(default_factory=GateSettings)
    sleeves: SleevesSettings = Field(default_factory=SleevesSettings)
    portfolios: dict[str, PortfolioSettings] = Field(default_factory=dict)
    channels: dict[str, ChannelSettings] = Field(default_factory=dict)
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    schedule: ScheduleSettings = Field(default_factory=ScheduleSettings)
    watch: WatchSettings = Field(default_factory=WatchSettings)
