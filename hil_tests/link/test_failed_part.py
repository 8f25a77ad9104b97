"""Does every heartbeat, from the first on, report a part of the firmware that could not be created?"""

import asyncio
import json
from pathlib import Path
from typing import Any

from hil_tests.link_life.cloud import Cloud
from hil_tests.link_life.life import QUICK
from hil_tests.rig.manners import HEAP
from hil_tests.rig.processor import Program
from hil_tests.rig.unit import Unit

FAILING = Program(str(Path(__file__).with_name("failing_part_on_micropython")), HEAP)
WITHIN_S = 120  # so that a test that hangs ends
LOOK_S = 0.1


async def told(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the heartbeats and the events of a unit at its first contact."""
    cloud, unit = Cloud(folder / "cloud"), Unit(folder / "unit", program=FAILING)
    unit.world.latencies = QUICK
    await cloud.bridge.start()
    try:
        made = await cloud.bridge.command("unit", "add", "CK-1")
        await unit.start()
        await unit.answers(WITHIN_S)
        wanted = {"id": "CK-1", "secret": made["secret"], "broker": "127.0.0.1", "port": cloud.bridge.mqtts_port}
        for words in (*cloud.bridge.authority_words(), f"provision {json.dumps(wanted)}"):
            await unit.ask(words)
        async with asyncio.timeout(WITHIN_S):
            while not (cloud.told("heartbeats", "CK-1") and cloud.told("events", "CK-1")):  # noqa: ASYNC110  # another process
                await asyncio.sleep(LOOK_S)
        return cloud.told("heartbeats", "CK-1"), cloud.told("events", "CK-1")
    finally:
        await unit.stop()
        await cloud.bridge.stop()


def test_a_part_that_could_not_be_made_is_counted_in_each_heartbeat(tmp_path: Path) -> None:
    heartbeats, events = asyncio.run(told(tmp_path))
    assert [heartbeat["p"] for heartbeat in heartbeats] == [1] * len(heartbeats)
    assert [event["d"]["failed"] for event in events if event["k"] == "boot"] == [
        "daily_report: RuntimeError('made to fail',)"
    ]
