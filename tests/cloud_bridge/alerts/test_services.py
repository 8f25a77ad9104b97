"""Can an account only choose a chat, a topic or a public host in a request, and nothing else? Attacks on every field."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from cloud_bridge.alerts import https_post
from cloud_bridge.alerts.errors import TargetRefused
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.alerts.push import notify
from cloud_bridge.alerts.services import SERVICES, Request, Via, check_target, shown, target_of, webhook_request
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.access import Role
from cloud_bridge.store.database import open_database
from cloud_bridge.store.tables import alert_wishes
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge, store_at

BOT = "123456789:AAE-abcdefghijklmnopqrstuvwxyz01234"
DISCORD_TOKEN = "a-_Z" * 17
USER, APP = "u" * 30, "a" * 30
TYPED: dict[Via, dict[str, str]] = {
    Via.EMAIL: {},
    Via.BROWSER: {},
    Via.WEBHOOK: {"target": "https://hooks.example/chargers"},
    Via.DISCORD: {"address": f"https://discord.com/api/webhooks/123456789012345678/{DISCORD_TOKEN}"},
    Via.PUSHOVER: {"user": USER, "token": APP},
    Via.SLACK: {"address": "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/abcdefghijklmnopqrstuvwx"},
    Via.TELEGRAM: {"token": BOT, "chat": "-1001234567890"},
}
# Input that apprise would have taken for a second target, an option, a template or another host, and that its parts allow.
ATTACKS = [
    *(", json://10.0.0.1/", " json://10.0.0.1/", ",json://x", "\tjson://x", "\njson://x", ";json://x", "\r\nX-Evil: 1"),
    *("?template=http://10.0.0.1/", "?template=/etc/passwd", "?to=x@y.z", "&to=x@y.z", "?method=DELETE", "?+X-Evil=1"),
    *(
        "#",
        "#/x",
        "/../x",
        "/x",
        "%2f..%2fx",
        "%0d%0aX-Evil:1",
        "@10.0.0.1",
        ":1@10.0.0.1",
        "\\@10.0.0.1",
        "\0",
        "\ud800",
    ),
    *("\u2028", "\uff0f", "é", "\u202e", "{unit}", "${x}", "' OR 1=1 --", "<b>", '"', "\N{FULLWIDTH COMMA}json://x"),
]
URLS = [
    *("json://hooks.example/", "jsons://hooks.example/", "http://hooks.example/", "HTTPS://hooks.example/", "https:hooks"),
    *("file:///etc/passwd", "mailto://a:b@mail.example", "https://", "https:///x", "//hooks.example/", "hooks.example"),
    *("https://user@hooks.example/", "https://user:secret@hooks.example/", "https://hooks.example@10.0.0.1/"),
    *("https://hooks.example\\@10.0.0.1/", "https://hooks.example#@10.0.0.1/", "https://hooks.example?@10.0.0.1 /"),
    *("https://hooks.example/\r\nX-Evil: 1", "https://hooks.example/ HTTP/1.1", "https://hooks.example/a b", "https://hooks.example/%zz"),
    *("https://hooks.example/,json://x /", "https://hooks.example/\u00e9", "https://h\u00f6oks.example/", "https://hooks..example/"),
    *("https://hooks.example:0/", "https://hooks.example:65536/", "https://hooks.example:443a/", "https://hooks.example:٣/"),
    *("https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://224.0.0.1/", "https://127.1/"),
    *("https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://a.1/", "https://localhost/"),
    *("https://intranet/", "https://[::1]/", "https://[fe80::1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/"),
    *("https://[::ffff:127.0.0.1]/", "https://[ff02::1]/", "https://[::1", "https://[fe80::1%25eth0]/", "https://-a.example/"),
]  # fmt: skip


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Return the requests that would have been sent."""
    requests: list[Request] = []
    monkeypatch.setattr(https_post, "post", requests.append)
    return requests


