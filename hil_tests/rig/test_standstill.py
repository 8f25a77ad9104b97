"""Does the firmware report a broken charge point when the rig's computer stands still during a charge?"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from hil_tests.rig.unit import Unit

STANDSTILLS = 3
STANDS_STILL_S = 0.5  # longer than a contactor may take to open
SOON_S = 60


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def _stand_still_at_each_unplug(unit: Unit) -> list[str]:
    """Make the rig sleep just as the firmware opens the contactor; return the firmware's faults."""
    await unit.start()
    try:
        await _until(lambda: any(unit.board.outputs.led))
        for _ in range(STANDSTILLS):
            unit.plug()
            await _until(lambda: unit.board.contact_closed)
            unit.unplug()
            await asyncio.sleep(0.015)  # the firmware has seen the unplug
            time.sleep(STANDS_STILL_S)  # noqa: ASYNC251  # nothing else may run meanwhile: that is what is tested
            await _until(lambda: not unit.board.contact_closed)
            await asyncio.sleep(0.5)  # a weld would be reported by now
        return await unit.ask("faults")
    finally:
        await unit.stop()


def test_a_rig_that_stood_still_is_no_welded_contactor(tmp_path: Path) -> None:
    unit = Unit(tmp_path)
    faults = asyncio.run(_stand_still_at_each_unplug(unit))
    assert not faults, unit.full_log()
