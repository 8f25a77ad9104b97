"""Row ids are never used again, and an alert names the fault that it is about.

SQLite gives the id of a deleted newest row to the next row, unless the column is AUTOINCREMENT. PostgreSQL's sequences
never go back, so nothing changes there.

SQLite cannot add AUTOINCREMENT with ALTER TABLE. The usual way, a new table in place of the old one, is not safe here:
foreign keys are on, cannot be switched off within a transaction, and DROP TABLE then deletes the rows of all tables
that refer to the old one (`people` has fourteen, ON DELETE CASCADE or SET NULL). AUTOINCREMENT does not change how rows
are stored, so the text of the schema is edited instead, as in "Making Other Kinds Of Table Schema Changes" of
https://www.sqlite.org/lang_altertable.html. No row is written or moved, and a failure rolls back like any other.
"""

import re

import sqlalchemy as sa
from alembic import op

from cloud_bridge.errors import StoreUnusable

revision = "0011"
down_revision = "0010"

NUMBERED = (
    "alert_wishes",
    "alerts",
    "conversations",
    "events",
    "jobs",
    "messages",
    "people",
    "results",
    "sessions",
    "tokens",
    "transitions",
    "vehicles",
)


def upgrade() -> None:
    op.add_column("alerts", sa.Column("detail", sa.String(length=40), server_default="", nullable=False))
    op.create_index("ix_alerts_about_id", "alerts", ["about", "id"])
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        _add_autoincrement(connection)


def _add_autoincrement(connection: sa.Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE maker_of_sqlite_sequence (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    connection.exec_driver_sql("DROP TABLE maker_of_sqlite_sequence")
    tables = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    old = {name: sql for name, sql in tables}
    edit = sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :name")
    new = [{"name": name, "sql": _with_autoincrement(name, old[name])} for name in NUMBERED]
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    try:
        connection.execute(edit, new)
        connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    finally:  # RESET reads the schema again and raises if it is malformed
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")
    for name in NUMBERED:
        # A cursor may be ahead of the ids already: the rows that it read were erased.
        connection.exec_driver_sql(
            f"INSERT INTO sqlite_sequence (name, seq) SELECT '{name}', max("
            f"coalesce((SELECT max(id) FROM {name}), 0), "
            f"coalesce((SELECT seen_id FROM alert_cursors WHERE name = '{name}'), 0))"
        )


def _with_autoincrement(name: str, sql: str) -> str:
    """The CREATE TABLE of SQLAlchemy, with its primary key moved from the end to the column."""
    sql, keys = re.subn(rf",\s*CONSTRAINT pk_{name} PRIMARY KEY \(id\)", "", sql)
    sql, columns = re.subn(r"\bid INTEGER NOT NULL", rf"\g<0> CONSTRAINT pk_{name} PRIMARY KEY AUTOINCREMENT", sql)
    if (keys, columns) != (1, 1):
        raise StoreUnusable(f"the table {name} is not as this bridge made it: put a backup in place of the database")
    return sql
