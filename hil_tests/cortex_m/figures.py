"""What the firmware needs on a 32-bit microcontroller: memory, and instructions in a period of the control loop.

The figures are exact on every host, because QEMU counts instructions. The compiler is Debian's; another version changes
them by some per cent. A figure outside its budget fails (test_cortex_m.py). `python -m hil_tests.cortex_m` prints them.
"""

from collections.abc import Callable
from typing import NamedTuple

from hil_tests.cortex_m import programs
from hil_tests.cortex_m.machine import Machine, MachineFailed
from hil_tests.environment.cortex_m import BUILD, build

# An ESP32 has 110 to 170 kB for MicroPython's heap after the start (others' measurements, as no ESP32 was available).
BOARD_HEAP_BYTES = 110_000
ROOMY_BYTES = 500_000
FLOOR_STEP_BYTES = 1_000
MEASURE_WITHIN_S = 240


class Figure(NamedTuple):
    """A budget: at most `most` or at least `least` (None = no such limit), and a description."""

    most: int | None
    what: str
    least: int | None = None


# A whole period of the control loop except its sleep: inputs, rules, outputs, live line, its own records, watchdog.
# With nothing plugged in; with a vehicle that the cloud makes wait; with a vehicle that charges at 32 A (at 6 to 15 A a
# burst of the pilot takes 16,000 more). "late" is after 2**30 ms, where small integers end.
STATES = ("idle", "connected", "charging")
PERIOD = {
    "instructions": Figure(150_000, "in a period, on the average"),
    "most_instructions": Figure(197_000, "in one period: a response of the meter, a report"),
    "bytes": Figure(0, "left to the garbage collector by a period that changes nothing"),
    "taken_bytes": Figure(0, "taken by such a period, with what functions free on return"),
}
# A unit needed 3,500 bytes less before it could try networks that no scan measures, report its modem's model, remember
# what its network forgets, decide on several readings, and trust a second authority. 350 are for updates while none
# runs. The smallest heap does not grow steadily: it depends on where objects fall, and a single name can change it by
# 1,700 bytes.
FIGURES = {
    "imported_bytes": Figure(48_300, "alive after importing everything, frozen into the image"),
    "unit_bytes": Figure(66_600, "alive after making the whole unit, frozen"),
    "floor_bytes": Figure(70_700, "smallest heap in which the unit can be made, frozen"),
    "free_bytes": Figure(None, f"free of a heap of {BOARD_HEAP_BYTES:,}, after that", 43_400),
    "largest_piece_bytes": Figure(None, "of that in one piece; TLS needs 4,500", 16_000),
    "files_unit_bytes": Figure(203_700, "alive after making the unit, from the files of a stock image"),
    # An update. A period is 625,000 instructions at this machine's speed, and about 900,000 on an ESP32 at 240 MHz. The
    # other thread runs between any two operations, so it waits for one operation, never for a whole step.
    "verify_instructions": Figure(75_000_000, "to check a signature, in total"),
    "verify_step_instructions": Figure(200_000, "of that between two steps, at most"),
    "verify_step_percent": Figure(33, "of a period of the control loop that this takes at this machine's speed"),
    "multiply_instructions": Figure(21_000, "of that without interruption: a product in the field"),
    "integrity_instructions": Figure(
        15_000_000, "to compare a product of 166,000 bytes with its manifest, at each start"
    ),
    "update_waiting_bytes": Figure(4_000, "alive for a command to update, in addition to the unit"),
    "update_bytes": Figure(7_000, "alive for the update while the pieces of its image come"),
    "read_instructions": Figure(
        56_000, "board.read while charging at 32 A: 32 samples of the pilot, without the converter's time"
    ),
    "step_instructions": Figure(71_000, "a step of the rules while charging"),
    "write_instructions": Figure(3_500, "board.write"),
    **{
        f"{state}{late}_{name}": figure for late in ("", "_late") for state in STATES for name, figure in PERIOD.items()
    },
}


def measure() -> dict[str, int]:
    """Return all FIGURES, measured on machines that are built first. Raises SetUpError, MachineFailed."""
    frozen, bare = build("frozen"), build("bare")
    image = programs.image("measure", ["tests.firmware.update.golden"])
    with Machine(frozen, image) as machine:
        found = _measured(machine, f"memory({BOARD_HEAP_BYTES})")
        found["floor_bytes"] = _floor(lambda heap_bytes: _fits(machine, heap_bytes), BOARD_HEAP_BYTES)
        found |= _measured(machine, "periods()")
    with Machine(frozen, image) as machine:  # a new machine: earlier programs change these figures by half
        programs.boot(machine)
        found |= _rows(machine.run("import measure_update\nmeasure_update.run()", MEASURE_WITHIN_S))
    with Machine(bare, programs.image("measure-files", [], programs.product())) as machine:
        files = _measured(machine, f"from_files('/rom/{programs.PRODUCT}'); measure.memory({ROOMY_BYTES})")
    found |= {f"files_{name}": value for name, value in files.items()}
    return {name: found[name] for name in FIGURES}


def broken(found: dict[str, int]) -> list[str]:
    """Return a line for each figure outside its budget."""
    lines = []
    for name, figure in FIGURES.items():
        value = found[name]
        if figure.most is not None and value > figure.most:
            lines.append(f"{name} is {value:,}, at most {figure.most:,}: {figure.what}")
        if figure.least is not None and value < figure.least:
            lines.append(f"{name} is {value:,}, at least {figure.least:,}: {figure.what}")
    return lines


def table(found: dict[str, int]) -> list[str]:
    """Return a line for each figure, with its budget."""
    return [f"{found[name]:9,}  {name:32} {_bound(figure):18} {figure.what}" for name, figure in FIGURES.items()]


def is_built() -> bool:
    """Return whether both machines are built, so that measuring needs no network."""
    return all((BUILD / machine / "firmware.elf").exists() for machine in ("frozen", "bare"))


def _bound(figure: Figure) -> str:
    return f"at least {figure.least:,}" if figure.most is None else f"at most {figure.most:,}"


def _measured(machine: Machine, call: str) -> dict[str, int]:
    programs.boot(machine)
    return _rows(machine.run(f"import measure\nmeasure.{call}", MEASURE_WITHIN_S))


def _rows(printed: str) -> dict[str, int]:
    return {name: int(value) for name, _, value in (row.partition(" ") for row in printed.split("\n") if row)}


def _fits(machine: Machine, heap_bytes: int) -> bool:
    try:
        _measured(machine, f"memory({heap_bytes})")
    except MachineFailed as failed:
        if "MemoryError" not in str(failed):
            raise
        return False
    return True


def _floor(fits: Callable[[int], bool], enough: int) -> int:
    """Return the smallest size that fits, to within FLOOR_STEP_BYTES. `enough` must fit."""
    too_small = 0
    while enough - too_small > FLOOR_STEP_BYTES:
        middle = (enough + too_small) // 2
        if fits(middle):
            enough = middle
        else:
            too_small = middle
    return enough
