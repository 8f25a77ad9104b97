"""The rows of a fleet in the database, a SQLite file or a PostgreSQL URL, read with SQL of its own."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

import psycopg

JOURNALS = {"event": "events", "session": "sessions"}
BUSY_WITHIN_S = 30.0
Numbers = tuple[int | None, int | None]  # boot and sequence


class Stored(NamedTuple):
    """The rows by unit id. Times are milliseconds since 1970, UTC."""

    journal: dict[str, dict[str, list[Numbers]]]  # by kind: boot and sequence of each record
    contacts: dict[str, int]  # time of the last contact
    heartbeats: dict[str, Numbers]  # boot and sequence of the newest heartbeat
    power_ms: dict[str, list[int]]  # stamps of heartbeats, oldest first
    signal_ms: dict[str, list[int]]  # stamps of heartbeats with a signal, oldest first
    silences: list[tuple[str, int]]  # when a silence was noticed
    silent_after_ms: dict[str, int]


def read(database: str, units: Iterable[str], since_ms: int) -> Stored:
    """Read what was received from these units since then. `database` is a path or a URL. Raises sqlite3.Error,
    psycopg.Error."""
    wanted = set(units)
    rows = _postgresql(database, since_ms) if database.startswith("postgres") else _sqlite(database, since_ms)
    stored = Stored(
        {kind: defaultdict(list) for kind in JOURNALS}, {}, {}, defaultdict(list), defaultdict(list), [], {}
    )
    for what, unit_id, value in rows:
        if unit_id not in wanted:
            continue
        if what in JOURNALS:
            stored.journal[what][unit_id].append(_numbers(value))
        elif what == "contact":
            stored.contacts[unit_id] = value
        elif what == "heartbeat":
            stored.heartbeats[unit_id] = _numbers(value)
        elif what == "power":
            stored.power_ms[unit_id].append(value)
        elif what == "signal":
            stored.signal_ms[unit_id].append(value)
        elif what == "silence":
            stored.silences.append((unit_id, value))
        else:
            stored.silent_after_ms[unit_id] = value
    return stored


def _queries(since_ms: int) -> dict[str, str]:
    """Return queries that each return unit and value. `since_ms` is converted to int, since it becomes part of the SQL."""
    since = int(since_ms)
    journals = {
        kind: f"SELECT unit_id, payload FROM {table} WHERE received_ms >= {since}" for kind, table in JOURNALS.items()
    }
    return journals | {
        "contact": "SELECT unit_id, last_contact_ms FROM contacts",
        "heartbeat": f"SELECT unit_id, payload FROM heartbeats WHERE received_ms >= {since}",
        "power": f"SELECT unit_id, received_ms FROM power WHERE received_ms >= {since} ORDER BY unit_id, received_ms",
        "signal": f"SELECT unit_id, received_ms FROM signal WHERE received_ms >= {since} ORDER BY unit_id, received_ms",
        "silence": f"SELECT unit_id, at_ms FROM transitions WHERE contact = 'silent' AND at_ms >= {since}",
        "silent_after": "SELECT id, silent_after_ms FROM units",
    }


def _sqlite(file: str, since_ms: int) -> Iterator[tuple[str, str, Any]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", timeout=BUSY_WITHIN_S, uri=True)) as connection:
        for what, query in _queries(since_ms).items():
            for unit_id, value in connection.execute(query):
                yield what, unit_id, value


def _postgresql(url: str, since_ms: int) -> Iterator[tuple[str, str, Any]]:
    with psycopg.connect(url) as connection:
        for what, query in _queries(since_ms).items():
            for unit_id, value in connection.execute(query.encode()):
                yield what, unit_id, value


def _numbers(payload: str) -> Numbers:
    """Return boot and sequence; None for a missing one, or if the payload is not a JSON object."""
    try:
        said = json.loads(payload)
        return said.get("b"), said.get("n")
    except (ValueError, AttributeError):
        return None, None


def payloads(database: str, table: str, unit_id: str) -> list[dict[str, Any]]:
    """Return all payloads of a unit in a table. Raises sqlite3.Error, psycopg.Error."""
    if database.startswith("postgres"):
        with psycopg.connect(database) as connection:
            found = connection.execute(
                f"SELECT payload FROM {table} WHERE unit_id = %s".encode(), (unit_id,)
            ).fetchall()
    else:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", timeout=BUSY_WITHIN_S, uri=True)) as file:
            found = file.execute(f"SELECT payload FROM {table} WHERE unit_id = ?", (unit_id,)).fetchall()
    return [json.loads(payload) for (payload,) in found]
