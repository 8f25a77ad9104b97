"""Databases on the PostgreSQL server of CHARGEKEEPER_TEST_POSTGRESQL, lent to tests in the state after the migrations.

A copy takes half a second, longer than most tests, so returned databases are emptied and lent again: they have no connections,
only the rows of the migrations, and new sequences. Rows of small tables are deleted, because TRUNCATE makes new files for a
table and each index. A database is dropped if its catalogue differs from its template's: after a test that created a
partition, changed a column or a privilege, or gathered statistics.
"""

import os
from functools import cache
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from cloud_bridge.store.database import open_database

# A copy has the same object ids (oid) as its template. Statistics of indexes are ignored: TRUNCATE writes them.
CATALOGUE = """
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
  SELECT concat_ws('|', 'class', oid, relname, relkind, relowner, relacl, reloptions) AS line
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws('|', 'statistics', oid, relpages, reltuples)
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
  UNION ALL SELECT concat_ws('|', 'attribute', attrelid, attname, atttypid, atttypmod, attnotnull, attisdropped, attacl)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid AND relnamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws('|', 'default', adrelid, adnum, pg_get_expr(adbin, adrelid)) FROM pg_attrdef
  UNION ALL SELECT concat_ws('|', 'constraint', oid, conname, convalidated)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws('|', 'trigger', oid, tgenabled) FROM pg_trigger
  UNION ALL SELECT concat_ws('|', 'function', oid, xmin) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT concat_ws('|', 'schema', nspname, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
  UNION ALL SELECT concat_ws('|', 'setting', setrole, setconfig) FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL SELECT concat_ws('|', 'database', datdba, datallowconn, datconnlimit, datacl)
    FROM pg_database WHERE datname = current_database()
) AS lines
"""
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""
# For a table without statistics, the planner assumes ten pages until it is larger (plancat.c of PostgreSQL). Up to that size,
# the remains of deleted rows change no plan.
LARGE = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
  AND 10 * 8192 < (SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(pg_class.oid))
"""
SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
END_OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Template(NamedTuple):
    """A migrated database that is only used for copies."""

    name: str
    catalogue: str
    rows: dict[str, bytes]  # rows that the migrations inserted, by table, in the format of COPY
    sequences: dict[str, int | None]  # last value of each sequence; None: not used yet


_free: list[str] = []
_made = 0


def lend(server: str) -> str:
    """Return the name of a database in the state after the migrations. Return it with `take_back`."""
    global _made
    if _free:
        return _free.pop()
    _made += 1
    name = f"lent_{os.getpid()}_{_made}"
    create(server, name, _template(server).name)
    return name


def take_back(server: str, name: str) -> None:
    """Empty the database for the next test, or drop it. Raises psycopg.Error."""
    if name.startswith(f"lent_{os.getpid()}_") and _is_emptied(server, name):
        _free.append(name)
    else:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def create(server: str, name: str, template: str) -> None:
    """Copy a database, unless the copy exists."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            # From version 15 on, the default copies through the WAL, which takes three times as long (measured).
            quickly = sql.SQL("STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else "")
            names = map(sql.Identifier, (name, template))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(*names, quickly))


@cache
def _template(server: str) -> Template:
    name = f"template_{os.getpid()}"
    create(server, name, "template1")
    open_database(f"{server}/{name}").close()
    with psycopg.connect(f"{server}/{name}") as connection:
        rows = {table: _copied(connection, table) for table in _filled(connection)}
        return Template(name, _catalogue(connection), rows, _sequences(connection))


def _is_emptied(server: str, name: str) -> bool:
    """Restore the template's state. Return False if that is impossible."""
    template = _template(server)
    try:
        with psycopg.connect(f"{server}/{name}") as connection:
            connection.execute(END_OTHERS)
            if _catalogue(connection) != template.catalogue:
                return False
            connection.execute("SET LOCAL session_replication_role = replica")  # allows any order of rows
            _empty(connection, {*_filled(connection), *template.rows})
            for table, rows in template.rows.items():
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                    copy.write(rows)
            for sequence, last in _sequences(connection).items():
                if last != template.sequences[sequence]:
                    _set(connection, sequence, template.sequences[sequence])
            return True
    except psycopg.OperationalError:  # the test has made it refuse connections
        return False


def _catalogue(connection: "psycopg.Connection[Any]") -> str:
    found = connection.execute(CATALOGUE.encode()).fetchone()
    assert found is not None
    return str(found[0])


def _filled(connection: "psycopg.Connection[Any]") -> list[str]:
    """Return the tables that have rows."""
    tables = [name for (name,) in connection.execute(TABLES.encode())]
    looks = (
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(name), sql.Identifier(name))
        for name in tables
    )
    return [name for (name,) in connection.execute(sql.SQL(" UNION ALL ").join(looks))]


def _empty(connection: "psycopg.Connection[Any]", tables: set[str]) -> None:
    large = {name for (name,) in connection.execute(LARGE.encode())}
    for name in sorted(tables - large):
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
    if large:
        names = sql.SQL(", ").join(map(sql.Identifier, sorted(large)))
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))


def _copied(connection: "psycopg.Connection[Any]", table: str) -> bytes:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        return b"".join(bytes(part) for part in copy)


def _sequences(connection: "psycopg.Connection[Any]") -> dict[str, int | None]:
    return {name: last for name, last in connection.execute(SEQUENCES.encode())}


def _set(connection: "psycopg.Connection[Any]", sequence: str, last: int | None) -> None:
    if last is None:
        connection.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(sequence)))
    else:
        connection.execute("SELECT setval(%s::regclass, %s)", (f'"{sequence}"', last))
