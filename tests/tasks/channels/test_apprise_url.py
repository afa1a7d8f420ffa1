import logging
import socket
from html.parser import HTMLParser

import pytest
import requests
from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram

from tasks.channels import apprise_url
from tasks.channels._delivery import Target
from tasks.messages import Message

HOSTILE = "<!channel> <@U123> <http://evil|Claim> @everyone </b><script>x</script> [x](http://evil) _a_ & *b*"
MESSAGE = Message("core: sell 10 USD", "SELL 1 BTC\nId R-1", "R-1")


def target(url: str, **changes) -> Target:
    return Target("ops", url, **{"allow_private_hosts": True, "timeout_seconds": 5.0, **changes})


def send(url: str, message: Message = MESSAGE, **changes):
    return apprise_url.send(message, target(url, **changes), idempotency_key="A-1")


def test_a_message_arrives_once_with_its_key(sink):
    delivery = send(sink.url)
    assert (delivery.status, delivery.detail) == ("sent", "HTTP 200")
    (request,) = sink.received
    assert request.headers["Idempotency-Key"] == "A-1"
    assert request.json["title"] == MESSAGE.title
    assert request.json["message"] == MESSAGE.body


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (500, "failed", "HTTP 500"),
        (404, "failed", "HTTP 404"),
        (429, "failed", "HTTP 429"),
        (504, "ambiguous", "may have arrived"),
        ("lost", "ambiguous", "may have arrived"),
    ],
)
def test_what_is_not_confirmed_is_never_sent(sink, answer, status, said):
    sink.script = [answer]
    sink.headers = {"Retry-After": "17"} if answer == 429 else {}
    delivery = send(sink.url)
    assert delivery.status == status
    assert said in delivery.detail
    assert delivery.retry_after_seconds == (17.0 if answer == 429 else None)
    assert len(sink.received) == 1, "apprise or requests repeated it behind our back"


def test_two_receivers_in_one_url_of_which_one_confirms_are_in_doubt(sink, monkeypatch):
    sink.content, sink.script = b'{"ok": true}', [200, 500]
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{sink.port}/bot")
    delivery = send("tgram://123456789:abcdefg_hijklmnop/12315544/12315545/")
    assert delivery.status == "ambiguous"
    assert len(sink.received) == 2


def test_no_answer_in_time_is_in_doubt(sink):
    sink.script = ["hang"]
    delivery = send(sink.url, timeout_seconds=0.2)
    assert delivery.status == "ambiguous"
    assert "no answer in time" in delivery.detail


def test_a_closed_door_is_a_plain_failure():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    delivery = send(f"json://127.0.0.1:{port}/hook")
    assert (delivery.status, delivery.detail) == ("failed", "no connection")


def test_redirects_are_not_followed(sink):
    sink.script = ["redirect"]
    sink.redirect_to = f"http://127.0.0.1:{sink.port}/elsewhere"
    delivery = send(sink.url)
    assert (delivery.status, delivery.detail) == ("failed", "HTTP 302")
    assert [request.path for request in sink.received] == ["/hook"]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "0x7f.1", "2130706433", "localhost", "169.254.169.254", "10.0.0.8", "[::1]", "a.internal"],
)
def test_private_receivers_are_refused_before_anything_is_sent(sink, host):
    url = f"jsons://{host}:{sink.port}/hook"
    problem = apprise_url.check(target(url, allow_private_hosts=False))
    assert problem is not None
    delivery = send(url, allow_private_hosts=False)
    assert delivery.status == "failed"
    assert sink.received == []


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:127.0.0.1"]])
def test_a_public_name_with_a_private_address_is_refused(sink, monkeypatch, answers):
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_args, **_kw: [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, sink.port)) for ip in answers
        ],
    )
    dialled: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _socket, address: dialled.append(address))
    delivery = send("jsons://hooks.example.org/hook", allow_private_hosts=False)
    assert delivery.status == "failed"
    assert "allow_private_hosts = true" in delivery.detail
    assert dialled == []


