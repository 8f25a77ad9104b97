"""Does a virtual unit without mains also cut its modem's supply?"""

import asyncio
from pathlib import Path

from hil_tests.rig.unit import Unit

SOON_S = 60


async def _until_modem_runs(unit: Unit, runs: bool) -> None:
    async with asyncio.timeout(SOON_S):
        while True:
            if unit.modem.running == runs:
                return
            await asyncio.sleep(0.01)


async def _cut(unit: Unit) -> None:
    await unit.start()
    try:
        await _until_modem_runs(unit, True)
        unit.mains(False)
        await _until_modem_runs(unit, False)
    finally:
        await unit.stop()


def test_a_mains_cut_takes_the_modem_s_supply(tmp_path: Path) -> None:
    """Otherwise the pulse at the next start would switch the modem off: PWRKEY toggles."""
    asyncio.run(_cut(Unit(tmp_path)))
