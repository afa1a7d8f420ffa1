"""Names of lines: a sleeve and an asset, `spot:BTC`."""


def line_of(sleeve: str, asset: str) -> str:
    """Return the line key of a sleeve and an asset."""
    return f"{sleeve}:{asset}"


def sleeve_of(line: str) -> str:
    """Return the sleeve of a line key."""
    return line.partition(":")[0]


def asset_of(line: str) -> str:
    """Return the asset of a line key."""
    return line.partition(":")[2]


def is_contractual(line: str) -> bool:
    """Tell whether what a line earns is contracted and not the asset's own price: carry, basis, yield."""
    return sleeve_of(line) in ("carry", "basis", "yield")


def is_cash(line: str) -> bool:
    """Tell whether a line is cash: a stablecoin or the reference currency."""
    return sleeve_of(line) == "cash"
