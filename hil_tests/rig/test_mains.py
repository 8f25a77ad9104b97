"""Does a virtual unit without mains leave its modem without a supply too?"""

import asyncio
from pathlib import Path

from hil_tests.rig.unit import Unit

MODEM_RUNS_WITHIN_S = 20
RAIL_DEAD_WITHIN_S = 1


async def _runs_and_then_runs_on(unit: Unit) -> bool:
    await unit.start()
    try:
        async with asyncio.timeout(MODEM_RUNS_WITHIN_S):
            while True:
                if unit.modem.running:
                    break
                await asyncio.sleep(0.01)
        unit.mains(False)
        await asyncio.sleep(RAIL_DEAD_WITHIN_S)
        return unit.modem.running
    finally:
        await unit.stop()


def test_a_mains_cut_takes_the_modem_s_supply(tmp_path: Path) -> None:
    """Else the pulse at the next start would switch it off: PWRKEY toggles."""
    assert not asyncio.run(_runs_and_then_runs_on(Unit(tmp_path)))