def test_the_address_that_was_checked_is_the_one_connected_to(sink, monkeypatch):
    """A name that is public when asked first and private the second time never gets a second time."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    asked: list[str] = []
    dialled: list[str] = []

    def rebinding(host, *_args, **_kw):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, sink.port)) for ip in next(answers)]

    def connect(_socket, address):
        dialled.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket.socket, "connect", connect)
    assert send("jsons://hooks.example.org/hook", allow_private_hosts=False).status == "failed"
    assert asked == ["hooks.example.org"]
    assert dialled == ["93.184.216.34"]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/hostname",
        "syslog://",
        "http://example.org",
        "not a url",
        "",
        "slack://too-short",
        "json://example.org, jsons://example.org",
        "jsons://example.org?optional=yes",
        "jsons://example.org?redirect=yes",
        "jsons://example.org?verify=no",
        "discord://123456789012345678/abcdefghijklmnopqrstuvwxyz?template=/etc/hostname",
        "tgram://123456789:abcdefg_hijklmnop/12315544/?format=markdown",
    ],
)
def test_what_can_not_work_is_found_when_the_configuration_is_checked(url):
    problem = apprise_url.check(target(url))
    assert problem is not None
    assert problem.remedy
    if url:
        assert url not in str(problem)
    assert send(url).status == "failed"


@pytest.mark.parametrize(
    "url",
    [
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "discord://123456789012345678/abcdefghijklmnopqrstuvwxyz",
        "mailtos://user:pass-word@mail.example.org?to=desk@example.org",
        "ntfys://ntfy.example.org/topic",
        "pover://abcdefghijklmnopqrstuvwxyzabcd@abcdefghijklmnopqrstuvwxyz1234",
        "mmosts://mattermost.example.org/abcdefghijklmnopqrstuvwx",
        "gotifys://gotify.example.org/abcdefghijklmno",
        "jsons://example.org/hook",
    ],
)
def test_real_services_pass_the_check(url):
    assert apprise_url.check(target(url, allow_private_hosts=False)) is None


def test_an_empty_text_is_refused(sink):
    assert send(sink.url, Message("title", " \n")).status == "failed"
    assert sink.received == []


def test_slack_shows_hostile_text_as_text(sink, monkeypatch):
    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{sink.port}")
    delivery = send("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts", Message(HOSTILE, HOSTILE))
    assert delivery.status == "sent"
    (request,) = sink.received
    (attachment,) = request.json["attachments"]
    for shown in (attachment["text"], attachment["title"]):
        assert "<" not in shown
        assert ">" not in shown
        assert shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == HOSTILE
    assert request.json["mrkdwn"] is False


def test_discord_calls_and_links_nobody(sink, monkeypatch):
    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://127.0.0.1:{sink.port}")
    delivery = send("discord://123456789012345678/abcdefghijklmnopqrstuvwxyz", Message("title", HOSTILE))
    assert delivery.status == "sent", delivery
    shown = sink.received[0].json["content"]
    for live in ("@everyone", "<@U", "](http", "<http"):
        assert live not in shown


def test_telegram_gets_balanced_html_without_foreign_tags(sink, monkeypatch):
    sink.content = b'{"ok": true}'
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{sink.port}/bot")
    delivery = send("tgram://123456789:abcdefg_hijklmnop/12315544/", Message(HOSTILE, HOSTILE))
    assert delivery.status == "sent", delivery
    payload = sink.received[0].json
    tags: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append(tag)

        def handle_endtag(self, tag):
            tags.append(f"/{tag}")

    Parser().feed(payload["text"])
    assert payload["parse_mode"] == "HTML"
    assert tags in ([], ["b", "/b"])


def test_a_long_text_is_cut_at_a_line_and_says_where_the_rest_is(sink, monkeypatch):
    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://127.0.0.1:{sink.port}")
    lines = [f"SELL {n} BTC for a rather long reason, as it happens" for n in range(100)]
    send("discord://123456789012345678/abcdefghijklmnopqrstuvwxyz", Message("title", "\n".join(lines), "R-9"))
    (request,) = sink.received
    content = request.json["content"]
    assert len(content) <= 2000
    *kept, last = content.splitlines()[1:]
    assert last == "... full: trimtab explain R-9"
    assert kept == lines[: len(kept)]
    assert len(kept) > 20


def test_no_secret_in_details_or_logs(sink, caplog):
    caplog.set_level(logging.DEBUG)
    secret = "canary0123456789abcdef"
    for answer in (200, 500, 302, 429, "lost"):
        sink.script = [answer]
        delivery = send(f"json://user:{secret}@127.0.0.1:{sink.port}/{secret}?-token={secret}")
        assert secret not in delivery.detail
    for url in (f"slack://{secret}", f"json://{secret}:{secret}@", f"tgram://{secret}/"):
        assert secret not in send(url).detail
        assert secret not in str(apprise_url.check(target(url)))
        assert secret not in repr(target(url))
    assert secret not in caplog.text


def test_the_network_is_as_before_afterwards(sink):
    before = (socket.getaddrinfo, requests.Session.send)
    send(sink.url)
    send("json://")
    assert (socket.getaddrinfo, requests.Session.send) == before
