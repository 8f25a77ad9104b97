"""Does the configured address alone decide where links lead, and nothing in a request?"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import update
from starlette.testclient import TestClient

from cloud_bridge.alerts import delivery
from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.delivery import Means
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.ingest import home_assistant
from cloud_bridge.store import tables
from cloud_bridge.store.access import Role
from cloud_bridge.store.people import find_person
from cloud_bridge.store.subscriptions import Via, add_subscription
from cloud_bridge.vehicles.providers.catalogue import read_catalogue
from cloud_bridge.web.page import is_secure
from cloud_bridge.web.public_address import below, parse
from tests.cloud_bridge import people
from tests.cloud_bridge.alerting import Journal, notice_and_send
from tests.cloud_bridge.authenticator import code_of, hidden_in, key_in
from tests.cloud_bridge.people import PASSWORD, Visitor, give
from tests.cloud_bridge.running import TOKEN, Bridge

ADDRESSES = [
    "http://chargers.example",
    "https://chargers.example",
    "https://example.org/chargers",
    "https://example.org:8443/a/b.c",
    "https://[2001:db8::1]/chargers",
]
EVIL = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil.example",
    "X-Forwarded-Server": "evil.example",
    "X-Original-URL": "/evil.example",
    "Forwarded": "host=evil.example;proto=https",
}
LINK = re.compile(r'\s(?:href|src|action|formaction|hx-[a-z:-]+)="([^"]*)"')
CRAWLED = 60  # pages; no role has as many


def set_address(bridge: Bridge, url: str | None) -> None:
    app: Any = bridge.client.app
    app.state.bridge = replace(bridge.app_state, settings=replace(bridge.app_state.settings, public_url=url))


def log_in(browser: TestClient, url: str, name: str, headers: dict[str, str] | None = None) -> Any:
    """Return the answer to the login form of `url`, without following it."""
    form = re.search(r'name="form" value="(\w+)"', browser.get(f"{url}/login", headers=headers).text)
    assert form is not None
    data = {"name": name, "password": PASSWORD, "form": form[1], "next": "/"}
    return browser.post(f"{url}/login", data=data, headers=headers, follow_redirects=False)


def pass_second_factor(browser: TestClient, url: str, bridge: Bridge, headers: dict[str, str] | None = None) -> Any:
    """Set up the second factor; return the answer, which is the same as for an operator's login."""
    shown = browser.get(f"{url}/login/second-factor", headers=headers).text
    data = hidden_in(shown) | {"code": code_of(key_in(shown), bridge.clock.now_ms())}
    answer = browser.post(f"{url}/login/second-factor", data=data, headers=headers)
    assert answer.status_code == 200
    return answer


def as_typed(browser: TestClient, path: str) -> Any:
    return browser.get(path, follow_redirects=False)


@pytest.mark.parametrize("strips", [False, True], ids=["path kept", "path taken off"])
@pytest.mark.parametrize("url", ADDRESSES[2:])
@pytest.mark.parametrize("role", [Role.DRIVER, Role.OPERATOR])
def test_every_link_of_every_page_stays_below_the_public_address(
    bridge: Bridge, role: Role, url: str, strips: bool
) -> None:
    """The proxy in front keeps its path on the request, or removes it."""
    set_address(bridge, url)
    root = urlsplit(url).path
    bridge.add_person("dora", PASSWORD, role)
    give(bridge, bridge.add_unit("home-1").claim_code, "dora")
    browser = TestClient(bridge.client.app, base_url=url)
    if strips:
        browser.event_hooks["request"] = [taking_off(root)]
    answer = log_in(browser, url, "dora")
    if role is Role.OPERATOR:
        assert answer.headers["Location"] == f"{root}/login/second-factor?next=%2F"
        answer = pass_second_factor(browser, url, bridge)
    else:
        assert answer.headers["Location"] == f"{root}/", "a redirect"
    cookie = next(one for one in answer.headers.get_list("set-cookie") if "chargekeeper_session" in one)
    assert f"path={root or '/'};" in cookie.lower() + ";"
    assert ("secure" in cookie.lower()) == url.startswith("https://")
    seen: set[str] = set()
    todo = [f"{root}/"]
    while todo and len(seen) < CRAWLED:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = browser.get(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}{path}")
        assert answer.status_code == 200, (path, answer.text[:300])
        if "text/html" not in answer.headers["content-type"]:
            continue
        for link in map(html.unescape, LINK.findall(answer.text)):
            assert not link.startswith("/") or link.startswith(f"{root}/"), f"{link} on {path}"
            assert not root or not link.startswith(root + root), f"{link} on {path}"
        anchors = map(html.unescape, re.findall(r'<a [^>]*href="([^"#]+)', answer.text))
        todo += [
            urlsplit(urljoin(path, one)).path for one in anchors if not urlsplit(one).netloc and "logout" not in one
        ]
    assert len(seen) > 5


