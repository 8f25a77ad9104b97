"""A home for each test: the cloud with its MQTT door, a driver's token, and the real Home Assistant, if it is built."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.fixtures.cloud_fixture import CloudFixture, UnitSecret
from hil_tests.fixtures.ports import free_ports
from hil_tests.home_assistant.environment import FOLLOWED, LOCK, VENV
from hil_tests.home_assistant.program import HomeAssistant


class Home:
    """Dora's home. The unit `one` is hers, and `two` has no owner."""

    def __init__(self, folder: Path) -> None:
        self.port, own = free_ports(2)
        self.cloud = CloudFixture(folder / "cloud", environment={"CHARGEKEEPER_HOME_PORT": str(self.port)})
        self.home = HomeAssistant(VENV, folder / "home", own)
        self.units: dict[str, UnitSecret] = {}
        self.codes: dict[str, str] = {}

    def open(self) -> None:
        self.cloud.folder.mkdir()
        names = ("one", "two")
        adding = [["unit", "add", name] for name in names]
        made = self.cloud.commands(*adding, ["user", "add", "dora", "--role", "driver"])
        for name, unit in zip(names, made[:2], strict=True):
            self.units[name], self.codes[name] = (name, unit["secret"]), unit["claim_code"]
        token = ["token", "add", "--user", "dora", "--scope", "read", "--scope", "command"]
        _, told = self.cloud.commands(["unit", "claim", self.codes["one"], "dora"], token)
        self.token: str = told["token"]
        self.cloud.start()

    def claim(self, unit_id: str) -> None:
        self.cloud.command("unit", "claim", self.codes[unit_id], "dora")

    def entities(self) -> set[str]:
        """Return the unique ids of the charge points' entities in its registry."""
        return {one["unique_id"] for one in self.home.ask("config/entity_registry/list") if one["platform"] == "mqtt"}

    def state(self, entity_id: str) -> str:
        """Return the state of an entity, or "" if it does not exist."""
        return str(self.home.states().get(entity_id, {"state": ""})["state"])

    def until(self, entity_id: str, state: str) -> None:
        self.home.until(lambda: self.state(entity_id) == state, f"{entity_id} was never {state!r}")


@pytest.fixture
def dora(tmp_path: Path) -> Iterator[Home]:
    if not FOLLOWED.exists() or FOLLOWED.read_bytes() != LOCK.read_bytes():
        pytest.skip("Home Assistant is not built: make home-assistant")
    home = Home(tmp_path)
    try:
        home.open()
        home.home.start()
        yield home
    finally:
        home.home.stop()
        home.cloud.stop()
