"""The services that an apprise URL may name, and what each does with text that looks like markup.

A service that is not here is refused when the configuration is checked: what it renders has not been looked
at, and schemes such as file, syslog or a shell command reach things no alert should. Add one with a test that
shows what a hostile symbol looks like to its reader.
"""

from enum import Enum


class Markup(Enum):
    """What a service makes of plain text."""

    NONE = "shows it as it is"
    ESCAPED = "apprise escapes it on the way"
    SLACK = "reads <!channel> and <url|name>"
    MARKDOWN = "reads links, mentions and emphasis"


SERVICES: dict[str, Markup] = {
    "discord": Markup.MARKDOWN,
    "gotify": Markup.NONE,
    "gotifys": Markup.NONE,
    "json": Markup.NONE,
    "jsons": Markup.NONE,
    "mailtos": Markup.NONE,
    "mmosts": Markup.MARKDOWN,
    "ntfy": Markup.NONE,
    "ntfys": Markup.NONE,
    "opsgenie": Markup.NONE,
    "pagerduty": Markup.NONE,
    "pover": Markup.NONE,
    "slack": Markup.SLACK,
    "tgram": Markup.ESCAPED,
    "workflows": Markup.MARKDOWN,
}
# Without TLS an alert can be read and forged on the way: only for receivers in one's own network.
UNENCRYPTED = frozenset({"gotify", "json", "ntfy"})

# Parameters of a URL that undo a promise: optional=yes reports a failure as sent, template and pgp* read
# files, retry repeats behind our back, redirect leaves the checked host, format=markdown escapes nothing.
REFUSED_PARAMETERS = frozenset(
    {
        *("attach", "cto", "emojis", "format", "optional", "overflow", "pgp", "pgpkey", "redirect"),
        *("retry", "rto", "store", "template", "verify", "wait"),
    }
)

_MARKDOWN_SIGNS = "\\`*_~|[]()#>"
_ZERO_WIDTH = "\u200b"


def neutral(text: str, markup: Markup) -> str:
    """Write `text` so that the reader of this service sees exactly it, and nobody is called or linked."""
    if markup is Markup.SLACK:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if markup is Markup.MARKDOWN:
        escaped = "".join(f"\\{sign}" if sign in _MARKDOWN_SIGNS else sign for sign in text)
        # a mention needs the name right after the sign, a link the slashes right after the colon
        return escaped.replace("@", f"@{_ZERO_WIDTH}").replace("<", f"<{_ZERO_WIDTH}")
    return text
