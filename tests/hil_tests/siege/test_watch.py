"""Does the siege find each kind of fault in a bridge's log, and none in its other lines?"""

import os
from pathlib import Path

import pytest

from hil_tests.siege.watch import Watch

TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in x\n    x()\nValueError: x'
AT = "2026-11-26 06:36:16,786"


@pytest.mark.parametrize(
    ("written", "faults"),
    [
        (f"{AT} WARNING uvicorn.error: Invalid HTTP request received.\n", []),
        (f"{AT} INFO cloud_bridge.x: said ERROR of a unit\n", []),
        (f"{AT} ERROR cloud_bridge.x: a value\n", [f"{AT} ERROR cloud_bridge.x: a value"]),
        (f"{TRACEBACK}\n{AT} INFO x: x\n", [TRACEBACK]),
        (f"{TRACEBACK}\n", [TRACEBACK]),
    ],
)
def test_faults_of_a_log_are_seen(tmp_path: Path, written: str, faults: list[str]) -> None:
    log = tmp_path / "bridge.log"
    log.write_text(f"{AT} ERROR before: the siege\n")
    watch = Watch(os.getpid(), log)
    with log.open("a") as file:
        file.write(written)
    watch.stop()
    assert watch.log_faults() == faults
    assert watch.log_bytes() == len(written)
    assert watch.memory_mb[0] > 0