def test_every_service_has_a_form_that_works() -> None:
    assert set(TYPED) == set(SERVICES) == set(Via) - {Via.PUSH}
    for via, typed in TYPED.items():
        check_target(via, target_of(via, typed))
        check_target(via, target_of(via, {name: f" {value}\n" for name, value in typed.items()}))


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(("via", "name"), [(via, name) for via, typed in TYPED.items() for name in typed])
def test_nothing_can_be_added_to_a_field(via: Via, name: str, attack: str) -> None:
    good = TYPED[via][name]
    for value in {good + attack, attack + good, good[:-1] + attack + good[-1:], attack}:
        try:
            target = target_of(via, TYPED[via] | {name: value})
            check_target(via, target)
        except BridgeError:
            continue
        if target == target_of(via, TYPED[via]):  # a space at an end
            continue
        assert via is Via.WEBHOOK, "a path of the receiver's own is all that may be longer"
        made = webhook_request(target, b"", ())
        assert (made.host, made.port) == ("hooks.example", 443)
        assert re.fullmatch(r"/[!-~]*", made.target)


@pytest.mark.parametrize("url", URLS)
def test_an_address_that_is_no_webhook_is_refused(url: str) -> None:
    with pytest.raises(BridgeError):
        check_target(Via.WEBHOOK, target_of(Via.WEBHOOK, {"target": url}))


@given(st.text(max_size=80))
def test_no_text_makes_a_webhook_of_another_host_or_a_second_line(tail: str) -> None:
    target = f"https://hooks.example{tail}"
    try:
        made = webhook_request(target, b"", ())
    except BridgeError:
        return
    assert re.fullmatch(r"hooks\.example(\.[A-Za-z0-9.-]+)?|hooks\.example[A-Za-z0-9.-]+", made.host)
    assert re.fullmatch(r"/[!-~]*", made.target)
    assert 0 < made.port < 65536


def test_a_message_goes_to_the_service_alone(made: list[Request]) -> None:
    words = 'The "garage" <b> & @everyone\nsecond line'
    for via in (Via.DISCORD, Via.PUSHOVER, Via.SLACK, Via.TELEGRAM):
        notify(via, target_of(via, TYPED[via]), words)
    discord, pushover, slack, telegram = made
    assert [(one.host, one.port) for one in made] == [
        ("discord.com", 443),
        ("api.pushover.net", 443),
        ("hooks.slack.com", 443),
        ("api.telegram.org", 443),
    ]
    assert discord.target == f"/api/webhooks/123456789012345678/{DISCORD_TOKEN}"
    assert json.loads(discord.body) == {"content": words, "allowed_mentions": {"parse": []}}
    form = parse_qs(pushover.body.decode())
    assert (form["user"], form["token"], form["message"]) == ([USER], [APP], [words])
    assert slack.target == "/services/T0123ABCD/B0123ABCD/abcdefghijklmnopqrstuvwx"
    assert json.loads(slack.body) == {"text": 'The "garage" &lt;b&gt; &amp; @everyone\nsecond line'}
    assert telegram.target == f"/bot{BOT}/sendMessage"
    assert json.loads(telegram.body) == {"chat_id": "-1001234567890", "text": words}


@pytest.mark.parametrize("target", ["", f"{BOT} 1 2", f"{BOT}/../x 1", "tgram://x/1", f"{BOT} 1, json://10.0.0.1/"])
def test_a_stored_target_of_another_form_is_not_called(made: list[Request], target: str) -> None:
    for via in (Via.TELEGRAM, Via.PUSH):
        with pytest.raises(TargetRefused):
            notify(via, target, "words")
    assert made == []


def test_tokens_are_not_shown_again() -> None:
    for via, typed in TYPED.items():
        secrets = [] if via in (Via.EMAIL, Via.WEBHOOK) else [BOT, DISCORD_TOKEN, USER, APP, "abcdefghijklmnopqrstuvwx"]
        assert not any(secret in shown(via, target_of(via, typed)) for secret in secrets)


