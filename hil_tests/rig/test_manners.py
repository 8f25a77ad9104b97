"""Do units with the manners of a real port charge, and does their port have those manners?"""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from hil_tests.rig.console import ConsoleSilent
from hil_tests.rig.unit import Unit

SOON_S = 60
SEED = 14
FLASH_BYTES = 1 << 20
FLASHES: dict[str, Callable[[], bytes]] = {
    "erased": lambda: b"\xff" * FLASH_BYTES,
    "noise": lambda: random.Random(SEED).randbytes(FLASH_BYTES),
    "zeroes": lambda: bytes(FLASH_BYTES),
}


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def _charge(unit: Unit) -> None:
    await unit.start()
    try:
        unit.plug()
        await _until(lambda: unit.board.contact_closed)
        await _until(lambda: bool(unit.test_bench.status))
    finally:
        await unit.stop()


@pytest.mark.parametrize("flash", sorted(FLASHES))
def test_a_unit_whose_file_system_is_gone_charges(tmp_path: Path, flash: str) -> None:
    (tmp_path / "flash.bin").write_bytes(FLASHES[flash]())
    unit = Unit(tmp_path)
    asyncio.run(_charge(unit))


def test_an_erase_of_the_flash_stalls_the_port_and_the_charge_goes_on(tmp_path: Path) -> None:
    """The first start formats the flash, which erases it."""
    unit = Unit(tmp_path, manners=("stalls",))
    asyncio.run(_charge(unit))
    assert unit._processor.stalls["erase"] > 0, unit.full_log()


async def _say_a_long_line(unit: Unit) -> int:
    await unit.start()
    try:
        await _until(lambda: bool(unit.test_bench.status))
        unit.freeze()
        for _ in range(4):  # together more than the console's ring buffer holds
            with pytest.raises(ConsoleSilent):
                await unit.ask("help " + "x" * 120, within_s=0.3)
        unit.thaw()
        await _until(lambda: bool(unit.test_bench.status))
        return unit.console_bytes_lost
    finally:
        await unit.stop()


def test_a_console_that_is_not_read_loses_bytes_and_answers_again(tmp_path: Path) -> None:
    unit = Unit(tmp_path, manners=("console_ring",))
    assert asyncio.run(_say_a_long_line(unit)) > 100
    assert unit.test_bench.losses.unanswered >= 4, unit.console_losses()