def taking_off(root: str) -> Callable[[Any], None]:
    def take_off(request: Any) -> None:
        assert request.url.path.startswith(f"{root}/"), request.url
        request.url = request.url.copy_with(path=request.url.path.removeprefix(root))

    return take_off


@pytest.mark.parametrize("url", [None, *ADDRESSES[:3]])
def test_no_header_of_a_request_decides_where_anything_leads(bridge: Bridge, url: str | None) -> None:
    """Every GET route, logged in and not, with and without a slash at its end; and the login itself."""
    set_address(bridge, url)
    bridge.add_person("olga", PASSWORD, Role.OPERATOR)
    here = url or "http://127.0.0.1"
    browser = TestClient(bridge.client.app, base_url=here)
    app: Any = bridge.client.app
    paths = [context.path or "" for context in iter_route_contexts(app.routes) if "GET" in (context.methods or ())]
    paths = [re.sub(r"\{\w+\}", "1", path) for path in paths if not path.endswith("/live")]
    assert len(paths) > 40
    for logged_in in (False, True):
        if logged_in:
            answer = log_in(browser, here, "olga", EVIL)
            assert answer.status_code == 303
            assert "evil" not in str(answer.headers)
            answer = pass_second_factor(browser, here, bridge, EVIL)
            assert "evil" not in answer.text + str(answer.headers)
            cookie = next(one for one in answer.headers.get_list("set-cookie") if "chargekeeper_session" in one)
            assert ("secure" in cookie.lower()) == here.startswith("https://"), "whatever X-Forwarded-Proto says"
        for path in [*paths, *(f"{path}/" for path in paths), "//evil.example/", "/\\evil.example/"]:
            answer = browser.get(here + path, headers=EVIL, follow_redirects=False)
            assert answer.status_code < 500
            leads = answer.headers.get("Location", "")
            assert not leads.startswith(("//", "/\\", "http")), (path, leads)
            if "evil" not in path:
                assert "evil.example" not in answer.text + str(answer.headers), path


@pytest.mark.parametrize("url", [None, "https://example.org/chargers"])
def test_an_address_typed_with_a_slash_at_its_end_leads_to_the_page(bridge: Bridge, url: str | None) -> None:
    set_address(bridge, url)
    root = urlsplit(url or "").path
    browser = bridge.stranger()
    assert as_typed(browser, f"{root}/status/").headers["Location"] == f"{root}/status"
    assert as_typed(browser, f"{root}/no-such-page/").headers["Location"] == f"{root}/no-such-page"
    assert as_typed(browser, f"{root}/no-such-page").status_code == 404


def test_the_path_alone_leads_to_the_first_page(bridge: Bridge) -> None:
    set_address(bridge, "https://example.org/chargers")
    answer = as_typed(bridge.stranger(), "/chargers")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/chargers/")


def test_another_path_that_begins_alike_is_not_below_it(bridge: Bridge) -> None:
    set_address(bridge, "https://example.org/chargers")
    assert as_typed(bridge.stranger(), "/chargers-of-others/status").status_code == 404


