"""Does whoever went wrong read what happened, and find the way back?"""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from cloud_bridge.store.access import Role
from cloud_bridge.web import fleet
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge

TOO_LARGE = 2**63  # for any row of any database


@pytest.fixture
def olga(bridge: Bridge) -> Iterator[Visitor]:
    yield Visitor(bridge, "olga", Role.OPERATOR)


@pytest.mark.parametrize(
    "path",
    [f"/jobs/{TOO_LARGE}", f"/support/{TOO_LARGE}", f"/account/vehicles/{TOO_LARGE}", "/jobs/0", "/fleet?by=size"],
)
def test_is_an_address_that_no_page_leads_to_answered_with_a_page(olga: Visitor, path: str) -> None:
    answer = olga.client.get(path)
    assert answer.status_code == 404
    assert "Not here" in answer.text


def test_does_a_refused_form_lead_back_to_where_it_stands(olga: Visitor) -> None:
    """A claim code that is none, from the page where it was typed; from elsewhere, the start."""
    page = str(olga.client.base_url) + "/account/units"
    olga.client.headers["Referer"] = page
    assert '<a href="/account/units">Back</a>' in olga.post("/account/units", code="7K4M").text
    for elsewhere in ("https://example.org/account", ""):
        olga.client.headers["Referer"] = elsewhere
        assert '<a href="/">Back to the start</a>' in olga.post("/account/units", code="7K4M").text


def test_is_our_own_mistake_a_page_too(olga: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(fleet, "page_of", broken)
    browser = TestClient(olga.client.app, raise_server_exceptions=False, cookies=olga.client.cookies)
    answer = browser.get("/fleet")
    assert answer.status_code == 500
    assert "It is our fault, not yours" in answer.text
