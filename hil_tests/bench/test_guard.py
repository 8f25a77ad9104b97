"""Does the guard open the contactor while the firmware is frozen, and let a stall pass? A sample of `bench guard`."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from hil_tests.bench import freezes
from hil_tests.rig.unit import Unit

SEED = 14
SAMPLE = 8
SOON_S = 60


@pytest.mark.parametrize("kind", freezes.KINDS)
def test_no_freeze_is_late_and_no_stall_interrupts(tmp_path: Path, kind: str) -> None:
    found = freezes.run(tmp_path, SEED, kind, SAMPLE)
    assert found.held(), "\n".join([f"seed {SEED}", *found.report(kind)])


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def _stand_still_for_long(unit: Unit) -> tuple[list[str], list[str]]:
    """Freeze the firmware until the guard opens, then let it continue. Return the answers to `faults` and `health` once
    it charges."""
    await unit.start()
    try:
        unit.plug()
        await _until(lambda: unit.board.contact_closed)
        unit.freeze()
        await _until(lambda: not unit.board.contact_closed)
        unit.thaw()
        await _until(lambda: unit.board.outputs.led[0] > 0)
        await _until(lambda: unit.board.contact_closed)
        return await unit.ask("faults"), await unit.ask("health")
    finally:
        await unit.stop()


def test_a_contactor_that_the_guard_opened_is_a_fault_with_a_count_and_charges_again(tmp_path: Path) -> None:
    unit = Unit(tmp_path)
    faults, health = asyncio.run(_stand_still_for_long(unit))
    assert [fault.split()[:5] for fault in faults] == [["guard", "clear", "stop", "count", "1"]], unit.full_log()
    assert "guard_openings 1" in health
