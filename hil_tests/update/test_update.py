"""Does a unit take a signed release over its modem, run it, and go back from one that does not do?"""

import asyncio
from pathlib import Path

from hil_tests.link_life.life import QUICK
from hil_tests.update.life import Life
from hil_tests.update.release import make

INSTALLED_WITHIN_S = 240
BACK_WITHIN_S = 120
CRASHES = "raise RuntimeError('a mistake of the maker')\n"


def test_a_release_is_taken_runs_and_charges(tmp_path: Path) -> None:
    async def story() -> None:
        release = make(tmp_path, "100.4.0")
        async with Life(tmp_path / "unit") as life:
            life.unit.world.latencies = QUICK
            await life.introduce()
            await life.order(release)
            await life.told("installed", "trial", within_s=INSTALLED_WITHIN_S)
            assert [result["ok"] for result in life.results] == [True]
            now = await life.status("update")
            assert (now["version"], now["slot"], now["state"], now["before"]) == ("100.4.0", "a", "trial", "built_in")
            assert [said["v"] for kind, said in life.events if kind == "boot"][-1] == "100.4.0"

            async def tells_its_version() -> bool:
                return any(said.get("v") == "100.4.0" for said in life.heartbeats)

            await life.until(tells_its_version, 30)
            assert life.sent_bytes < 1.15 * (len(release.image) + len(release.manifest))

    asyncio.run(story())


def test_a_release_that_crashes_at_its_start_is_gone_back_from(tmp_path: Path) -> None:
    async def story() -> None:
        release = make(tmp_path, "100.4.0", app=CRASHES)
        async with Life(tmp_path / "unit") as life:
            life.unit.world.latencies = QUICK
            await life.introduce()
            await life.order(release)
            await life.told("installed", "trial", "rolled_back", within_s=INSTALLED_WITHIN_S + BACK_WITHIN_S)
            assert [said["w"] for _, said in life.events if said.get("r") == "rolled_back"] == ["panic"]
            now = await life.status("update")
            assert (now["slot"], now["state"]) == ("built_in", "settled")

    asyncio.run(story())
