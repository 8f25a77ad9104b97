"""Does the firmware stay connected and acknowledged if its broker retains a message larger than a unit reads?

The broker is amqtt's, like any other that a unit may be pointed at. The bridge's own broker would refuse such a
message.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from amqtt.broker import Broker
from amqtt.client import MQTTClient

from hil_tests.fixtures.ports import free_ports
from hil_tests.link_life.life import QUICK
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit
from hil_tests.sim.network import Network

WITHIN_S = 120.0
HEARTBEATS = 6
UNIT_ID = "CK-LARGE"


@contextlib.asynccontextmanager
async def broker() -> AsyncIterator[int]:
    (port,) = free_ports(1)
    settings = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    running = Broker(settings)
    await running.start()
    try:
        yield port
    finally:
        await running.shutdown()


async def status(unit: Unit) -> dict[str, str]:
    try:
        return dict(line.split(maxsplit=1) for line in await unit.ask("status") if " " in line)
    except (ConsoleError, ConsoleSilent):
        return {}  # switched off, or not listening yet


async def live(folder: Path, sizes: list[int]) -> tuple[int, list[bytes]]:
    """Run a unit whose broker retains messages of these sizes for it, in turn. Return (reconnects since the first
    heartbeat, heartbeats).

    The first connection may use the previous settings, whose change ends it.
    """
    async with broker() as port:
        network, unit, cloud = Network("127.0.0.1", port), Unit(folder), MQTTClient()
        unit.world.latencies = QUICK
        try:
            await cloud.connect(f"mqtt://cloud:x@127.0.0.1:{port}/")
            await network.start()
            await cloud.subscribe([(f"cp/{UNIT_ID}/heartbeat", 1)])
            await cloud.publish(f"cp/{UNIT_ID}/command", b"x" * sizes[0], qos=1, retain=True)
            await unit.start()
            begun_s = time.monotonic()
            while not await status(unit):
                assert time.monotonic() < begun_s + WITHIN_S
                await asyncio.sleep(0.2)
            settings = {"id": UNIT_ID, "secret": "any", "broker": "127.0.0.1", "port": network.port, "plain_mqtt": True}
            await unit.ask(f"provision {json.dumps(settings | {'heartbeat_idle_s': 5, 'heartbeat_charging_s': 5})}")
            heard, first = [], 0
            for number in range(HEARTBEATS):
                message = await cloud.deliver_message(WITHIN_S)
                assert message is not None
                first = first or network.connections
                heard.append(bytes(message.data))
                await cloud.publish(
                    f"cp/{UNIT_ID}/command", b"x" * sizes[number % len(sizes)], qos=number % 2, retain=True
                )
            return network.connections - first, heard
        finally:
            await unit.stop()
            await cloud.disconnect()
            await network.outage()


@pytest.mark.timeout(600)
def test_messages_that_are_too_large_are_read_past(tmp_path: Path) -> None:
    """Before this was handled, a 3.7 kB message caused 210 connections in half an hour and no acknowledged heartbeat
    (esphome#5125)."""
    connections, heard = asyncio.run(live(tmp_path, [3700, 2049, 16_384, 65_000]))
    numbers = [json.loads(payload)["n"] for payload in heard]
    assert connections == 0 and numbers == sorted(set(numbers)), (connections, heard)