@pytest.fixture
def placed(bridge: Bridge) -> Iterator[TestClient]:
    set_address(bridge, "https://example.org/chargers")
    yield TestClient(bridge.client.app, base_url="https://example.org")


def test_manifest_and_service_worker_lie_below_the_public_address(placed: TestClient) -> None:
    manifest = placed.get("/chargers/manifest.webmanifest").json()
    assert [manifest[key] for key in ("id", "start_url", "scope")] == ["/chargers/"] * 3
    assert all(placed.get(icon["src"]).status_code == 200 for icon in manifest["icons"])
    worker = placed.get("/chargers/worker.js").text
    kept = re.findall(r'"(/[^"]+)"', worker)
    assert "/chargers/offline" in kept
    for path in kept:
        assert path.startswith("/chargers/")
        assert placed.get(path).status_code == 200


def test_a_refusal_before_any_route_leads_below_the_public_address(placed: TestClient) -> None:
    answer = placed.post("/chargers/login", content=b"x" * 100_000)
    assert answer.status_code == 413
    assert 'href="/chargers/"' in answer.text


def test_login_leads_back_below_the_public_address(bridge: Bridge, placed: TestClient) -> None:
    answer = as_typed(placed, "/chargers/account/units")
    assert answer.headers["Location"] == "/chargers/login?next=/account/units"
    answer = placed.get("/chargers/account/units", headers={"HX-Request": "true"}, follow_redirects=False)
    assert answer.headers["HX-Redirect"] == "/chargers/login?next=/account/units"


def test_a_refused_form_leads_back_below_the_public_address(bridge: Bridge) -> None:
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    set_address(bridge, "http://testserver/chargers")
    olga.client.headers["Referer"] = "http://testserver/chargers/account/email/confirm"
    answer = olga.post("/account/email/confirm", code="7K4M")
    assert '<a href="/chargers/account/email/confirm">Back</a>' in answer.text
    answer = olga.post("/account/units", code="7K4M")
    assert '<form class="card fields" method="post" action="/chargers/account/units">' in answer.text


def test_the_interface_tells_programs_the_public_address(bridge: Bridge) -> None:
    from cloud_bridge.web.app import create_app

    settings = replace(bridge.app_state.settings, public_url="https://example.org/chargers")
    app = create_app(replace(bridge.app_state, settings=settings))
    browser = TestClient(app, base_url="https://example.org", headers={"Authorization": f"Bearer {TOKEN}"})
    assert browser.get("/chargers/openapi.json").json()["servers"] == [{"url": "https://example.org/chargers"}]
    assert browser.get("/chargers/api/charge-points").status_code == 200
    assert browser.get("/api/charge-points").status_code == 200, "on the machine itself, beside the proxy"


def test_the_live_stream_links_below_the_public_address(bridge: Bridge, placed: TestClient) -> None:
    assert below("/chargers", '<a class="x" href="/jobs">') == '<a class="x" href="/chargers/jobs">'
    assert (
        below("/chargers", '<form hx-get="/jobs" action="/">') == '<form hx-get="/chargers/jobs" action="/chargers/">'
    )
    for elsewhere in ('<a href="//cdn.example/x">', '<a href="https://example.org/">', '<a href="#main">', '="/x"'):
        assert below("/chargers", elsewhere) == elsewhere


def test_a_text_that_looks_like_a_link_is_left_alone(bridge: Bridge, placed: TestClient) -> None:
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    log_in(placed, "https://example.org/chargers", "dora")
    page = placed.get("/chargers/login", params={"next": '/x href="/jobs"'}).text
    assert "/x href=&#34;/jobs&#34;" in page


@pytest.mark.parametrize(("url", "secure"), [("https://chargers.example", True), ("http://chargers.example", False)])
def test_the_setting_says_whether_cookies_are_secure(bridge: Bridge, url: str, secure: bool) -> None:
    from starlette.requests import Request

    set_address(bridge, url)
    for scheme in ("http", "https"):
        scope = {"type": "http", "app": bridge.client.app, "scheme": scheme, "headers": [], "path": "/"}
        assert is_secure(Request(scope)) is secure


