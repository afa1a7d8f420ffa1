"""What holds for every channel, over the folder's listing."""

from pathlib import Path

import pytest

import tasks.channels
from tasks.channels._delivery import Target, fit
from tasks.channels._registry import load_channels
from tasks.channels._wire import is_private, names_private_host
from tasks.messages import Message

CHANNELS = load_channels()


def test_the_folder_is_the_list():
    """The configuration reads the kinds off the file names; apprise.py would shadow the library."""
    folder = Path(tasks.channels.__path__[0])
    assert set(CHANNELS) == {path.stem.removesuffix("_url") for path in folder.glob("[a-z]*.py")}
    assert set(CHANNELS) == {"apprise", "console", "webhook"}


@pytest.mark.parametrize("kind", sorted(CHANNELS))
def test_a_channel_that_needs_a_secret_says_so_without_one(kind):
    channel = CHANNELS[kind]
    problem = channel.check(Target("ops"))
    assert (problem is not None) == channel.NEEDS_SECRET
    if channel.NEEDS_SECRET:
        assert "TRIMTAB_CHANNEL_OPS" in str(problem)
        assert channel.send(Message("t", "b"), Target("ops"), idempotency_key="A").status == "failed"


def test_the_console_shows_title_and_text():
    shown: list[str] = []
    delivery = CHANNELS["console"].send(
        Message("t", "b"), Target("console", write=shown.append), idempotency_key="A"
    )
    assert (delivery.status, shown) == ("sent", ["t\nb"])


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("93.184.216.34", False),
        ("2606:2800:220:1:248:1893:25c8:1946", False),
        ("127.0.0.1", True),
        ("0.0.0.0", True),
        ("10.0.0.1", True),
        ("100.64.0.1", True),
        ("169.254.169.254", True),
        ("224.0.0.1", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", True),
        ("64:ff9b::7f00:1", True),
        ("2002:7f00:1::", True),
    ],
)
def test_addresses_behind_any_notation(address, private):
    assert is_private(address) is private


def test_public_names_are_not_guessed_to_be_private():
    assert not names_private_host("hooks.slack.com")
    assert not names_private_host("localhost.example.org")


def test_fit_cuts_at_lines_and_never_exceeds():
    message = Message("a title", "one\ntwo\nthree " + "x" * 50, "R-1")
    for limit in range(31, 80):
        fitted = fit(message, 5, limit)
        assert fitted.title == "a ..."
        assert len(fitted.body) <= limit
        assert fitted.body == message.body or fitted.body.endswith("trimtab explain R-1")
    assert fit(message, 0, 0).body == message.body
