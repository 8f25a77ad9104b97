"""Rows that no version of the bridge should have stored, written to the store below all checks.

Every column of charge points' and people's data takes every hostile value in turn; the other columns stay as in a good row.
Values that the database refuses are left out: PostgreSQL enforces column types, SQLite does not.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, String, Text, column, table
from sqlalchemy.exc import DBAPIError, StatementError

from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.store.chunks import CHUNKED
from cloud_bridge.store.database import Database
from cloud_bridge.store.tables import metadata
from tests.cloud_bridge.running import START_MS

YEAR_0_MS, YEAR_5000_MS, YEAR_20000_MS = -62_198_755_200_000, 95_617_584_000_000, 568_971_820_800_000
FORMULA = '=HYPERLINK("http://example.org","x")'
SCRIPT = "<script>alert(1)</script>"
NUMBERS: Sequence[Any] = (
    *(-1, 0, 1.5, 99, 2**31, 2**53, 2**63 - 1, -(2**63), 10**30, 1e308, float("inf"), float("nan")),
    *(YEAR_0_MS, YEAR_0_MS // 1000, YEAR_5000_MS, YEAR_5000_MS // 1000, YEAR_20000_MS, YEAR_20000_MS // 1000),
    *("many", "", b"\xff\xfe", None),
)
TEXTS: Sequence[Any] = (
    *("", "\0", "\ufeff", "\u200f" * 1365, SCRIPT, FORMULA, "+1", "-1", "@x", "\tx", "\rx", "%s {} {{ 7*7 }}"),
    *("x" * 200_000, "NaN", "null", "[]", "[1, 2]", "[[1], 2]", "7", '"text"', "{", "{}", b"\xff\xfe", None),
    *("[" * 100_000, '{"d":' * 3000 + "1" + "}" * 3000, '{"k":"network","n":' + "9" * 5000 + "}"),
    *('{"n":NaN}', '{"n":1e308,"d":{"do":"stay"}}', '{"t":-1,"k":"network","d":{"do":"stay"}}', '{"f":[1]}'),
    *('{"k":"network","d":[1]}', '{"d":{"do":"switch","o":[1],"why":{"a":1}}}', '{"d":{"do":["stay"]}}'),
    *('{"d":{"23415":true,"":1e308,"x":"y","z":' + "8" * 4000 + "}}", '{"d":{"v":"\\ud800"}}', '{"d":{"v":"\\u0000"}}'),
    *('{"d":{"do":"\\ud800","why":"\\ud800"}}', '{"hours":7}', '{"hours":"mon-fri"}', '{"hours":";"}'),
    *(
        '{"amps":null,"exp":1e308}',
        '{"exp":"soon","amps":1}',
        '{"exp":99999999999999,"on":1,"hours":"off"}',
        '{"i":-1}',
    ),
)

_AT_MS = START_MS - HOUR_MS
# A good row of each table, without the unit, unique columns and foreign keys.
GOOD: dict[str, dict[str, Any]] = {
    "events": {"received_ms": _AT_MS, "boot": 1, "unit_time_s": _AT_MS // 1000, "kind": "network"}
    | {"payload": '{"k":"network","d":{"do":"stay","why":"good row"}}'},
    "sessions": {"received_ms": _AT_MS, "boot": 1, "unit_time_s": None, "payload": '{"i":7}'}
    | {"started_s": _AT_MS // 1000 - 600, "ended_s": _AT_MS // 1000, "duration_s": 600, "energy_wh": 1100}
    | {"reason": "good row"},
    "results": {"received_ms": _AT_MS, "boot": 1, "unit_time_s": None, "payload": "{}", "command": "c"}
    | {"ok": True, "reason": None},
    "signal": {"csq": 21, "operator": "23415"},
    "signal_5min": {"operator": "23415", "lowest": 20, "highest": 22, "total": 21, "samples": 1},
    "signal_hourly": {"operator": "23415", "lowest": 20, "highest": 22, "total": 21, "samples": 1}
    | {"until_ms": _AT_MS + HOUR_MS, "lasting_ms": 300_000},
    "power": {"plugged": True, "watts": 7000, "total_wh": 128_200},
    "heartbeats": {"received_ms": _AT_MS, "payload": '{"s":"C2","w":7000}'},
    "contacts": {"last_contact_ms": _AT_MS, "last_kind": "heartbeat", "messages": 1, "bad_payloads": 0}
    | {"silent_ms": None, "operator": "23415"},
    "contact_gaps": {"to_ms": _AT_MS},
    "transitions": {"at_ms": _AT_MS, "contact": "silent", "last_contact_ms": _AT_MS},
    "commands": {"person_id": None, "given_ms": START_MS, "expires_ms": START_MS, "do": "limit"}
    | {"payload": '{"amps":10,"exp":1767229200}', "sent": True},
    "jobs": {"installer_id": None, "raised_ms": _AT_MS, "reason": "good row", "visited_ms": None}
    | {"report_name": None, "report": None, "closed_ms": None, "outcome": None}
    | {"report_before_name": None, "report_before": None, "state": "planned", "moves": 1}
    | {"visit_from_ms": START_MS + HOUR_MS, "visit_until_ms": START_MS + 2 * HOUR_MS}
    | {"before_csq": 11, "before_operator": "23415", "before_ms": _AT_MS},
    "job_photos": {"person_id": None, "at_ms": _AT_MS, "is_after": False, "upload_hash": "good row"}
    | {"thumbnail": b"good row", "picture": b"good row"},
    "job_events": {"person_id": None, "at_ms": _AT_MS, "move": "planned", "words": "good row"}
    | {"visit_from_ms": START_MS + HOUR_MS, "visit_until_ms": START_MS + 2 * HOUR_MS},
    "job_customers": {"full_name": "good row", "phone": "0161 496 0000", "address": "4 Long Lane", "access_notes": ""},
    "messages": {"author_id": None, "from_support": False, "sent_ms": _AT_MS, "text": "good row", "facts": "[]"},
    "rejected_messages": {"kind": "event", "received_ms": _AT_MS, "payload": b"x", "reason": "good row"},
    "duplicate_identities": {"since_ms": _AT_MS, "last_ms": START_MS, "boot": 1, "other_boot": 2},
}
AT_COLUMN = {
    "signal": "received_ms",
    "power": "received_ms",
    "signal_5min": "from_ms",
    "signal_hourly": "from_ms",
    "contact_gaps": "from_ms",
}  # a part of the primary key
SESSION_KINDS = ("limit", "schedule", "override", "pause")  # commands, each of which is described by other arguments


def variations(name: str) -> Iterator[dict[str, Any]]:
    """Yield the good row with one hostile value, for each column and value."""
    for key in GOOD[name]:
        if key in ("person_id", "installer_id", "author_id"):
            continue
        is_text = isinstance(metadata.tables[name].c[key].type, String | Text)
        for value in TEXTS if is_text else NUMBERS:
            for do in SESSION_KINDS if name == "commands" and key == "payload" else (None,):
                yield GOOD[name] | {key: value} | ({} if do is None else {"do": do})
    for kind in ("networks", "boot") if name == "events" else ():
        for value in TEXTS:
            yield GOOD[name] | {"kind": kind, "payload": value}


def insert_raw(connection: Connection, name: str, row: dict[str, Any]) -> bool:
    """Return whether the database accepted the row. SQLAlchemy converts nothing."""
    if connection.dialect.name == "sqlite" and (chunked := CHUNKED.get(metadata.tables[name])) is not None:
        at_ms = row[chunked.age.name]
        row = row | {"chunk": int(at_ms / chunked.width_ms) if isinstance(at_ms, int) else 0}
    untyped = table(name, *(column(key) for key in row))
    try:
        with connection.begin_nested():
            connection.execute(untyped.insert(), row)
    except (DBAPIError, StatementError, OverflowError, UnicodeError):
        return False
    return True


def fill(database: Database, name: str, rows: Sequence[dict[str, Any]]) -> int:
    """Insert the rows; return how many the database accepted."""
    with database.writing() as connection:
        return sum(insert_raw(connection, name, row) for row in rows)


def spread(name: str, unit_id: str, more: dict[str, Any], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows as rows of one unit, each with its own key."""
    found = []
    for number, row in enumerate(rows):
        one = row | ({"unit_id": unit_id} if "unit_id" in metadata.tables[name].c else {}) | more
        if name in ("events", "sessions", "results"):
            one["sequence"] = number
        if name in ("messages", "jobs"):
            one["once"] = f"{name}-{unit_id}-{number}"
        if name in AT_COLUMN:
            is_average = name in ("signal_5min", "signal_hourly")
            one[AT_COLUMN[name]] = _AT_MS - number * (5 * MINUTE_MS if is_average else 1000)
        found.append(one)
    return found
