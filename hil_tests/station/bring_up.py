"""Bring-up of a board: the table of checks, the record of their results, and both rendered into the board's document. Pure.

A board has three files in firmware/boards: BOARD_bring_up.toml is the table, BOARD_seen.json the record, and BOARD.md the
document, in which the text between two marks is generated. A check is unproven until it has passed on hardware. Results of the
virtual rig are recorded too, but prove nothing about a board.
"""

import json
import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from hil_tests.station.errors import StationTrouble

BOARDS = Path(__file__).resolve().parents[2] / "firmware" / "boards"
HARDWARE, RIG = "hardware", "rig"
WIDTH = 127
BEGIN, END = "<!-- of {table}, written by hil_tests.station -->", "<!-- end of {table} -->"


class Check(BaseModel, extra="forbid", frozen=True):
    """One thing to be observed, and the probe that can observe it, if there is one."""

    name: str = Field(pattern="^[a-z0-9_]+$")
    expect: str
    probe: str | None = None  # a name in bring_up_probes.PROBES


class BringUpStep(BaseModel, extra="forbid", frozen=True):
    """An action, and the checks that follow it."""

    do: str
    check: tuple[Check, ...] = Field(min_length=1)


class Sight(BaseModel, extra="forbid", frozen=True):
    """The result of one check."""

    on: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")  # date, YYYY-MM-DD
    version: str
    is_so: bool
    seen: str


Record = dict[str, dict[str, Sight]]  # name of the check -> HARDWARE or RIG -> latest result there


def boards() -> list[str]:
    """Return the boards that have a table."""
    return sorted(path.name.removesuffix("_bring_up.toml") for path in BOARDS.glob("*_bring_up.toml"))


def read_table(board: str, folder: Path = BOARDS) -> tuple[BringUpStep, ...]:
    """Read the table of a board. Raises StationTrouble."""
    path = folder / f"{board}_bring_up.toml"
    try:
        steps = tuple(BringUpStep(**told) for told in tomllib.loads(path.read_text())["step"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise StationTrouble(f"{path}: {str(error).splitlines()[0]}") from None
    names = [check.name for check in checks(steps)]
    if len(set(names)) != len(names):
        raise StationTrouble(f"{path}: two checks have the same name")
    return steps


def checks(steps: tuple[BringUpStep, ...]) -> Iterator[Check]:
    """Yield all checks in order."""
    for step in steps:
        yield from step.check


def read_record(board: str, folder: Path = BOARDS) -> Record:
    """Return the record of a board, {} if there is none. Raises StationTrouble."""
    path = folder / f"{board}_seen.json"
    try:
        told = json.loads(path.read_text()) if path.exists() else {}
        return {name: {where: Sight(**one) for where, one in sights.items()} for name, sights in told.items()}
    except (OSError, ValueError, AttributeError, TypeError, ValidationError) as error:
        raise StationTrouble(f"{path}: {str(error).splitlines()[0]}") from None


def write_sight(board: str, name: str, where: str, sight: Sight, folder: Path = BOARDS) -> None:
    """Add a result to the record. It replaces the previous result of this check at `where`."""
    record = read_record(board, folder)
    record.setdefault(name, {})[where] = sight
    told = {name: {where: one.model_dump() for where, one in sights.items()} for name, sights in record.items()}
    new = folder / f"{board}_seen.json.new"
    new.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    new.replace(folder / f"{board}_seen.json")


def write_document(board: str, folder: Path = BOARDS) -> None:
    """Render the part between the marks again. Raises StationTrouble."""
    path = folder / f"{board}.md"
    path.write_text(document(path.read_text(), board, folder))


def document(text: str, board: str, folder: Path = BOARDS) -> str:
    """Return `text` with the part between the marks rendered from table and record. Raises StationTrouble."""
    steps, record = read_table(board, folder), read_record(board, folder)
    table = f"{board}_bring_up.toml"
    strange = set(record) - {check.name for check in checks(steps)}
    if strange:
        raise StationTrouble(f"{board}_seen.json has checks that {table} does not have: {', '.join(sorted(strange))}")
    begin, end = BEGIN.format(table=table), END.format(table=table)
    found = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if len(found.findall(text)) != 1:
        raise StationTrouble(f"{board}.md does not have exactly one part from `{begin}` to `{end}`")
    return found.sub(lambda _: f"{begin}\n\n{_rendered(steps, record)}\n{end}", text)


def _rendered(steps: tuple[BringUpStep, ...], record: Record) -> str:
    proven = [one[HARDWARE].on for one in record.values() if HARDWARE in one and one[HARDWARE].is_so]
    total = len(list(checks(steps)))
    last = f", the last on {max(proven)}" if proven else ""
    lines = [f"{len(proven)} of {total} checks have been seen to pass on hardware{last}.", ""]
    for number, step in enumerate(steps, 1):
        lines += _folded(step.do, f"{number}. ", " " * len(f"{number}. "))
        for check in step.check:
            indent = " " * len(f"{number}. ")
            lines += _folded(f"{check.expect}: {_mark(record.get(check.name, {}))}", f"{indent}- ", f"{indent}  ")
    return "\n".join(lines) + "\n"


def _mark(sights: dict[str, Sight]) -> str:
    if HARDWARE in sights:
        sight = sights[HARDWARE]
        return f"{'passed' if sight.is_so else '**failed**'} on {sight.on} with {sight.version}: {sight.seen}"
    if RIG in sights:
        sight = sights[RIG]
        return f"**unproven** ({'passed' if sight.is_so else 'failed'} on the virtual rig on {sight.on} with {sight.version})"
    return "**unproven**"


def _folded(text: str, first: str, further: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )
