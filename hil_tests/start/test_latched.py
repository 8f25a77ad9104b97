"""Does a latched fault survive every reset except a loss of the mains, and does a unit in a reset loop fall back?"""

import json
import zlib
from pathlib import Path

import pytest

from hil_tests.start.stub_unit import run

LATCHED = {"total_wh": 5, "sessions": 1, "latched": ["rcd_ac"]}


def keep(folder: Path, name: str, value: object) -> None:
    """Write a file in the format of storage/record_file.py."""
    text = json.dumps(value).encode()
    (folder / "flash").mkdir(exist_ok=True)
    (folder / "flash" / name).write_bytes(b"%08x " % zlib.crc32(text) + text)


@pytest.mark.parametrize("cause", ["brown_out", "watchdog", "soft"])
def test_a_latched_fault_outlives_a_reset(tmp_path: Path, cause: str) -> None:
    keep(tmp_path, "checkpoint", LATCHED)
    unit = run(tmp_path, cause=cause)
    assert unit.charged_ms is None and "never charged, led" in unit.output
    red, green, blue = unit.output.split("never charged, led ")[1].split()[:3]
    assert int(red) > 0 and green == blue == "0"


@pytest.mark.parametrize("sabotage", ["", "firmware.storage.checkpoint.Checkpoint"])
def test_a_fault_that_did_not_reach_the_flash_outlives_a_brown_out(tmp_path: Path, sabotage: str) -> None:
    (tmp_path / "flash.rtc").write_text("rcd_dc")
    unit = run(tmp_path, sabotage, cause="brown_out")
    assert unit.charged_ms is None and "never charged, led" in unit.output


def test_a_fault_that_a_person_cleared_just_before_a_brown_out_stays_cleared(tmp_path: Path) -> None:
    keep(tmp_path, "checkpoint", LATCHED)
    (tmp_path / "flash.rtc").write_text("")
    assert run(tmp_path, cause="brown_out").charged_ms is not None


def test_the_mains_off_and_on_again_clears_it(tmp_path: Path) -> None:
    keep(tmp_path, "checkpoint", LATCHED)
    assert run(tmp_path).charged_ms is not None


def test_the_third_reset_by_the_watchdog_in_a_row_falls_back_to_the_last_good_settings(tmp_path: Path) -> None:
    keep(tmp_path, "boots", [7, 2])
    keep(tmp_path, "settings", {"installer_max_a": 32})
    keep(tmp_path, "settings.good", {"installer_max_a": 10})
    unit = run(tmp_path, cause="watchdog")
    assert "amps 10" in unit.console, unit.output
