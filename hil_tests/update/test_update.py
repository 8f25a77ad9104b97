"""Does a unit take a signed release over its modem, run it, and go back from one that does not do?"""

import asyncio
from pathlib import Path

import pytest

from hil_tests.link_life.life import QUICK
from hil_tests.update.life import Life
from hil_tests.update.release import make

INSTALLED_WITHIN_S = 240
BACK_WITHIN_S = 120
CHARGING_WITHIN_S = 30  # a promise of hil_tests/scenarios is 5; here nothing is lost by a busy machine
CRASHES = "raise RuntimeError('a mistake of the maker')\n"
CRASHES_LATER = """
class Supervisor:
    def __init__(self, board, exchange):
        self._steps = 0

    def step(self, now_ms):
        self._steps += 1
        if self._steps > 150:
            raise RuntimeError("a mistake of the maker")
"""  # in the control loop, after three seconds


def bend_a_bit(flash: Path, before: bytes) -> None:
    """Of what stands on the chip soon after these bytes, wherever they do."""
    content = bytearray(flash.read_bytes())
    at = content.find(before)
    assert at > 0
    while at > 0:
        content[at + len(before) + 40] ^= 1
        at = content.find(before, at + 1)
    flash.write_bytes(content)


def test_a_release_is_taken_and_runs_until_a_bit_of_it_is_changed(tmp_path: Path) -> None:
    """Then what was flashed runs, charges and tells. [S1-3b] [S1-3c]"""

    async def story() -> None:
        release = make(tmp_path, "100.4.0")
        async with Life(tmp_path / "unit") as life:

            async def charges() -> bool:
                return life.unit.reading().contactor

            life.unit.world.latencies = QUICK
            await life.introduce()
            await life.order(release)
            await life.told("installed", "trial", within_s=INSTALLED_WITHIN_S)
            assert [result["ok"] for result in life.results] == [True]
            now = await life.status("update")
            assert (now["version"], now["slot"], now["state"], now["before"]) == ("100.4.0", "a", "trial", "built_in")

            async def tells_its_version() -> bool:
                boots = [said["v"] for kind, said in life.events if kind == "boot"]
                return boots[-1] == "100.4.0" and any(said.get("v") == "100.4.0" for said in life.heartbeats)

            await life.until(tells_its_version, 30)
            assert life.sent_bytes < 1.15 * (len(release.image) + len(release.manifest))
            life.unit.plug()
            await life.until(charges, CHARGING_WITHIN_S)
            life.unit.mains(False)
            await asyncio.sleep(1)
            bend_a_bit(tmp_path / "unit" / "flash.bin", b"firmware/link/uplink.mpy")
            life.unit.mains(True)
            await life.until(charges, CHARGING_WITHIN_S)
            await life.told("installed", "trial", "corrupt", within_s=BACK_WITHIN_S)
            assert (await life.status("update"))["slot"] == "built_in"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("module", "source", "why"),
    [("app", CRASHES, "panic"), ("supervisor", CRASHES_LATER, "reset")],
    ids=["start", "later"],
)
def test_a_release_that_crashes_is_gone_back_from(tmp_path: Path, module: str, source: str, why: str) -> None:
    async def story() -> None:
        release = make(tmp_path, "100.4.0", **{module: source})
        async with Life(tmp_path / "unit") as life:
            life.unit.world.latencies = QUICK
            await life.introduce()
            await life.order(release)
            await life.told("installed", "trial", "rolled_back", within_s=INSTALLED_WITHIN_S + BACK_WITHIN_S)
            assert [said["w"] for _, said in life.events if said.get("r") == "rolled_back"] == [why]
            now = await life.status("update")
            assert (now["slot"], now["state"]) == ("built_in", "settled")

    asyncio.run(story())
