"""`python -m hil_tests.station bring-up BOARD`: go through the checks of a board and record each result at once.

A check that has passed with this version is skipped, so the walk can be ended and continued at any time. For checks without a
usable probe, the tool asks the person at the bench.
"""

import time
from collections.abc import Callable
from pathlib import Path

from hil_tests.station.bring_up import (
    BOARDS,
    HARDWARE,
    RIG,
    Check,
    Record,
    Sight,
    checks,
    read_record,
    read_table,
    write_document,
    write_sight,
)
from hil_tests.station.bring_up_probes import PROBES, Seen, look_at
from hil_tests.station.fixture import Fixture

ANSWERS = "[y]es, [n]o, [s]kip, [q]uit: "
PSEUDO_TERMINALS = "/dev/pts/"  # a real board is never on a pseudo-terminal
SEEN_MOST = 200  # characters

Ask = Callable[[str], str]


def where_is(console: str) -> str:
    """Return RIG if the console is a pseudo-terminal, which a program has made, else HARDWARE."""
    return RIG if str(Path(console).resolve()).startswith(PSEUDO_TERMINALS) else HARDWARE


async def walk(board: str, fixture: Fixture, where: str, ask: Ask = input, folder: Path = BOARDS) -> None:
    """Go through the table to its end, or until the person quits. Raises StationError."""
    steps = read_table(board, folder)
    version = (await fixture.ask_unit("update"))["version"]
    total, number = len(list(checks(steps))), 0
    for step in steps:
        print(f"\n{step.do}")
        for check in step.check:
            number += 1
            if _is_known(read_record(board, folder), check, where, version):
                continue
            print(f"{number}/{total} {check.name}: {check.expect}")
            seen = await _see(check, fixture, ask)
            if seen is None:
                continue
            if seen is QUIT:
                return
            print(f"    {'passed' if seen.is_so else 'FAILED'}: {seen.text}")
            sight = Sight(on=time.strftime("%Y-%m-%d"), version=version, is_so=seen.is_so, seen=seen.text)
            write_sight(board, check.name, where, sight, folder)
            write_document(board, folder)


QUIT = Seen(False, "")


async def _see(check: Check, fixture: Fixture, ask: Ask) -> Seen | None:
    """Run the probe or ask the person. Return None for a skipped check, QUIT to end the walk."""
    if check.probe is not None and (fixture.has_instrument or not PROBES[check.probe].needs_instrument):
        return await look_at(check.probe, fixture)
    while True:
        answer = ask(ANSWERS).strip().lower()[:1]
        if answer == "q":
            return QUIT
        if answer == "s":
            return None
        if answer in ("y", "n"):
            text = " ".join(ask("what was seen (figures, instrument): ").split())[:SEEN_MOST]
            if text:
                return Seen(answer == "y", text)


def _is_known(record: Record, check: Check, where: str, version: str) -> bool:
    """Return whether the check has passed there with this version. Failed checks are repeated."""
    sight = record.get(check.name, {}).get(where)
    return sight is not None and sight.is_so and sight.version == version
