"""Is a dead interpreter distinguished from a unit that failed?"""

from pathlib import Path

import pytest

from hil_tests.start import stub_unit

DIES = """#!/bin/sh
flash="$4"
deaths="$flash/../deaths"
echo x >> "$deaths"
test "$(wc -l < "$deaths")" -le {deaths} || {{ echo "charged 400 0 91 0"; ls "$flash"; exit 0; }}
echo half > "$flash/half_written"
kill -SEGV $$
"""


def start(folder: Path, deaths: int, monkeypatch: pytest.MonkeyPatch) -> stub_unit.Run:
    interpreter = folder / "interpreter"
    interpreter.write_text(DIES.format(deaths=deaths))
    interpreter.chmod(0o700)
    monkeypatch.setattr(stub_unit, "MICROPYTHON", interpreter)
    return stub_unit.run(folder)


def test_a_start_that_a_signal_ended_is_begun_again_from_the_same_flash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = start(tmp_path, stub_unit.STARTS - 1, monkeypatch)
    assert unit.charged_ms == 400 and "half_written" not in unit.output
    assert capsys.readouterr().out.count("ended by signal 11") == stub_unit.STARTS - 1


def test_one_that_dies_each_time_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = start(tmp_path, stub_unit.STARTS, monkeypatch)
    assert unit.charged_ms is None and "exit code -11" in unit.output