@pytest.mark.parametrize("via", [via for via in TYPED if TYPED[via]])
def test_a_driver_adds_each_service_on_its_page_and_takes_it_away(bridge: Bridge, via: Via) -> None:
    dora, path = Visitor(bridge, "dora", Role.DRIVER), "/account/notifications"
    stop = f'aria-label="Stop telling me: It has fallen silent, {SERVICES[via].title}"'
    assert stop in dora.post(path, about="silent", via=via, **TYPED[via]).text
    with bridge.app_state.database.reading() as connection:
        (row,) = connection.execute(select(alert_wishes)).all()
    assert (row.via, row.target) == (via.value, target_of(via, TYPED[via]))
    assert stop not in dora.post(f"{path}/{row.id}/remove", path).text


def test_a_field_that_is_wrong_is_named_and_nothing_is_stored(bridge: Bridge) -> None:
    dora = Visitor(bridge, "dora", Role.DRIVER)
    attack = f"{BOT}, json://127.0.0.1/admin?method=DELETE"
    answer = dora.post("/account/notifications", about="silent", via="telegram", token=attack, chat="1")
    assert answer.status_code == 422
    assert "Token of your bot" in answer.text
    answer = dora.post("/account/notifications", about="silent", via="push", target="json://127.0.0.1/")
    assert answer.status_code == 422
    with bridge.app_state.database.reading() as connection:
        assert connection.execute(select(alert_wishes)).all() == []


def test_targets_of_before_are_carried_over_or_their_owner_is_told(tmp_path: Path) -> None:
    discord = f"123456789012345678/{DISCORD_TOKEN}"
    carried = {
        f"tgram://{BOT}/-1001": ("telegram", f"{BOT} -1001"),
        f"discord://{discord}/": ("discord", discord.replace("/", " ")),
        f"pover://{USER}@{APP}": ("pushover", f"{USER} {APP}"),
        "slack://T0123ABCD/B0123ABCD/abcdefghijklmnopqrstuvwx": (
            "slack",
            "T0123ABCD B0123ABCD abcdefghijklmnopqrstuvwx",
        ),
    }
    left = [
        f"discord://{discord}",  # equal to the one above, in another notation
        f"tgram://{BOT}/1, json://127.0.0.1/?method=DELETE",
        f"discord://{discord}?template=/etc/passwd",
        "slack://x",
    ]
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0016")
    with before.writing() as connection:
        people = "INSERT INTO people (id, name, password_hash, role, created_ms) VALUES (1, 'ann', 'x', 'driver', 0)"
        connection.execute(text(people))
        for target in [*carried, *left]:
            query = "INSERT INTO alert_wishes (person_id, about, via, target) VALUES (1, 'silent', 'push', :target)"
            connection.execute(text(query), {"target": target})
    before.close()
    now = open_database(where)
    with now.reading() as connection:
        rows = connection.execute(select(alert_wishes.c.via, alert_wishes.c.target).order_by(alert_wishes.c.id)).all()
    now.close()
    assert [tuple(row) for row in rows[:4]] == list(carried.values())
    assert [tuple(row) for row in rows[4:]] == [("push", target) for target in left]
    for via, target in rows[:4]:
        check_target(Via(via), target)


@pytest.mark.parametrize(
    ("via", "target"), [("push", "tgram://a/1, json://10.0.0.1/"), ("webhook", "https://10.0.0.1/")]
)
def test_the_owner_of_a_target_that_is_not_used_any_more_reads_so(bridge: Bridge, via: str, target: str) -> None:
    dora = Visitor(bridge, "dora", Role.DRIVER)
    row = {"person_id": 1, "about": AlertKind.SILENT.value, "via": via, "target": target}
    with bridge.app_state.database.writing() as connection:
        connection.execute(alert_wishes.insert(), row)
    page = dora.read("/account/notifications")
    assert "Nothing is sent here:" in page
    assert "Remove it, and add it again" in page
    assert bridge.client.get("/api/alerts").status_code == 200
