"""Tickers that are widely traded, to catch a slip of the finger before anything is fetched.

A ticker that is not here is fine; one that is a single slip away from the best known ones is questioned.
"""

PROMINENT = frozenset(
    "BTC ETH SOL XRP ADA LINK DOGE LTC BNB TRX AVAX DOT MATIC POL SHIB UNI ATOM XLM XMR ETC BCH NEAR "
    "APT ARB AAVE FIL ALGO HBAR ICP SUI TON USDT USDC".split()
)
FAMILIAR = PROMINENT | frozenset(
    "OP INJ STX MKR LDO SNX CRV COMP YFI GRT RUNE SAND MANA AXS ENJ CHZ FTM EGLD XTZ EOS NEO IOTA "
    "ZEC DASH KSM WAVES QTUM ZIL BAT ZRX OMG ONT VET THETA KAVA CELO ROSE FLOW MINA KLAY GALA APE "
    "IMX DYDX ENS PEPE WIF BONK FLOKI JUP PYTH TIA SEI BLUR WLD ORDI RNDR RENDER FET OCEAN AGIX TAO "
    "KAS BTT BTG BSV DCR SC LSK REN BAL SUSHI CAKE GMX PENDLE ENA ONDO STRK ZK ZRO W MANTA ALT DYM "
    "PIXEL PORTAL AEVO ETHFI SAGA OMNI IO NOT TRB BAND UMA LUNA LUNC USTC ANKR STORJ SKL COTI CTSI "
    "HOT IOST ONE ICX RVN XEM DGB GLM MASK LRC NMR OXT CVC DAI TUSD FDUSD PYUSD USDE GUSD USDP BUSD "
    "EUR EURC PAXG XAUT WBTC STETH HYPE VIRTUAL TRUMP MOVE ME S CRO LEO OKB KCS GT HT MNT XDC AR HNT "
    "JASMY EIGEN".split()
)
STABLECOINS = frozenset("USDT USDC DAI TUSD FDUSD PYUSD USDE GUSD USDP BUSD USDS RLUSD".split())
REFERENCE_CURRENCIES = frozenset({"USD"})
# Venues that take the fee of a spot order out of what it brings (ccxt's feeSide "get", and OKX's and KuCoin's
# fee pages): a buy of 1 BTC at 10 bps brings 0.999. A fee paid in the venue's own coin is not known to us.
FEE_FROM_RECEIVED = frozenset("binance binanceus bybit gate okx bitget".split())


def probable_slip(ticker: str) -> str | None:
    """The prominent ticker that `ticker` is one slip away from; None where it is familiar or far off."""
    if ticker in FAMILIAR:
        return None
    near = sorted(known for known in PROMINENT if len(known) > 2 and _one_slip(ticker, known))
    return near[0] if near else None


def _one_slip(a: str, b: str) -> bool:
    """One letter more, less, other, or two neighbours swapped."""
    if len(a) == len(b):
        differing = [i for i in range(len(a)) if a[i] != b[i]]
        swapped = len(differing) == 2 and differing[1] == differing[0] + 1
        return len(differing) == 1 or (
            swapped and a[differing[0]] == b[differing[1]] and a[differing[1]] == b[differing[0]]
        )
    short, long = sorted((a, b), key=len)
    return len(long) - len(short) == 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
