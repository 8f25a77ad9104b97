"""Does the bridge notice two charge points with one flash image? The real firmware runs on both.

They are switched on together, so their boot counts are equal and their sequence numbers run in parallel: the hardest
case.
"""

import asyncio
import shutil
import time
from pathlib import Path

from hil_tests.link_life.cloud import Cloud
from hil_tests.link_life.life import Life

WITHIN_S = 180.0


def test_two_with_one_flash_image_are_noticed(tmp_path: Path) -> None:
    asyncio.run(_notice(tmp_path))


async def _notice(folder: Path) -> None:
    cloud = Cloud(folder / "cloud")
    await cloud.bridge.start()
    first, copy = (Life(folder / name, cloud, "CK-COPY", seed) for seed, name in enumerate(("first", "copy")))
    try:
        await first.begin()
        await first.until(lambda status: status.get("link") == "proven", WITHIN_S)
        assert not cloud.is_taken_for_two("CK-COPY")
        await first.unit.stop()
        shutil.copytree(folder / "first", folder / "copy", dirs_exist_ok=True)
        await asyncio.gather(first.unit.start(), copy.unit.start())
        begun_s = time.monotonic()
        while not cloud.is_taken_for_two("CK-COPY"):
            assert time.monotonic() < begun_s + WITHIN_S, cloud.told("events", "CK-COPY")
            await asyncio.sleep(0.2)
        print(f"noticed after {time.monotonic() - begun_s:.1f} s")
    finally:
        await asyncio.gather(first.unit.stop(), copy.unit.stop())
        await first.network.outage()
        await cloud.bridge.stop()
