"""Whose pages may be a few seconds old if there is a standby?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection
from starlette.testclient import TestClient

from cloud_bridge.store.access import Role
from cloud_bridge.web.app import create_app
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import TOKEN, Bridge


class Counting:
    """A standby that is always up to date, and counts its queries."""

    def __init__(self, bridge: Bridge) -> None:
        self.asked = 0
        self._database = bridge.app_state.database

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        self.asked += 1
        with self._database.reading() as connection:
            yield connection


@pytest.fixture
def standby(bridge: Bridge) -> Counting:
    """A standby of a bridge whose client has no session."""
    standby = Counting(bridge)
    app = create_app(replace(bridge.app_state, standby=standby))  # type: ignore[arg-type]
    bridge.client = TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"})
    return standby


def test_a_page_asks_the_standby_and_after_a_form_the_primary(bridge: Bridge, standby: Counting) -> None:
    visitor = Visitor(bridge, "ann", Role.DRIVER)  # the login is a form
    visitor.read("/account/details")
    assert standby.asked == 0
    (cookie,) = (one for one in visitor.client.cookies.jar if one.name == "chargekeeper_wrote")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert visitor.client.cookies.pop("chargekeeper_wrote") == "1"
    visitor.read("/account/details")
    assert standby.asked == 1


def test_programs_read_the_primary(bridge: Bridge, standby: Counting) -> None:
    assert bridge.client.get("/api/charge-points").status_code == 200
    assert standby.asked == 0
