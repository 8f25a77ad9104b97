"""The requests of units for parts of their updates: whether they may have them, and how much they were sent in a
month."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from cloud_bridge.releases.roll_out_states import MAY_ASK, RollOutState
from cloud_bridge.store.release_tables import releases, roll_out_units, roll_outs, update_bytes
from cloud_bridge.store.upsert import replace

MANIFEST, IMAGE = 0, 1


class Answer(StrEnum):
    """The result of one request; for all but the first, nothing is sent."""

    SERVED = "served"
    NO_ORDER = "without_order"
    BEYOND = "beyond_file"
    OVER_BUDGET = "over_budget"


class Asked(NamedTuple):
    """A request for a part of a file."""

    unit_id: str
    name: str  # of the release
    file: int  # MANIFEST or IMAGE
    offset: int
    size: int  # bytes requested


class Part(NamedTuple):
    """What is sent: `size` is limited by the end of the file, and is 0 if nothing is sent."""

    answer: Answer
    size: int = 0


class Budget(NamedTuple):
    """The data budget of one unit."""

    month: int  # the present one, counted since 1970
    most_bytes: int  # in a month
    extra_bytes: int  # transmitted with each piece in addition to its content
    piece_bytes: int

    def cost(self, size: int) -> int:
        """The number of bytes transmitted for a part of a file."""
        return size + -(-size // self.piece_bytes) * self.extra_bytes


def permit(connection: Connection, asks: Sequence[Asked], budget: Budget) -> list[Part]:
    """Decide about requests, in their order. What may be sent is counted as sent."""
    return [_permit(connection, ask, budget) for ask in asks]


def sent_in(connection: Connection, unit_id: str, month: int) -> int:
    """The number of bytes sent in that month."""
    query = select(update_bytes.c.bytes).where(update_bytes.c.unit_id == unit_id, update_bytes.c.month == month)
    return connection.execute(query).scalar() or 0


def _permit(connection: Connection, ask: Asked, budget: Budget) -> Part:
    column = roll_out_units.c
    file = releases.c.manifest if ask.file == MANIFEST else releases.c.image
    query = (
        select(column.roll_out_id, column.loaded, func.length(file))
        .join(roll_outs, roll_outs.c.id == column.roll_out_id)
        .join(releases, releases.c.name == column.release)
        .where(column.unit_id == ask.unit_id, column.is_newest, column.state.in_(MAY_ASK))
        .where(column.release == ask.name, roll_outs.c.state != RollOutState.STOPPED)
    )
    found = connection.execute(query.with_for_update(of=roll_out_units)).first()
    if found is None:
        return Part(Answer.NO_ORDER)
    number, loaded, whole = found
    size = min(ask.size, whole - ask.offset)
    if size <= 0:
        return Part(Answer.BEYOND)
    before = sent_in(connection, ask.unit_id, budget.month)
    after = before + budget.cost(size)
    if after > budget.most_bytes:
        return Part(Answer.OVER_BUDGET)
    replace(connection, update_bytes, [{"unit_id": ask.unit_id, "month": budget.month, "bytes": after}])
    if ask.file == IMAGE and ask.offset + size > loaded:
        is_it = (column.roll_out_id == number) & (column.unit_id == ask.unit_id)
        connection.execute(update(roll_out_units).where(is_it).values(loaded=ask.offset + size))
    return Part(Answer.SERVED, size)
