"""Do the core tests of firmware and modem pass on MicroPython as they do on CPython?"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MICROPYTHON = ROOT / ".venv" / "bin" / "micropython"
PATH = ":".join([".frozen", "tests/on_micropython", ".venv/micropython/lib", "."])
HEAP = "256wK"  # tests need more than the firmware; the firmware's limit is measured with the whole firmware
TIMEOUT_S = 120
# What a core test may import. Anything else (hypothesis, subprocess, ...) only exists on CPython.
ALLOWED = re.compile(r"(firmware|modem|tests|umqtt|pytest|json|errno|collections|binascii|struct|os)\b")


def imports(path: Path) -> set[str]:
    return set(re.findall(r"^(?:from|import) (\S+)", path.read_text(), re.MULTILINE))


def core_tests() -> list[str]:
    found = sorted([*ROOT.glob("tests/firmware/**/test_*.py"), *ROOT.glob("tests/modem/**/test_*.py")])
    core = [
        path for path in found if all(ALLOWED.match(name) for name in imports(path)) and "installer" not in path.parts
    ]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in core]


@pytest.mark.parametrize("module", core_tests())
def test_module_passes_on_micropython(module: str) -> None:
    done = subprocess.run(
        [MICROPYTHON, "-X", f"heapsize={HEAP}", "tests/on_micropython/run.py", module],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": PATH},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_stories_are_the_same_on_micropython() -> None:
    """Each story prints its seed, its start, and the CRC of all decisions (tests/firmware/charging/stories.py)."""
    told = [
        subprocess.run(
            [python, "tests/on_micropython/tell_stories.py"],
            cwd=ROOT,
            env={**os.environ, "MICROPYPATH": PATH, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        ).stdout
        for python in (sys.executable, MICROPYTHON)
    ]
    assert told[0] == told[1]
    for line in told[0].splitlines():
        closed_steps, fault_steps = line.split()[3:]
        assert int(closed_steps) > 300 and int(fault_steps) > 100, line


def test_a_period_that_changes_nothing_allocates_nothing() -> None:
    """On 64 bits. hil_tests/cortex_m/figures.py checks it on 32 bits with the board's own code."""
    done = subprocess.run(
        [MICROPYTHON, "tests/on_micropython/step_bytes.py"],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": PATH},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    left = dict(line.split() for line in done.stdout.splitlines())
    states = ("idle", "connected", "charging")
    assert left == {state + late: "0" for state in states for late in ("", "_late")}


def test_the_core_tests_were_found() -> None:
    modules = core_tests()
    for needed in ("tests.firmware.charging.test_sequence", "tests.firmware.charging.test_pilot"):
        assert needed in modules
