"""Is a second run with the same data folder refused, with what to do?"""

from pathlib import Path

import pytest

from hil_tests.demo.folder_lock import NAME, sole_run
from hil_tests.rig.preconditions import SettingError

DASHBOARD = "http://127.0.0.1:8080"


def test_the_second_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    """With its dashboard, and the settings that would let both run?"""
    with sole_run(tmp_path, DASHBOARD), pytest.raises(SettingError, match=DASHBOARD) as refused:
        sole_run(tmp_path, "http://127.0.0.1:9000").__enter__()
    assert "CHARGEKEEPER_DATA" in str(refused.value) and "CHARGEKEEPER_HTTP_PORT" in str(refused.value)


def test_the_lock_ends_with_its_run(tmp_path: Path) -> None:
    """Whatever its file says?"""
    with sole_run(tmp_path, DASHBOARD):
        pass
    with sole_run(tmp_path, DASHBOARD):
        pass


def test_a_file_that_says_nothing_is_no_hindrance(tmp_path: Path) -> None:
    """Nor for the one that is refused: the holder may not have written it yet?"""
    (tmp_path / NAME).write_text("not json")
    with sole_run(tmp_path, DASHBOARD):
        (tmp_path / NAME).write_text("not json")
        with pytest.raises(SettingError, match="another run uses"):
            sole_run(tmp_path, DASHBOARD).__enter__()
