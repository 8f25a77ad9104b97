"""Chargers at the doors of a cluster, and what the API reports about them."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from hil_tests.fixtures.cloud_fixture import API_TOKEN
from hil_tests.fixtures.ocpp_doors import Given
from hil_tests.sim.ocpp_charger import Manners, OcppCharger

WITHIN_S = 60.0


def charger(given: Given, unit_id: str, door: str) -> OcppCharger:
    return OcppCharger(given.doors.ports[door], unit_id, given.keys[unit_id], Manners(boots=False))


async def told(given: Given, unit_id: str, condition: Callable[[Any], object]) -> Any:
    """Read the charge point from the API until the condition holds, and return it."""
    give_up_s = time.monotonic() + WITHIN_S
    while not condition(said := await asyncio.to_thread(given.cloud.charge_point, unit_id)):
        assert time.monotonic() < give_up_s, (said, given.doors.log("a"), given.doors.log("b"))
        await asyncio.sleep(0.05)
    return said


def order(given: Given, unit_id: str, **wanted: Any) -> None:
    """Send a command. Raises HTTPError if it was not sent."""
    headers = {"Authorization": f"Bearer {API_TOKEN}", "Content-Type": "application/json"}
    url = f"{given.cloud.address}/api/charge-points/{unit_id}/commands"
    request = urllib.request.Request(url, json.dumps(wanted).encode(), headers)
    urllib.request.urlopen(request, timeout=WITHIN_S).close()
