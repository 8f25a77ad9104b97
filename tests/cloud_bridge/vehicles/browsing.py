"""Ann's browser, and a bridge with a car maker."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import update
from starlette.testclient import TestClient

from cloud_bridge.store.access import Role
from cloud_bridge.store.tables import units
from cloud_bridge.vehicles.accounts import Accounts
from cloud_bridge.vehicles.providers.catalogue import Catalogue
from cloud_bridge.vehicles.providers.provider import ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.tokens.grants import Grants
from cloud_bridge.vehicles.tokens.keys import KeyFile
from cloud_bridge.vehicles.tokens.vault import Vault
from cloud_bridge.web.app import create_app
from tests.cloud_bridge.running import Bridge, Unit
from tests.cloud_bridge.vehicles.acting import Door, Maker
from tests.cloud_bridge.web.test_pages import form_token_in, log_in

PASSWORD = "correct horse"


@dataclass
class Driver:
    """Ann, logged in, and her car's maker."""

    bridge: Bridge
    app: Any
    client: TestClient
    maker: Maker

    def post(self, path: str, **data: str | list[str]) -> Any:
        form = form_token_in(self.client.get("/account/vehicles/connect").text)
        return self.client.post(path, data=data | {"form": form}, follow_redirects=False)

    def leave(self, path: str = "/account/vehicles/connect") -> str:
        """Press Continue; return the state in the URL of the maker's page."""
        html = self.post(path, provider="maker").text
        url = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', html)
        assert url, html
        return dict(parse_qsl(urlsplit(url[1].replace("&amp;", "&")).query))["state"]

    def come_back(self, **answer: str) -> Any:
        return self.client.get("/vehicles/return/maker", params=answer, follow_redirects=False)

    def link(self) -> None:
        assert self.come_back(state=self.leave(), code="c").status_code == 303

    def trouble(self, trouble: Trouble, advice: str = "") -> None:
        self.maker.trouble["read"] = ProviderError(trouble, advice=advice)
        self.post("/account/vehicles/1/refresh")

    def own_unit(self) -> Unit:
        """Her charge point, which is online."""
        new = self.bridge.add_unit("home-1")
        with self.bridge.app_state.database.writing() as connection:
            connection.execute(update(units).values(owner_id=1))
        return Unit(self.bridge, "home-1", new.secret).connect()


@contextmanager
def browser(bridge: Bridge) -> Iterator[Driver]:
    app_state, maker = bridge.app_state, Maker()
    catalogue, vault = Catalogue("https://app.example", {"maker": maker}), Vault(KeyFile(app_state.settings.folder))
    grants = Grants(vault, Door(app_state.database, vault, catalogue, bridge.clock))
    accounts = Accounts(app_state.database, app_state.accounts.clocks, catalogue, grants)
    app = create_app(replace(app_state, accounts=accounts))
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    client = TestClient(app)
    assert log_in(client) == 303
    yield Driver(bridge, app, client, maker)
