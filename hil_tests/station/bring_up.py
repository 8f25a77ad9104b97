"""Bringing up a board: its table of checks, the record of what was seen, and both written into its document. Pure.

firmware/boards has three files of a board BOARD that is brought up: BOARD_bring_up.toml, the table; BOARD_seen.json, the
record; BOARD.md, where what stands between two marks is written from them. A check is unproven until it was seen on hardware:
what the virtual rig shows is noted too, and proves nothing about a board.
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
    """Something that has to be seen."""

    name: str = Field(pattern="^[a-z0-9_]+$")
    expect: str
    probe: str | None = None  # of bring_up_probes.py


class BringUpStep(BaseModel, extra="forbid", frozen=True):
    """What is done, and what has to be seen then."""

    do: str
    check: tuple[Check, ...] = Field(min_length=1)


class Sight(BaseModel, extra="forbid", frozen=True):
    """What was seen, once."""

    on: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")  # the day
    version: str
    is_so: bool
    seen: str


Record = dict[str, dict[str, Sight]]  # name of the check -> HARDWARE or RIG -> what was seen there last


def boards() -> list[str]:
    """Those with a table."""
    return sorted(path.name.removesuffix("_bring_up.toml") for path in BOARDS.glob("*_bring_up.toml"))


def read_table(board: str, folder: Path = BOARDS) -> tuple[BringUpStep, ...]:
    """Raises StationTrouble."""
    path = folder / f"{board}_bring_up.toml"
    try:
        steps = tuple(BringUpStep(**told) for told in tomllib.loads(path.read_text())["step"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise StationTrouble(f"{path}: {str(error).splitlines()[0]}") from None
    names = [check.name for check in checks(steps)]
    if len(set(names)) != len(names):
        raise StationTrouble(f"{path}: two checks have one name")
    return steps


def checks(steps: tuple[BringUpStep, ...]) -> Iterator[Check]:
    """All of them, in order."""
    for step in steps:
        yield from step.check


def read_record(board: str, folder: Path = BOARDS) -> Record:
    """Empty if nobody has seen anything. Raises StationTrouble."""
    path = folder / f"{board}_seen.json"
    try:
        told = json.loads(path.read_text()) if path.exists() else {}
        return {name: {where: Sight(**one) for where, one in sights.items()} for name, sights in told.items()}
    except (OSError, ValueError, AttributeError, TypeError, ValidationError) as error:
        raise StationTrouble(f"{path}: {str(error).splitlines()[0]}") from None


def write_sight(board: str, name: str, where: str, sight: Sight, folder: Path = BOARDS) -> None:
    """Add it to the record; what was seen there before is replaced."""
    record = read_record(board, folder)
    record.setdefault(name, {})[where] = sight
    told = {name: {where: one.model_dump() for where, one in sights.items()} for name, sights in record.items()}
    new = folder / f"{board}_seen.json.new"
    new.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    new.replace(folder / f"{board}_seen.json")


def write_document(board: str, folder: Path = BOARDS) -> None:
    """What stands between the marks anew. Raises StationTrouble."""
    path = folder / f"{board}.md"
    path.write_text(document(path.read_text(), board, folder))


def document(text: str, board: str, folder: Path = BOARDS) -> str:
    """The document as it has to be. Raises StationTrouble."""
    steps, record = read_table(board, folder), read_record(board, folder)
    table = f"{board}_bring_up.toml"
    strange = set(record) - {check.name for check in checks(steps)}
    if strange:
        raise StationTrouble(f"{board}_seen.json knows checks that {table} does not: {', '.join(sorted(strange))}")
    begin, end = BEGIN.format(table=table), END.format(table=table)
    found = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if len(found.findall(text)) != 1:
        raise StationTrouble(f"{board}.md has not one part from `{begin}` to `{end}`")
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
        return f"{'seen' if sight.is_so else '**not so**'} on {sight.on} with {sight.version}: {sight.seen}"
    if RIG in sights:
        sight = sights[RIG]
        return (
            f"**unproven** ({'so' if sight.is_so else 'not so'} on the virtual rig on {sight.on} with {sight.version})"
        )
    return "**unproven**"


def _folded(text: str, first: str, further: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )
