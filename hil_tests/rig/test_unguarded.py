"""Does a board without a hardware guard never erase its flash while the contactor is closed, and store again once it is
open?

The whole firmware runs on the virtual board with and without its guard. The port reports each erase, because it stalls
in it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.unit import Unit

WITHIN_S = 90  # so that a test that hangs ends
LOOK_S = 0.02
SETTINGS = 90  # stored during the charge and again after it: far more than a block of the flash holds


class Erases(NamedTuple):
    """How often the flash was erased while settings were stored, and how often storing was refused.

    `bench guard` measures that no erase interrupts a charge.
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
    """Store settings; return the number of erases meanwhile, and the number of refusals."""
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
            while "contactor open" not in await unit.ask("status", WITHIN_S):  # until the firmware has seen it
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
