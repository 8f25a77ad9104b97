"""Is /docs available to those who may read the description, from our own files, and are its scripts on no other page?"""

import gzip
from dataclasses import replace
from typing import Any

import pytest

from cloud_bridge.errors import SettingError
from cloud_bridge.store.access import Role
from cloud_bridge.web import static_files
from cloud_bridge.web.pages.everyone.pwa import KEPT
from cloud_bridge.web.security.security_headers import POLICY
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge

BUNDLE = f"{static_files.PATH}/swagger-ui-bundle.js"


def test_it_is_for_who_is_logged_in(bridge: Bridge) -> None:
    answer = bridge.stranger().get("/docs", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/docs")
    assert BUNDLE in Visitor(bridge, "dora", Role.DRIVER).get("/docs")


def test_no_other_page_loads_what_it_needs_nor_keeps_it(bridge: Bridge) -> None:
    dora = Visitor(bridge, "dora", Role.DRIVER)
    for path in ("/", "/account", "/support", "/offline"):
        html = dora.get(path)
        assert "swagger" not in html and "docs.js" not in html
    assert not [path for path in KEPT if "swagger" in path or "docs" in path], "the shell of a phone is without it"


def test_its_policy_is_that_of_all_pages_but_for_the_signs(bridge: Bridge) -> None:
    dora = Visitor(bridge, "dora", Role.DRIVER)
    assert (
        dora.client.get("/docs").headers["Content-Security-Policy"].replace("img-src 'self' data:", "img-src 'self'")
        == POLICY
    )
    assert dora.client.get("/account").headers["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY


def test_the_bundle_goes_out_zipped_and_whole(bridge: Bridge) -> None:
    whole = static_files.LARGE["swagger-ui-bundle.js"].read_bytes()
    with bridge.stranger().stream("GET", BUNDLE, headers={"Accept-Encoding": "gzip"}) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.headers["Content-Encoding"] == "gzip"
    assert (answer.headers["Vary"], "immutable" in answer.headers["Cache-Control"]) == ("Accept-Encoding", True)
    assert gzip.decompress(sent) == whole
    assert len(sent) < 500_000
    plain = bridge.stranger().get(BUNDLE, headers={"Accept-Encoding": "identity"})
    assert (plain.headers.get("Content-Encoding"), plain.content) == (None, whole)


def test_it_works_below_a_path(bridge: Bridge) -> None:
    app: Any = bridge.client.app
    url = "https://example.org/chargers"
    dora = Visitor(bridge, "dora", Role.DRIVER)
    app.state.bridge = replace(bridge.app_state, settings=replace(bridge.app_state.settings, public_url=url))
    dora.client.cookies.set("__Secure-chargekeeper_session", dora.client.cookies["chargekeeper_session"])
    html = dora.client.get("/chargers/docs").text
    assert f'src="/chargers{BUNDLE}"' in html
    assert 'id="description" href="/chargers/openapi.json"' in html, "where docs.js reads from"


def test_without_npm_s_files_the_bridge_says_what_fetches_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(static_files.LARGE, "swagger-ui.css", static_files.LIBRARIES / "nowhere.css")
    with pytest.raises(SettingError, match=r"swagger-ui.css: `make .venv` fetches"):
        static_files.check()
