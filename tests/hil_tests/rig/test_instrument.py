"""Is a reading unchanged after the instrument's lines, and is every line documented in bench.md?"""

from pathlib import Path

import pytest

from hil_tests.rig import bench, instrument
from hil_tests.rig.contract import Reading, VehicleReading

PAGE = Path(bench.__file__).with_name("bench.md").read_text()
BUSY = Reading(
    led=(0, 200, 7),
    contactor=True,
    pilot_mv=(6000, -12000),
    duty_percent=53.333,
    power_w=7360,
    rail=True,
    vehicle=VehicleReading(True, True, 31.998),
    faults=("diode", "rcd_ac"),
    tamper=True,
)


@pytest.mark.parametrize("reading", [Reading(), Reading(mains=False), BUSY])
def test_is_what_was_written_read(reading: Reading) -> None:
    """All of it?"""
    assert instrument.read(instrument.written(reading)) == reading


def test_is_an_instrument_with_little_to_say_enough() -> None:
    """What it leaves out stays as the contract has it, what we do not know is passed over?"""
    assert instrument.read(["pilot_mv 12000 12000", "humidity 40"]) == Reading(pilot_mv=(12000, 12000))


@pytest.mark.parametrize(
    "line", ["contactor perhaps", "pilot_mv 12000", "light 0 255 green", "power_w", "duty_percent -"]
)
def test_is_nonsense_noticed(line: str) -> None:
    """By name, and not taken for a dead unit?"""
    with pytest.raises(instrument.Misunderstood, match=line.split()[0]):
        instrument.read([line])


def test_is_every_line_written_down() -> None:
    """In bench.md, for whoever builds one?"""
    assert [name for name in instrument.READ if f"`{name} " not in PAGE] == []
