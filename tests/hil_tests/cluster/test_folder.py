"""Which process has the folder of a cluster, and is no other process ended for it?"""

import json
import os
from pathlib import Path

import pytest

from hil_tests.cluster.folder import LOCK, kept_secret, sole_run, started, stop, write_environment
from hil_tests.rig.preconditions import SettingError


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with sole_run(tmp_path):
        with pytest.raises(SettingError, match=r"a cluster runs in .* already"), sole_run(tmp_path):
            pass
        said = json.loads((tmp_path / LOCK).read_text())
        assert said == {"pid": os.getpid(), "started": started(os.getpid())}
    with sole_run(tmp_path):
        pass


def test_nobody_is_ended_where_nothing_runs(tmp_path: Path) -> None:
    """Not even a process that now has the pid of an earlier one, such as this test's."""
    assert not stop(tmp_path)
    (tmp_path / LOCK).write_text(json.dumps({"pid": os.getpid(), "started": "1"}))
    assert not stop(tmp_path)


def test_a_process_that_there_is_not_was_never_started() -> None:
    assert started(2**22 + 1) is None


def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    secret = kept_secret(tmp_path)
    assert kept_secret(tmp_path) == secret
    file = write_environment(tmp_path, {"CHARGEKEEPER_DATABASE": f"postgresql://postgres:{secret}@127.0.0.1:1"})
    assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {0o600}
    assert file.read_text() == f"export CHARGEKEEPER_DATABASE='postgresql://postgres:{secret}@127.0.0.1:1'\n"
