"""Does a unit install a signed release over its modem and run it, and does it go back from a bad release?"""

import asyncio
import shutil
from pathlib import Path

import pytest

from hil_tests.link_life.life import QUICK
from hil_tests.rig import image
from hil_tests.update.life import Life
from hil_tests.update.release import make

INSTALLED_WITHIN_S = 240
BACK_WITHIN_S = 120
LIVED_S = 600  # firmware/update/trial.py
REFUSES_S = 10
RED = (64, 0, 0)  # steady: a fault that needs a person
LINE = "no slot is whole, and firmware/app.mpy is not that of version 0.1.0; run `make flash` again"
CHARGING_WITHIN_S = 30  # hil_tests/scenarios promises 5; here a busy machine does no harm
CRASHES = "raise RuntimeError('a mistake of the maker')\n"
CRASHES_LATER = """
class Supervisor:
    def __init__(self, board, exchange):
        self._steps = 0

    def step(self, now_ms):
        self._steps += 1
        if self._steps > 150:
            raise RuntimeError("a mistake of the maker")
"""  # it raises in the control loop, after three seconds

HANGS_AFTER_AN_HOUR = {
    "daily_report": """
class DailyReport:
    def __init__(self, clock, exchange, *more):
        self._clock, self._exchange = clock, exchange

    def poll(self):
        self._exchange.hangs = self._clock.now_ms() >= 3600000
""",
    "supervisor": """
class Supervisor:
    def __init__(self, board, exchange):
        self._board, self._exchange = board, exchange

    def step(self, now_ms):
        self._board.feed()
        while getattr(self._exchange, "hangs", False):
            pass
""",
}


def bend_a_bit(chip: Path, before: bytes) -> None:
    """Change a bit soon after every occurrence of these bytes on a chip."""
    content = bytearray(chip.read_bytes())
    at = content.find(before)
    assert at > 0
    while at > 0:
        content[at + len(before) + 40] ^= 1
        at = content.find(before, at + 1)
    chip.write_bytes(content)


def test_a_release_is_taken_and_runs_until_a_bit_of_it_is_changed(tmp_path: Path) -> None:
    """Then the flashed version must run, charge and report, until a bit of that is changed too: the unit must refuse.
    [S1-3b] [S1-3c]"""

    async def story() -> None:
        release = make(tmp_path, "100.4.0")
        flash, flashed = tmp_path / "unit" / "flash.bin", tmp_path / "flashed.romfs"
        shutil.copy(image.build(image.VIRTUAL), flashed)
        async with Life(tmp_path / "unit", image=flashed) as life:

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
            bend_a_bit(flash, b"firmware/link/uplink.mpy")
            life.unit.mains(True)
            await life.until(charges, CHARGING_WITHIN_S)
            await life.told("installed", "trial", "corrupt", within_s=BACK_WITHIN_S)
            assert (await life.status("update"))["slot"] == "built_in"
            await refuses(life, flash, flashed)

    asyncio.run(story())


async def refuses(life: Life, flash: Path, flashed: Path) -> None:
    """Damage everything that the unit could start. Check for safe outputs, a red light, and a line for the person with
    a cable."""
    life.unit.mains(False)
    await asyncio.sleep(1)
    for name in (
        b"app",
        b"link/uplink",
        b"charging/controller",
    ):  # stored again meanwhile; a module may be in two blocks
        bend_a_bit(flash, b"firmware/%s.mpy" % name)
    bend_a_bit(flashed, (image.BUILD / image.VIRTUAL / "firmware" / "app.mpy").read_bytes()[:200])
    heartbeats = len(life.heartbeats)
    life.unit.mains(True)

    async def is_red() -> bool:
        return life.unit.reading().led == RED

    async def says_what_to_do() -> bool:
        console = life.unit.test_bench.console
        return console is not None and LINE in console.remarks

    await life.until(is_red, CHARGING_WITHIN_S)
    await life.until(says_what_to_do, CHARGING_WITHIN_S)
    await asyncio.sleep(REFUSES_S)
    now = life.unit.reading()
    assert (now.led, now.contactor, now.duty_percent, now.vehicle.current_a) == (RED, False, 0, 0)
    assert life.unit.died is None and len(life.heartbeats) == heartbeats


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


def test_a_release_that_hangs_after_an_hour_is_gone_back_from(tmp_path: Path) -> None:
    """Can a unit go back although the release was good before? Its link was proven, and it has run for ten minutes.

    The hours pass at once for the talking thread. The hangs, the resets by the watchdog and all starts are real.
    """

    async def story() -> None:
        release = make(tmp_path, "100.4.0", **HANGS_AFTER_AN_HOUR)
        async with Life(tmp_path / "unit") as life:
            life.unit.world.latencies = QUICK
            await life.introduce()
            await life.order(release)
            await life.told("installed", "trial", within_s=INSTALLED_WITHIN_S)
            life.skip(LIVED_S)
            await life.told("installed", "trial", "good", within_s=BACK_WITHIN_S)
            for hangs in range(3):

                async def runs(starts: int = hangs + 1) -> bool:
                    return [said["v"] for kind, said in life.events if kind == "boot"].count("100.4.0") == starts

                await life.until(runs, BACK_WITHIN_S)
                life.skip(3600)
            await life.told("installed", "trial", "good", "rolled_back", within_s=BACK_WITHIN_S)
            assert [said["w"] for _, said in life.events if said.get("r") == "rolled_back"] == ["reset"]
            now = await life.status("update")
            assert (now["slot"], now["state"]) == ("built_in", "settled")

    asyncio.run(story())
