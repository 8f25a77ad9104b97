"""Disturb the links of five units to the cloud: `python -m hil_tests.link_life --faults 1000`.

Firmware, bridge, broker and store are real; modems and networks are those of the rig, and the mobile network answers
faster than in reality. At the end the database must hold every session, every opening and every boot exactly once, and
no unit may have run out of memory. The same seed gives the same disturbances in the same order.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from hil_tests.fixtures.progress import bar
from hil_tests.link_life.cloud import Cloud
from hil_tests.link_life.life import Life

UNITS = 5  # as many as two cores carry
MINUTES = 24.0  # a day, with heartbeats sixty times as often


async def live(lives: list[Life], cloud: Cloud, faults: int, minutes: float) -> list[str]:
    """Cause `faults` disturbances in total, at random moments within `minutes`. Return what is wrong."""
    each = -(-faults // len(lives))
    await cloud.bridge.start()
    try:
        await asyncio.gather(*(life.begin() for life in lives))
        await asyncio.gather(*(life.suffer(each, minutes) for life in lives))
        wrong = await asyncio.gather(*(life.settle() for life in lives))
    finally:
        await asyncio.gather(*(life.end() for life in lives))
        await cloud.bridge.stop()
    return [f"{life.unit_id}: {what}" for life, found in zip(lives, wrong, strict=True) for what in found]


def make(folder: Path, seed: int, units: int = UNITS) -> tuple[list[Life], Cloud]:
    """Create the units and their cloud. With several units, the first keeps its mains."""
    cloud = Cloud(folder / "cloud")
    lives = [
        Life(folder / str(number), cloud, f"CK-LIFE-{number}", seed + number, spared=number == 0 and units > 1)
        for number in range(units)
    ]
    return lives, cloud


def _report(lives: list[Life], wrong: list[str]) -> None:
    faults = sum((life.told.faults for life in lives), Counter[str]())
    print(f"{faults.total()} faults: {', '.join(f'{count} {name}' for name, count in sorted(faults.items()))}")
    sessions, openings = sum(life.told.sessions for life in lives), sum(life.told.openings for life in lives)
    crashes = sum(life.told.crashes for life in lives)
    port_crashes = sum(life.told.port_crashes for life in lives)
    print(
        f"{sessions} sessions and {openings} openings; {crashes} crashes, and {port_crashes} of MicroPython's unix port"
    )
    floors = [life.told.heap_floor for life in lives if life.told.heap_floor is not None]
    blocks = [life.told.heap_block for life in lives if life.told.heap_block is not None]
    if floors and blocks:
        print(f"memory of the units, after a collection: at least {min(floors)} bytes, in a piece of {min(blocks)}")
    print("\n".join(wrong) or "every record is in the database exactly once")


def main() -> int:
    """Run the command line. Return 1 if a record was lost or doubled, or a unit ran out of memory."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.link_life")
    parser.add_argument("--faults", type=int, default=1000, help="number of disturbances, all units together")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="minutes over which they are spread at random")
    parser.add_argument("--units", type=int, default=UNITS)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)

    async def run(folder: Path) -> tuple[list[Life], list[str]]:
        lives, cloud = make(folder, options.seed, options.units)
        with bar("faults", options.faults, lambda: sum(life.told.faults.total() for life in lives)):
            return lives, await live(lives, cloud, options.faults, options.minutes)

    with tempfile.TemporaryDirectory() as folder:
        lives, wrong = asyncio.run(run(Path(folder)))
    for life in lives:
        if any(what.startswith(life.unit_id) for what in wrong):
            print(life.unit.full_log())
    _report(lives, wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
