"""Ids that sent something or tried to log in, and are no units: the newest KEPT of them, from all processes."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select

from cloud_bridge.store.tables import units, unknown_clients
from cloud_bridge.store.upsert import Insert, execute_many, insert_into

KEPT = 500
ID_MAX = 36  # characters, as for a unit


_IS_NONE = unknown_clients.c.id.not_in(select(units.c.id))


class UnknownClient(NamedTuple):
    """What is known of one id."""

    id: str
    first_ms: int
    last_ms: int
    messages: int  # including logins

    def and_then(self, later: "UnknownClient") -> "UnknownClient":
        """Combine two records of the same id."""
        return self._replace(last_ms=later.last_ms, messages=self.messages + later.messages)


@cache
def _once_more(dialect: str) -> Insert:
    statement = insert_into(dialect, unknown_clients)
    messages = unknown_clients.c.messages + statement.excluded.messages
    return statement.on_conflict_do_update(
        index_elements=["id"], set_={"last_ms": statement.excluded.last_ms, "messages": messages}
    )


def record_unknown_clients(connection: Connection, seen: Iterable[UnknownClient]) -> None:
    """Add what was seen of each id, which may occur only once; the oldest are removed. Rows are locked in the order of
    ids, and those that another process has locked are left to it."""
    rows = [one._asdict() for one in sorted(seen)]
    execute_many(connection, _once_more(connection.dialect.name), rows)
    newest = select(unknown_clients.c.id).order_by(unknown_clients.c.last_ms.desc(), unknown_clients.c.id).limit(KEPT)
    oldest = select(unknown_clients.c.id).where(unknown_clients.c.id.not_in(newest)).with_for_update(skip_locked=True)
    connection.execute(delete(unknown_clients).where(unknown_clients.c.id.in_(oldest)))


def read_unknown_clients(connection: Connection) -> list[UnknownClient]:
    """The unknown clients, the one last seen at the end, without those that have become units."""
    query = select(unknown_clients).where(_IS_NONE).order_by(unknown_clients.c.last_ms, unknown_clients.c.id)
    return [UnknownClient(*row) for row in connection.execute(query)]


def count_unknown_clients(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(unknown_clients).where(_IS_NONE)).scalar_one())
