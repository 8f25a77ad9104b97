"""tests/samples/schema.toml as a table, and the check of a message against it. Also runs on MicroPython, without tomllib.

The reader relies on the file's layout: each line is a section, or a key with one array of strings, which is also JSON.
"""

import json
from collections import namedtuple

PATH = "tests/samples/schema.toml"
INTEGERS = ("count", "time")
NUMBERS = ("count", "time", "number")

Row = namedtuple("Row", ("type", "unit", "bound", "sender", "reader", "meaning"))


def read(path: str = PATH) -> dict[str, dict[str, Row]]:
    """Return section ("heartbeat", "event.boot", ...) -> key -> Row. Rows of the section "types" only have a bound."""
    sections: dict[str, dict[str, Row]] = {}
    rows: dict[str, Row] = {}
    with open(path) as file:
        for line in file:
            line = line.strip()
            if line.startswith("["):
                rows = sections[line[1:-1]] = {}
            elif line and not line.startswith("#"):
                key, _, array = line.partition(" = ")
                cells = json.loads(array)
                if len(cells) == 2:
                    cells = [key, "", cells[0], "", "", cells[1]]
                rows[key.strip('"')] = Row(*cells)
    return sections


SCHEMA = read()


def is_retired(row: Row) -> bool:
    """Whether the row only exists for an old sample."""
    return not row.sender and not row.reader


def keys_of(kind: str) -> dict[str, Row]:
    """Return the keys in use of a kind of message, or of a section."""
    return {key: row for key, row in SCHEMA[kind].items() if not is_retired(row)}


def kinds_of(kind: str) -> list[str]:
    """Return the names of the sections below `kind`: kinds of events, or commands."""
    return [section.partition(".")[2] for section in SCHEMA if section.startswith(kind + ".")]


def bounds(row: Row) -> tuple[list[tuple[int, int]], list[str]]:
    """Return the allowed ranges as (lowest, highest), and the allowed names. For a text or a list, a range is of lengths."""
    ranges: list[tuple[int, int]] = []
    names: list[str] = []
    for part in (row.bound or SCHEMA["types"][row.type].bound).split("|"):
        lowest, dots, highest = part.partition("..")
        if dots:
            ranges.append((int(lowest or 0), int(highest)))
        elif row.type in NUMBERS:
            ranges.append((int(part), int(part)))
        elif part:
            names.append(part)
    return ranges, names


def complaints(kind: str, message: dict, old: bool = False) -> list[str]:  # type: ignore[type-arg]  # no Any there
    """Return what is wrong with a message of this kind. With `old`, it is from an older firmware and may have retired keys."""
    found = _complaints(kind, message, SCHEMA[kind] if old else keys_of(kind), kind == "command")
    if kind == "command":
        name = "command." + str(message.get("do"))
        found += _complaints(name, message, dict(keys_of("command"), **keys_of(name))) if name in SCHEMA else [name]
        found += [f"{name}: no {key}" for key in SCHEMA.get(name, {}) if key not in message]
    if kind == "event":
        name = "event." + str(message.get("k"))
        rows = (SCHEMA[name] if old else keys_of(name)) if name in SCHEMA else None
        found += [name] if rows is None else _complaints(name, message.get("d"), rows)
    return found


def _complaints(where: str, message: object, rows: dict[str, Row], more: bool = False) -> list[str]:
    if not isinstance(message, dict):
        return [f"{where}: not an object"]
    found = []
    for key, value in message.items():
        row = rows.get(key) or rows.get("*")
        if row is None:
            if not more:
                found.append(f"{where}: {key} is not in the schema")
        elif value is not None and not fits(row, value):
            found.append(f"{where}: {key}: {value} is not {row.type} {row.bound}")
    return found


def fits(row: Row, value: object) -> bool:
    """Whether the value has the type and is within the bound."""
    ranges, names = bounds(row)
    if row.type in NUMBERS:
        right = isinstance(value, int if row.type in INTEGERS else (int, float)) and not isinstance(value, bool)
        return right and _within(ranges, value)
    if row.type == "text":
        if not isinstance(value, str) or any(letter < " " for letter in value):
            return False
        return value in names or _within(ranges, len(value))
    if row.type == "names":
        longest = bounds(SCHEMA["types"]["names"])[0]
        return isinstance(value, list) and _within(longest, len(value)) and all(name in names for name in value)
    return isinstance(value, bool if row.type == "flag" else dict)


def _within(ranges: list[tuple[int, int]], value: object) -> bool:
    return any(lowest <= value <= highest for lowest, highest in ranges)  # type: ignore[operator]  # fits() saw to it
