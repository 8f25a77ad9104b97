"""Does each defect of a unit show in its measured values, and in no others? bad_units.py runs all defects."""

import asyncio
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from hil_tests.rig import image
from hil_tests.rig.loop import LINKS
from hil_tests.station import measuring
from hil_tests.station.errors import StationTrouble, UnitFailed
from hil_tests.station.fixture import Fixture, Ports
from hil_tests.station.limits import judge, read_limits
from hil_tests.station.virtual import IMAGE, VirtualFixture

STARTS_WITHIN_S = 60
TRIES = 3  # a unit that gets no processor time for a second opens its contactor, and is measured again
LIMITS = read_limits()
AT_REST = (measuring.at_rest,)
FEWER = (measuring.proximity, measuring.charging, measuring.residual_current, measuring.modem)


async def _measured(folder: Path, parts: Sequence[Any], defects: Collection[str]) -> dict[str, float]:
    unit = VirtualFixture(folder, defects, seed=11)
    await unit.start()
    try:
        async with Fixture(Ports(str(folder / LINKS["console"]), str(folder / LINKS["instrument"]))) as fixture:
            assert await fixture.answers(STARTS_WITHIN_S)
            measured: dict[str, float] = {}
            for part in parts:
                measured |= await part(fixture)
            return measured
    finally:
        await unit.stop()
        unit.close()


@pytest.mark.parametrize(
    ("parts", "defects", "out"),
    [
        (
            AT_REST,
            ["weak_pilot", "contactor_welded"],
            {"contactor_open_at_rest", "mirror_open_at_rest", "pilot_a_high_mv"},
        ),
        (
            FEWER,
            ["wrong_meter_constant", "low_csq", "proximity_open", "late_rcd"],
            {"power_error_percent", "csq", "proximity_error_percent", "rcd_trip_ms"},
        ),
    ],
)
def test_each_defect_shows_in_its_own_value(tmp_path: Path, parts: Any, defects: list[str], out: set[str]) -> None:
    for attempt in range(TRIES):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        shutil.copyfile(image.build(), folder / IMAGE)
        measured = asyncio.run(_measured(folder, parts, defects))
        found = {name for name, value in measured.items() if judge(LIMITS, {name: value})}
        if found == out:
            break
    assert found == out, measured


@pytest.mark.parametrize(("trouble", "told"), [("lid_open", "shut it"), ("over_range", "check its probe on the pilot")])
def test_a_fixture_in_trouble_says_nothing_about_the_unit(tmp_path: Path, trouble: str, told: str) -> None:
    async def story() -> None:
        unit = VirtualFixture(tmp_path, troubles=[trouble])
        await unit.start()
        try:
            async with Fixture(Ports(str(tmp_path / LINKS["console"]), str(tmp_path / LINKS["instrument"]))) as fixture:
                await fixture.look()
        finally:
            await unit.stop()
            unit.close()

    with pytest.raises(StationTrouble, match=told):
        asyncio.run(story())


class Answers:
    """A unit's console with a fixed answer for each command."""

    def __init__(self, **said: dict[str, str]) -> None:
        self._said = said

    async def ask_unit(self, command: str) -> dict[str, str]:
        return self._said[command]


def test_a_modem_without_a_sim_is_told_at_once() -> None:
    unit: Any = Answers(csq={"csq": "99"}, status={"trouble": "SIM: NOT INSERTED"})
    measured = asyncio.run(measuring.modem(unit))
    assert str(judge(LIMITS, measured)).startswith("sim_ready failed: the modem finds no SIM")


def test_a_unit_that_offers_nothing_says_which_faults_it_has() -> None:
    class Off(Answers):
        async def ask_instrument(self, _: str) -> list[str]:
            return []

        async def until(self, *_: object) -> bool:
            return False

    unit: Any = Off(status={"faults": "meter"})
    with pytest.raises(UnitFailed, match="faults: meter"):
        asyncio.run(measuring.pilot_with_a_vehicle(unit))
