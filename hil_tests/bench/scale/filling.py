"""Write units and their signal directly into the bridge's tables, by one statement each, on SQLite and PostgreSQL."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

FIVE_MINUTES_MS = 5 * 60 * 1000
HOUR_MS = 12 * FIVE_MINUTES_MS
DAY_MS = 24 * HOUR_MS
NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < {count} - 1) "
)


def name_of(number: int) -> str:
    return f"cp{number:07d}"


def secret_of(number: int) -> str:
    """Return the secret with which the unit logs in. `first_secrets` stores its hash."""
    return f"the secret of {name_of(number)}"


class Tables:
    """The tables of a SQLite file, or of the database of a PostgreSQL URL. They must exist."""

    def __init__(self, where: Path | str) -> None:
        self._where = where

    def execute(self, *statements: str) -> None:
        """Execute the statements in one transaction."""
        if isinstance(self._where, Path):
            with closing(sqlite3.connect(self._where)) as file, file:
                for statement in statements:
                    file.execute(statement)
            return
        with psycopg.connect(self._where) as server:
            for statement in statements:
                server.execute(statement.encode())

    def value(self, query: str) -> int:
        """Return the single number that the query finds, or 0 for none."""
        if isinstance(self._where, Path):
            with closing(sqlite3.connect(self._where)) as file:
                row = file.execute(query).fetchone()
        else:
            with psycopg.connect(self._where) as server:
                row = server.execute(query.encode()).fetchone()
        return 0 if row is None or row[0] is None else int(row[0])

    def add_units(self, count: int) -> None:
        """Add units without secrets."""
        self.execute(
            "INSERT INTO units (id, secret_hash, claim_hash, created_ms) "
            + NUMBERS.format(count=count)
            + f"SELECT {self._name()}, 'none', {self._name()}, 0 FROM numbers"
        )

    def first_secrets(self, count: int) -> list[tuple[str, str]]:
        """Store secrets for the first units, so that they can log in. Return their ids and secrets."""
        known = [(name_of(number), secret_of(number)) for number in range(count)]
        hashed = [(name, hashlib.sha256(secret.encode()).hexdigest()) for name, secret in known]
        self.execute(*(f"UPDATE units SET secret_hash = '{digest}' WHERE id = '{name}'" for name, digest in hashed))
        return known

    def heard(self, count: int, at_ms: int) -> None:
        """Record a contact of all units at that time, with a heartbeat."""
        self.execute(
            "INSERT INTO contacts (unit_id, last_contact_ms, last_kind, messages, bad_payloads, operator) "
            f"SELECT id, {at_ms}, 'heartbeat', 1, 0, '23415' FROM units",
            f"INSERT INTO heartbeats (unit_id, received_ms, payload) SELECT id, {at_ms}, '{{}}' FROM units",
            f"UPDATE units SET first_contact_ms = {at_ms}",
        )

    def signal(self, units: int, from_ms: int, times: int) -> None:
        """Add a reading of each unit every five minutes, `times` times, in order of time."""
        at_ms = f"{from_ms} + n / {units} * {FIVE_MINUTES_MS} + (n % {units}) * {FIVE_MINUTES_MS} / {units}"
        chunk, of_chunk = self._chunk(at_ms, HOUR_MS)
        self.execute(
            f"INSERT INTO signal ({chunk}unit_id, received_ms, csq, operator) "
            + NUMBERS.format(count=units * times)
            + f"SELECT {of_chunk}{self._name(f'n % {units}')}, {at_ms}, 9 + n % 23, '23415' FROM numbers"
        )

    def averages(self, units: int, from_ms: int, times: int) -> None:
        """Add the five-minute averages of an idle unit: one reading each."""
        at_ms = f"{from_ms} + n / {units} * {FIVE_MINUTES_MS}"
        chunk, of_chunk = self._chunk(at_ms, DAY_MS)
        self.execute(
            f"INSERT INTO signal_5min ({chunk}unit_id, from_ms, operator, lowest, highest, total, samples) "
            + NUMBERS.format(count=units * times)
            + f"SELECT {of_chunk}{self._name(f'n % {units}')}, {at_ms}, '23415', 17, 17, 17, 1 FROM numbers"
        )

    def hours(self) -> None:
        """Add hourly averages, made from the five-minute averages that begin an hour."""
        chunk, of_chunk = self._chunk("from_ms", DAY_MS)
        self.execute(
            f"INSERT INTO signal_hourly ({chunk}unit_id, from_ms, operator, until_ms, lowest, highest, total, samples, "
            f"lasting_ms) SELECT {of_chunk}unit_id, from_ms, operator, from_ms + {HOUR_MS}, 17, 17, 204, 12, {HOUR_MS} "
            f"FROM signal_5min WHERE from_ms % {HOUR_MS} = 0"
        )

    def _chunk(self, at_ms: str, width_ms: int) -> tuple[str, str]:
        """Return the column of the row's chunk, which only SQLite has, and its value."""
        return ("chunk, ", f"({at_ms}) / {width_ms}, ") if isinstance(self._where, Path) else ("", "")

    def _name(self, number: str = "n") -> str:
        if isinstance(self._where, Path):
            return f"printf('cp%07d', {number})"
        return f"'cp' || lpad(({number})::text, 7, '0')"
