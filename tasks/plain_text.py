"""Text from outside (symbols, venues, reasons that quote them) made safe to show to a person.

Comes in: any string. Goes out: one line of NFKC text without control, bidi or invisible characters, with
letters that imitate Latin ones pointed out. It escapes for no service: that is each channel's work.
"""

import re
import unicodedata

# Letters of other scripts that are drawn like Latin ones (the part of Unicode's confusables.txt, UTS 39,
# that can spell a ticker). A token called "USDС" with a Cyrillic С is not USDC, and a reader can not see it.
_CYRILLIC = dict(
    zip("АВЕЅІЈКМНОРСТУХаеорсухіјѕԁԛԝһ", "ABESIJKMHOPCTYXaeopcyxijsdqwh", strict=True),
)
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανικρυχ", "ABEZHIKMNOPTYXoavikpux", strict=True))
_ARMENIAN = dict(zip("ՍՏՕԱօո", "USOUon", strict=True))
_LOOK_ALIKES = _CYRILLIC | _GREEK | _ARMENIAN

_WORD = re.compile(r"[^\W_]+")
# Cc control, Cf format (bidi overrides, zero width, tags), Co private, Cs surrogate, Cn unassigned
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")  # letters by category, blank to the eye


def clean(text: str, *, limit: int = 400) -> str:
    """Return `text` as one safe, honest line.

    Args:
        text: Anything, also hostile.
        limit: Longest result in characters; a cut is shown by "...".
    """
    spaced = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text))
    kept = "".join(c for c in spaced if unicodedata.category(c) not in _INVISIBLE and c not in _FILLERS)
    # no service may turn a name into a link
    line = re.sub(r" +", " ", kept).strip().replace("://", "[:]//")
    if len(line) > limit:
        line = line[: limit - 3].rstrip() + "..."
    return _WORD.sub(_note_look_alikes, line)


def imitates(text: str) -> str | None:
    """Return the Latin spelling that `text` imitates with letters of another script, or None."""
    normal = unicodedata.normalize("NFKC", text)
    if not any(letter in _LOOK_ALIKES for letter in normal):
        return None
    skeleton = "".join(_LOOK_ALIKES.get(letter, letter) for letter in normal)
    return skeleton if skeleton.isascii() else None


def _note_look_alikes(word: re.Match[str]) -> str:
    found = word.group()
    imitated = imitates(found)
    if imitated is None:
        return found
    codes = " ".join(f"U+{ord(letter):04X}" for letter in found if letter in _LOOK_ALIKES)
    return f"{found} [not {imitated}: {codes}]"
