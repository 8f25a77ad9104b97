"""Does `make flash` copy the product to a board's file system so that it starts from there, and is half a copy reported?"""

from collections.abc import Iterator

import pytest

from hil_tests.cortex_m import programs
from hil_tests.cortex_m.machine import Machine
from hil_tests.environment.cortex_m import BOARD, build
from hil_tests.environment.errors import NotToBeHad
from hil_tests.rig import flash

WITHIN_S = 240
# The board's flash as MicroPython's own _boot.py leaves it. tcall.py mounts the same again.
STOCK_BOOT = """
import esp32, on_board
on_board.mount(esp32.ADDRESS, "/")
"""
START = """
import sys
sys.path.insert(0, "/")
import main
print("complaint:", main.complaint())
"""


@pytest.fixture(scope="module")
def board() -> Iterator[Machine]:
    """Yield a machine without the product, whose flash `make flash` has written through its serial line."""
    try:
        elf = build("bare")
    except NotToBeHad as error:
        pytest.skip(f"no 32-bit machine: {error}")
    with Machine(elf, programs.image("stock", []), counted=False, pty=True) as machine:
        programs.boot(machine)
        machine.run(STOCK_BOOT, WITHIN_S)
        machine.release()
        flash.copy(machine.port, flash.prepare(BOARD), connect=("resume",))
        machine.take()
        yield machine


def test_the_copy_is_whole(board: Machine) -> None:
    assert board.run(START, WITHIN_S) == "complaint: None\n"


def test_half_a_copy_is_one_line(board: Machine) -> None:
    board.run("import os\nos.rename('/chargekeeper/modem/at.mpy', '/kept')", WITHIN_S)
    try:
        assert board.run("main.Esp32.cause = lambda port: 'other'\nmain.start(main.Esp32(), None)", WITHIN_S) == (
            "chargekeeper: no slot is whole, and modem/at.mpy of version 0.1.0 is missing; run `make flash` again\n"
        )
    finally:
        board.run("os.rename('/kept', '/chargekeeper/modem/at.mpy')", WITHIN_S)


def test_the_product_starts_from_its_files(board: Machine) -> None:
    """The root to which the files were copied becomes /flash. Are later imports also found there?"""
    board.run("main.Esp32().mount()\nsys.path.append('/rom')", WITHIN_S)
    printed = board.run("import production\nproduction.run(stock=True)", WITHIN_S)
    assert printed.endswith("steps 50 idle\n"), printed
    assert board.run("from firmware.service import help\nprint(help.__file__)", WITHIN_S).startswith(
        "/flash/chargekeeper/"
    )
