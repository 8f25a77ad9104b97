"""The bridge's process with its OCPP doors and registered chargers."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hil_tests.fixtures.cloud_fixture import API_TOKEN, CloudFixture
from hil_tests.fixtures.ports import free_ports
from hil_tests.sim.ocpp_charger import Manners, OcppCharger

WITHIN_S = 60.0


class OcppBridge:
    """One bridge for all tests of a module, because the start takes longer than the tests. `identities` are its chargers."""

    def __init__(self, folder: Path, identities: list[str]) -> None:
        self.port, self.tls_port = free_ports(2)
        ports = {"CHARGEKEEPER_OCPP_PORT": str(self.port), "CHARGEKEEPER_OCPPS_PORT": str(self.tls_port)}
        self.cloud = CloudFixture(folder, environment=ports, tls=True)
        self.cloud.start()
        added = self.cloud.commands(*(["unit", "add", one, "--ocpp"] for one in identities))
        self.keys = {str(one["user"]): str(one["secret"]) for one in added}
        self.unit_ids = {str(one["user"]): str(one["id"]) for one in added}

    def charger(self, unit_id: str, manners: Manners | None = None) -> OcppCharger:
        return OcppCharger(self.port, unit_id, self.keys[unit_id], manners)

    async def get(self, path: str) -> Any:
        return await asyncio.to_thread(self.cloud.get, path)

    async def read(self, unit_id: str) -> Any:
        return await self.get(f"/api/charge-points/{unit_id}")

    async def until(self, path: str, condition: Callable[[Any], object]) -> Any:
        """Read `path` until the condition holds, and return the last answer."""
        return await asyncio.to_thread(self._until, path, condition)

    async def kill(self) -> None:
        await asyncio.to_thread(self.cloud.kill_bridge)

    async def start_again(self) -> None:
        await asyncio.to_thread(self.cloud.start_bridge)

    def order(self, unit_id: str, **wanted: Any) -> str:
        """Send a command; return the path of its state."""
        headers = {"Authorization": f"Bearer {API_TOKEN}", "Content-Type": "application/json"}
        url = f"{self.cloud.address}/api/charge-points/{unit_id}/commands"
        request = urllib.request.Request(url, json.dumps(wanted).encode(), headers)
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
            return str(answer.headers["Location"])

    def _until(self, path: str, condition: Callable[[Any], object]) -> Any:
        give_up_s = time.monotonic() + WITHIN_S
        while not condition(told := self.cloud.get(path)):
            assert time.monotonic() < give_up_s, told
            time.sleep(0.05)
        return told