def test_home_assistant_links_to_the_public_address(bridge: Bridge) -> None:
    assert (
        b'"configuration_url": "https://example.org/chargers/charge-points/home-1"'
        in (home_assistant.Discovery("https://example.org/chargers").device("home-1")[1][1])
    )
    assert b"configuration_url" not in home_assistant.Discovery().device("home-1")[1][1]


def test_parts_of_an_address() -> None:
    assert parse("https://example.org:8443/a/b")[1:] == ("https", "example.org:8443", "example.org", 8443, "/a/b")
    assert parse("http://[::1]")[1:] == ("http", "[::1]", "::1", 80, "")


MAKER = """[provider.maker]
kind = "generic"
client_id = "us"
authorise_url = "https://maker.example/authorize"
token_url = "https://maker.example/token"
api_url = "https://maker.example"
scopes = ["read"]
"""


@pytest.mark.parametrize("own", ["", 'public_url = "https://old.example"\n'])
def test_a_car_maker_sends_drivers_back_to_the_public_address(tmp_path: Path, own: str) -> None:
    """The setting overrides vehicles.toml, which had its own address before this setting existed."""
    (tmp_path / "vehicles.toml").write_text(own + MAKER)
    catalogue = read_catalogue(tmp_path, {"CHARGEKEEPER_PUBLIC_URL": "https://example.org/chargers/"})
    assert catalogue.return_uri("maker") == "https://example.org/chargers/vehicles/return/maker"
    if own:
        assert read_catalogue(tmp_path, {}).return_uri("maker") == "https://old.example/vehicles/return/maker"


@pytest.mark.parametrize("via", [Via.EMAIL, Via.DISCORD])
def test_an_alert_ends_with_a_link_to_the_charge_point(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch, via: Via
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(delivery, "notify", lambda _via, _target, words: sent.append(words))
    monkeypatch.setattr(delivery, "send_mail", lambda _server, _address, words, *_: sent.append(words))
    unit = people.unit_of(bridge, "dora")
    with bridge.app_state.database.writing() as connection:
        connection.execute(update(tables.people).values(email="dora@example.org"))
        target = "" if via is Via.EMAIL else f"{10**17} {'token' * 12}"
        add_subscription(connection, find_person(connection, "dora"), AlertKind.FAULT, via, target)
    alarm = Alarm(
        bridge.app_state.database, bridge.clock, Means("mailto://mail.example", "https://example.org/chargers")
    )
    alarm.notice()
    Journal(unit, "home-1").raised("relay_welded")
    bridge.until(lambda: notice_and_send(alarm) or sent, "sent")
    assert sent[0].split("\n\n")[1] == "https://example.org/chargers/charge-points/home-1"


@pytest.mark.parametrize(
    ("url", "prefix"), [("https://example.org", "__Host-"), ("https://example.org/c", "__Secure-")]
)
def test_a_cookie_that_a_neighbour_of_the_domain_has_planted_is_none_of_ours(
    bridge: Bridge, url: str, prefix: str
) -> None:
    set_address(bridge, url)
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    answer = log_in(TestClient(bridge.client.app, base_url=url), url, "dora")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    (session,) = [one for one in answer.headers.get_list("set-cookie") if "chargekeeper_session" in one]
    name, _, value = session.split(";")[0].partition("=")
    assert name == f"{prefix}chargekeeper_session"
    for sent, status in (
        (f"{name}={value}", 200),
        (f"chargekeeper_session={value}", 303),
        (f"other=1; {name}={value}", 200),
    ):
        client = TestClient(bridge.client.app, base_url=url, follow_redirects=False)
        assert client.get(f"{url}/account", headers={"Cookie": sent}).status_code == status, sent


def test_without_tls_there_is_neither_prefix_nor_a_promise_of_tls(bridge: Bridge) -> None:
    answer = bridge.stranger().get("/login")
    assert "Strict-Transport-Security" not in answer.headers
    assert answer.headers["set-cookie"].startswith("chargekeeper_login=")
