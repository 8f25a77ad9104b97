"""Does a 32-bit microcontroller decide as this machine does, within the available memory and time?"""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from hil_tests.cortex_m import figures, programs
from hil_tests.cortex_m.machine import Machine, MachineFailed
from hil_tests.environment.cortex_m import CHECKOUT, build
from hil_tests.environment.errors import NotToBeHad
from tests.test_on_micropython import core_tests

# The pure modules, and the AT layer. What is stored goes to a littlefs, which is the same C code on every port.
ROOMS = (
    "tests.firmware.boards",
    "tests.firmware.charging",
    "tests.firmware.link",
    "tests.firmware.metering",
    "tests.firmware.update.test_ecdsa",
    "tests.firmware.update.test_manifest",
    "tests.firmware.update.test_transfer",
    "tests.firmware.update.test_trial",
    "tests.modem",
)
MODULE_WITHIN_S = 240  # of processor time
STORIES = "tests/on_micropython/tell_stories.py"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """Build both machines, or skip all tests of this module."""
    try:
        build("frozen")
        build("bare")
    except NotToBeHad as error:
        pytest.skip(f"no 32-bit machine: {error}")


@pytest.fixture(scope="module")
def image(built: None) -> Iterator[Machine]:
    """Yield a machine with the product frozen into it, and all the core tests."""
    modules = [*core_tests(), "tests.firmware.charging.stories"]
    with Machine(build("frozen"), programs.image("core", modules), counted=False) as machine:
        yield machine


@pytest.mark.parametrize("module", [name for name in core_tests() if name.startswith(ROOMS) and programs.runs_on(name)])
def test_module_passes_on_32_bits(image: Machine, module: str) -> None:
    printed = programs.run_tests(image, module, MODULE_WITHIN_S)
    assert printed.endswith("exit (0,)\n"), printed


def test_stories_are_the_same_on_32_bits(image: Machine) -> None:
    """Do single precision and 31-bit small integers change no output, report or heartbeat, also across 2**30 to 2**32 ms?"""
    programs.boot(image)
    there = image.run("import tell_stories", MODULE_WITHIN_S)
    here = subprocess.run(
        [sys.executable, STORIES], cwd=CHECKOUT, env={"PYTHONPATH": "."}, capture_output=True, text=True
    )
    assert there == here.stdout, here.stderr


def test_production_image_starts_from_frozen_code_alone(image: Machine) -> None:
    """The T-Call's own manifest runs: _boot.py, then the whole unit on its board, and the control loop."""
    programs.boot(image)
    printed = image.run("import production\nproduction.run()", MODULE_WITHIN_S)
    assert printed.endswith("steps 50 idle\n"), printed


def test_production_image_starts_a_slot_in_place_of_frozen_code(image: Machine) -> None:
    """Does everything come from the slot? What the slot lacks must not come from the frozen product of another version."""
    programs.boot(image)
    printed = image.run("import production_slots\nproduction_slots.run()", MODULE_WITHIN_S)
    assert "started 9.9.9 /slot/firmware/main.py\n" in printed, printed
    assert "ImportError" in printed and printed.endswith("blamed panic\n"), printed


def test_budgets_hold() -> None:
    found = figures.measure()
    print("\n".join(figures.table(found)))
    assert figures.broken(found) == []


def test_a_machine_that_raises_says_what() -> None:
    with Machine(build("bare")) as machine, pytest.raises(MachineFailed, match="ZeroDivisionError"):
        machine.run("1 / 0", 10)
