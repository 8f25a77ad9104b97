"""Write many charge points directly into the bridge's tables.

They have contacts, heartbeats, first events and owners. Some are silent, some were never in contact, some are in
trouble; some have jobs and conversations. The columns are read from the database, so a missing column is left out. The
database refuses a new column that is NOT NULL without a default.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

Row = dict[str, Any]

NETWORKS = ("23410", "23415", "23420", "23430")
PLACES = ("Garage", "Drive", "Car park", "Yard", "Barn")
HEARTBEAT = '{"n":1,"b":4,"s":"%s","m":"smart","q":17,"o":"%s","a":32,"w":0,"e":124180,"f":[]%s,"x":24}'
BOOT = '{"b":4,"n":1,"k":"boot","d":{"v":"1.4.2"}}'
IN_TROUBLE = ',"h":["meter_silent"]'
OF_OWNER, OF_SILENT, OF_NEVER, OF_TROUBLE, OF_NAME = 10, 50, 100, 100, 3  # one unit in this many
OF_JOB, OF_CONVERSATION = 100, 20
OPEN_JOBS, WAITING = 10, 50  # one job or conversation in this many
APART_MS = 200  # between two contacts
WRITTEN_AT_ONCE = 10_000  # rows


def name_of(number: int) -> str:
    """Return the id of a unit. All ids begin alike, as those of one maker do."""
    return f"CK-{number:07d}"


def called(number: int) -> str:
    """Return the name that its owner gave the unit; most have none."""
    return f"{PLACES[number % len(PLACES)]} of house {number}" if number % OF_NAME == 0 else ""


def fill(where: Path | str, units: int) -> None:
    """Fill a SQLite file, or the database of a PostgreSQL URL. The tables must exist and have no unit yet."""
    now_ms = time.time_ns() // 1_000_000
    tables: list[tuple[str, Callable[[int, int], Iterator[Row]]]] = [
        ("people", _people),
        ("units", _units),
        ("ownerships", _ownerships),
        ("contacts", _contacts),
        ("heartbeats", _heartbeats),
        ("events", _events),
        ("jobs", _jobs),
        ("conversations", _conversations),
        ("messages", _messages),
    ]
    with _File(where) if isinstance(where, Path) else _Server(where) as database:
        for table, rows in tables:
            if columns := database.columns(table):
                database.write(table, columns, rows(units, now_ms))
        database.count(units)
        database.settle()


class _File:
    """Write to SQLite."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file)
        self._connection.execute("PRAGMA synchronous = OFF")

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *_error: object) -> None:
        with closing(self._connection):
            self._connection.commit()

    def columns(self, table: str) -> set[str]:
        return {row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")}

    def write(self, table: str, columns: set[str], rows: Iterable[Row]) -> None:
        for some in _some_at_once(rows):
            names = [name for name in some[0] if name in columns]
            marks = ", ".join(f":{name}" for name in names)
            self._connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", some)

    def count(self, units: int) -> None:
        self._connection.execute("UPDATE totals SET value = ? WHERE name = 'units'", (units,))

    def settle(self) -> None:
        self._connection.commit()
        self._connection.execute("PRAGMA analysis_limit = 1000")
        self._connection.execute("ANALYZE")
        self._connection.commit()
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class _Server:
    """Write to PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url)

    def __enter__(self) -> "_Server":
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def columns(self, table: str) -> set[str]:
        found = self._connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,)
        )
        return {row[0] for row in found}

    def write(self, table: str, columns: set[str], rows: Iterable[Row]) -> None:
        for some in _some_at_once(rows):
            names = [name for name in some[0] if name in columns]
            copy = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
            )
            with self._connection.cursor() as cursor, cursor.copy(copy) as written:
                for row in some:
                    written.write_row([row[name] for name in names])
        number = sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {} HAVING max(id) > 0")
        if "id" in columns and table != "units":
            self._connection.execute(number.format(sql.Literal(table), sql.Identifier(table)))

    def count(self, units: int) -> None:
        self._connection.execute("UPDATE totals SET value = %s WHERE name = 'units'", (units,))

    def settle(self) -> None:
        self._connection.commit()
        self._connection.autocommit = True
        self._connection.execute("VACUUM ANALYZE")


def _some_at_once(rows: Iterable[Row]) -> Iterator[list[Row]]:
    some: list[Row] = []
    for row in rows:
        some.append(row)
        if len(some) == WRITTEN_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


FIRST_PERSON = 1000  # the first id: people added by the command line keep theirs


def _owner_of(number: int) -> int | None:
    return FIRST_PERSON + number // OF_OWNER if number % OF_OWNER == 0 else None


def _people(units: int, now_ms: int) -> Iterator[Row]:
    for number in range(0, units, OF_OWNER):
        name = f"driver {number}"
        yield {
            "id": _owner_of(number),
            "name": name,
            "password_hash": "none",
            "role": "driver",
            "created_ms": now_ms,
            "name_folded": name,
            "name_appearance": name,
        }


def _units(units: int, now_ms: int) -> Iterator[Row]:
    for number in range(units):
        yield {
            "id": name_of(number),
            "secret_hash": "0",
            "claim_hash": name_of(number),
            "owner_id": _owner_of(number),
            "created_ms": 0,
            "name": called(number),
            "claimed_ms": None if _owner_of(number) is None else 0,
            "first_contact_ms": None if _is_never(number) else now_ms - 86_400_000,
        }


def _ownerships(units: int, _now_ms: int) -> Iterator[Row]:
    for number in range(0, units, OF_OWNER):
        yield {"unit_id": name_of(number), "person_id": _owner_of(number), "from_ms": 0, "until_ms": None}


def _is_never(number: int) -> bool:
    return number % OF_NEVER == 7


def _heard(units: int, now_ms: int) -> Iterator[tuple[int, int]]:
    return ((number, now_ms - number % 10_000 * APART_MS) for number in range(units) if not _is_never(number))


def _contacts(units: int, now_ms: int) -> Iterator[Row]:
    for number, at_ms in _heard(units, now_ms):
        is_silent = number % OF_SILENT == 3
        last_ms = at_ms - 86_400_000 if is_silent else at_ms
        yield {
            "unit_id": name_of(number),
            "last_contact_ms": last_ms,
            "last_kind": "heartbeat",
            "messages": 1,
            "bad_payloads": 0,
            "silent_ms": last_ms if is_silent else None,
            "operator": NETWORKS[number % len(NETWORKS)],
        }


def _heartbeats(units: int, now_ms: int) -> Iterator[Row]:
    for number, at_ms in _heard(units, now_ms):
        state = "C2" if number % 5 == 0 else "A1"
        trouble = IN_TROUBLE if number % OF_TROUBLE == 1 else ""
        payload = HEARTBEAT % (state, NETWORKS[number % len(NETWORKS)], trouble)
        yield {"unit_id": name_of(number), "received_ms": at_ms, "payload": payload}


def _events(units: int, now_ms: int) -> Iterator[Row]:
    for number, at_ms in _heard(units, now_ms):
        yield {
            "unit_id": name_of(number),
            "received_ms": at_ms - 3_600_000,
            "boot": 4,
            "sequence": 1,
            "payload": BOOT,
            "kind": "boot",
        }


def _jobs(units: int, now_ms: int) -> Iterator[Row]:
    for number in range(0, units, OF_JOB):
        is_open = number // OF_JOB % OPEN_JOBS == 0
        yield {
            "unit_id": name_of(number),
            "raised_ms": now_ms - number,
            "reason": "The signal is weak.",
            "once": f"once {number}",
            "closed_ms": None if is_open else now_ms,
            "state": "given_back" if is_open else "cancelled",
        }


def _conversations(units: int, now_ms: int) -> Iterator[Row]:
    for number in range(0, units, OF_CONVERSATION):
        yield {
            "id": number + 1,
            "person_id": _owner_of(number),
            "unit_id": name_of(number),
            "opened_ms": now_ms - number,
            "newest_ms": now_ms - number,
            "waiting": number // OF_CONVERSATION % WAITING == 0,
        }


def _messages(units: int, now_ms: int) -> Iterator[Row]:
    for number in range(0, units, OF_CONVERSATION):
        yield {
            "conversation_id": number + 1,
            "author_id": _owner_of(number),
            "from_support": False,
            "sent_ms": now_ms - number,
            "text": "It does not charge.",
            "once": f"once {number}",
        }
