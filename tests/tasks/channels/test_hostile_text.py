"""Hosts and texts of strangers, in every spelling: no private address, no second line, no markup."""

import email
import logging
import smtplib
from email.header import decode_header, make_header

import pytest

from flows.safety import safe
from tasks.channels import apprise_url, webhook
from tasks.channels._delivery import Target
from tasks.messages import Message
from tasks.redaction import install
from tasks.sources._session import told

HOSTILE = "BTC\x1b[2J\r\nBcc: thief@example.org\n<script>alert(1)</script><a href='http://evil.example'>x</a>"
HOSTS = [
    *("127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "0177.0.0.1", "017700000001", "2130706433"),
    *("0", "0.0.0.0", "10.0.0.8", "0xa000008", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254"),
    *("2852039166", "0xa9fea9fe", "localhost", "LOCALHOST", "localhost.", "x.localhost", "printer.local"),
    *("metadata.google.internal", "router.lan", "nas.home.arpa", "[::1]", "[::]", "[fe80::1]", "[fd00::1]"),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "224.0.0.1"),
    *("①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1", "ⓛocalhost"),
]


@pytest.mark.parametrize("host", HOSTS)
def test_every_spelling_of_a_private_host_is_refused_by_both_channels(host, monkeypatch):
    dialled: list[object] = []
    monkeypatch.setattr("socket.socket.connect", lambda _socket, address: dialled.append(address))
    for channel, scheme in ((webhook, "https"), (apprise_url, "jsons")):
        target = Target("ops", f"{scheme}://{host}/hook", allow_private_hosts=False, timeout_seconds=1.0)
        assert channel.check(target) is not None
        assert channel.send(Message("t", "b"), target, idempotency_key="A-1").status == "failed"
    assert dialled == []


def test_an_email_is_plain_text_with_one_line_headers(monkeypatch):
    posted: list[str] = []

    class Post:
        def __init__(self, *_arguments, **_settings): ...

        def sendmail(self, _sender, _to, content, *_more, **_options):
            posted.append(content)

        def __getattr__(self, _name):
            return lambda *_arguments, **_settings: (250, b"ok")

    monkeypatch.setattr(smtplib, "SMTP", Post)
    monkeypatch.setattr(smtplib, "SMTP_SSL", Post)
    url = "mailtos://user:pass-word@mail.example.org?to=desk@example.org"
    target = Target("ops", url, allow_private_hosts=True, timeout_seconds=1.0)
    sent = apprise_url.send(Message(HOSTILE, HOSTILE), target, idempotency_key="A-1")
    assert posted, sent
    letter = email.message_from_string(posted[0])
    assert letter["Bcc"] is None
    assert "\n" not in str(make_header(decode_header(letter["Subject"])))
    assert [part.get_content_type() for part in letter.walk() if not part.is_multipart()] == ["text/plain"]


def test_a_log_line_stays_one_line(caplog):
    restore = install(["canary0123456789"])
    try:
        logging.getLogger("any.room").warning("%s is gone\x9b5m", HOSTILE)
    finally:
        restore()
    (record,) = caplog.records
    assert record.getMessage().isprintable()
    assert "\\x1b[2J\\r\\nBcc" in record.getMessage()


def test_a_failure_steers_no_terminal():
    told_to_a_person = safe(HOSTILE)
    assert "\x1b" not in told_to_a_person
    assert "\r" not in told_to_a_person
    assert "\n" in told_to_a_person, "several problems are several lines"


def test_what_a_venue_answers_is_quoted_in_one_line():
    assert told(ValueError(HOSTILE)).isprintable()
    assert len(told(ValueError("x" * 10_000))) == 300
