"""People with browsers, for tests of pages."""

import re
from typing import Any

from httpx2 import Response  # of Starlette's test client
from starlette.testclient import TestClient

from cloud_bridge.store.access import Role
from cloud_bridge.store.claims import assign, claim
from cloud_bridge.store.people import find_person
from tests.cloud_bridge.authenticator import pass_second_factor
from tests.cloud_bridge.running import Bridge, Unit

PASSWORD = "correct horse"


class Visitor:
    """A person who is logged in. With a role, the person is added first."""

    def __init__(self, bridge: Bridge, name: str, role: Role | None = None) -> None:
        if role is not None:
            bridge.add_person(name, PASSWORD, role)
        self.name = name
        self.client: TestClient = bridge.stranger()
        pass_second_factor(self.client, self.post("/login", name=name, password=PASSWORD), name)

    def get(self, path: str) -> str:
        """Return the HTML of a page. Fails if it does not exist."""
        response = self.client.get(path)
        assert response.status_code == 200, response.text
        return response.text

    def read(self, path: str) -> str:
        return text_of(self.get(path))

    def post(self, path: str, form_on: str | None = None, **fields: Any) -> Response:
        """Fill in and send the form for `path` on the page `form_on`; follow redirects."""
        html = self.client.get(form_on or path).text
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))
        return self.client.post(path, data=hidden | fields)


class Stranger(Visitor):
    """A person who is not logged in yet."""

    def __init__(self, bridge: Bridge) -> None:
        self.name = ""
        self.client = bridge.stranger()


def text_of(html: str) -> str:
    """Return the visible text, with spaces collapsed."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def give(bridge: Bridge, code: str, owner: str) -> None:
    """Claim the unit with this claim code for the owner."""
    with bridge.app_state.database.writing() as connection:
        claim(connection, find_person(connection, owner), code, bridge.clock.now_ms())


def unit_of(bridge: Bridge, driver: str) -> Unit:
    """Add a driver with the charge point home-1; return it connected."""
    new = bridge.add_unit("home-1")
    bridge.add_person(driver, PASSWORD, Role.DRIVER)
    give(bridge, new.claim_code, driver)
    return Unit(bridge, "home-1", new.secret).connect()


def entrust(bridge: Bridge, unit_id: str, installer: str) -> None:
    with bridge.app_state.database.writing() as connection:
        assign(connection, unit_id, find_person(connection, installer), bridge.clock.now_ms())
