"""Does a board without a hardware guard never erase its flash while the contactor is closed, and store again once it is open?

The whole firmware, on the virtual board with and without its guard; the port tells of each erase, because it stalls in it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit

WITHIN_S = 90  # ends a test that hangs
LOOK_S = 0.02
SETTINGS = 90  # stored in the charge, and again after it: many more than a block of the flash takes


class Erases(NamedTuple):
    """How often the flash was erased while settings were stored, and how often that was refused.

    That no charge is interrupted by it is measured by `bench guard`.
    """

    closed: int
    refused_closed: int
    opened: int
    refused_open: int


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            if condition():
                return
            await asyncio.sleep(LOOK_S)


async def _store(unit: Unit) -> tuple[int, int]:
    """Stores settings; returns how often the flash was erased meanwhile, and how many were refused."""
    before, refused = unit._processor.stalls["erase"], 0
    for number in range(SETTINGS):
        with contextlib.suppress(ConsoleSilent):
            try:
                await unit.ask(f'provision {{"random_delay_max_s": {number}}}', WITHIN_S)
            except ConsoleError:
                refused += 1
    return unit._processor.stalls["erase"] - before, refused


async def _live(unit: Unit) -> Erases:
    await unit.start()
    try:
        await _until(lambda: bool(unit.test_bench.status))
        unit.plug()
        await _until(lambda: unit.board.contact_closed)
        closed = await _store(unit)
        unit.unplug()
        await _until(lambda: not unit.board.contact_closed)
        async with asyncio.timeout(WITHIN_S):
            while "contactor open" not in await unit.ask("status", WITHIN_S):  # the firmware has not seen it yet
                pass
        return Erases(*closed, *await _store(unit))
    finally:
        await unit.stop()


@pytest.mark.parametrize("board", ["virtual", "virtual_unguarded"])
def test_what_erases_with_a_closed_contactor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: str) -> None:
    monkeypatch.setenv("BOARD", board)
    unit = Unit(tmp_path, manners=("stalls",))
    seen = asyncio.run(_live(unit))
    assert seen.opened > 0 and seen.refused_open == 0, (seen, unit.full_log())
    if board == "virtual":
        assert seen.closed > 0 and seen.refused_closed == 0, seen
    else:
        assert seen.closed == 0 and seen.refused_closed > 0, seen
