"""Everything that is kept of one person: to be handed out, and to be erased. Found by the tables' own columns.

A table's row is of a person if it names them (`person_id`, `author_id`) or one of the units they own (`unit_id`). A
new table needs nothing here; a column whose name ends in `_hash`, or that holds something sealed, is never handed out.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, or_, select, update

from cloud_bridge.store.access import Person
from cloud_bridge.store.tables import metadata, people, units

NAMES_A_PERSON = ("person_id", "author_id")
SECRET = ("_hash", "sealed", "secret", "nonce", "verifier")  # parts of column names


def export(connection: Connection, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Their rows by table, without hashes and sealed secrets."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in metadata.sorted_tables:
        condition = _theirs(table, person.id)
        if condition is None:
            continue
        columns = [column for column in table.columns if not any(part in column.name for part in SECRET)]
        rows = connection.execute(select(*columns).where(condition)).all()
        found[table.name] = [{name: _plain(value) for name, value in row._mapping.items()} for row in rows]
    return found


def erase(connection: Connection, person: Person) -> dict[str, int]:
    """Delete them, and all that their units said. The units themselves stay, nobody's and nameless. Counts by table."""
    gone: dict[str, int] = {}
    for table in reversed(metadata.sorted_tables):
        condition = _theirs(table, person.id)
        if condition is None or table is units or table is people:
            continue
        gone[table.name] = connection.execute(delete(table).where(condition)).rowcount
    connection.execute(
        update(units).where(units.c.owner_id == person.id).values(owner_id=None, claimed_ms=None, name="")
    )
    gone[people.name] = connection.execute(delete(people).where(people.c.id == person.id)).rowcount
    return gone


def _theirs(table: Table, person_id: int) -> ColumnElement[bool] | None:
    """The condition that a row is theirs; None for a table that has nothing of anybody."""
    if table is people:
        return people.c.id == person_id
    if table is units:
        return units.c.owner_id == person_id
    conditions: list[ColumnElement[bool]] = [
        table.c[name] == person_id for name in NAMES_A_PERSON if name in table.columns
    ]
    if "unit_id" in table.columns:
        conditions.append(table.c.unit_id.in_(select(units.c.id).where(units.c.owner_id == person_id)))
    return or_(*conditions) if conditions else None


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
