"""Starts a roll-out: which units it is for, which image each gets, and in which ring each is.

The start itself is one short transaction: it counts the units, puts one unit into the first ring, and draws the rings
of the first AT_ONCE others. The rings of the rest are drawn in steps of as many, each a short transaction
(`give_rings`), in the process that leads; no ring is completed before all units have theirs. Two roll-outs cannot run
for the same unit: the later one is not started.

A unit gets the image for its board. A unit without an image for its board, or that has never reported its board, is
left out.
"""

import random
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    collate,
    exists,
    false,
    func,
    insert,
    literal,
    select,
    true,
    update,
)

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.releases.lot import draw, lot_of, read_lot, write_lot
from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.roll_out_states import RollOutState, UnitState
from cloud_bridge.store.fleet import LAST
from cloud_bridge.store.release_tables import release_boards, roll_out_units, roll_outs
from cloud_bridge.store.row_order import in_parts
from cloud_bridge.store.tables import contacts, units
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

HEARD_MS = 2 * HOUR_MS  # a unit that was not heard for longer counts as away
MAX_LIST = 10_000  # units listed one by one
AT_ONCE = 1000  # units whose rings are drawn in one step
TRIED = 1000  # units from which the first is chosen
NOBODY = N_("no unit is chosen: a network is chosen by its digits, a site by how names begin")
START_LOCK = 0x726F6C6C  # number of the advisory lock of PostgreSQL
_DICE = random.SystemRandom()


class ChosenBy(StrEnum):
    """Which units a roll-out is for."""

    ALL = "all"
    NETWORK = "network"  # units that were last on it, given by its digits
    SITE = "site"  # units whose name begins with the text
    LIST = "list"


class Choice(NamedTuple):
    """Which units are chosen. `text` is the network's digits or the beginning of names; `unit_ids` is used for a
    list."""

    by: ChosenBy
    text: str = ""
    unit_ids: Sequence[str] = ()


class Wish(NamedTuple):
    """A roll-out that is to start."""

    version: str
    choice: Choice
    soak_ms: int
    required_by_ms: int | None = None


class Counted(NamedTuple):
    """The numbers of chosen units."""

    heard: int  # heard recently, with an image for their board
    away: int  # not heard recently, with an image for their board
    left_out: int


def start(connection: Connection, wish: Wish, now_ms: int) -> int:
    """Start a roll-out and return its number. Raises ReleaseError if no unit is chosen or can take it, if a listed one
    is unknown, or if another roll-out runs for one of them."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        connection.execute(select(func.pg_advisory_xact_lock(START_LOCK)))
    is_chosen = _is_chosen(connection, wish.choice)
    _refuse_second(connection, is_chosen)
    counted = _count(connection, wish.version, is_chosen, now_ms)
    first, first_is_heard = _first(connection, wish.version, is_chosen, now_ms)
    is_list = wish.choice.by is ChosenBy.LIST
    row = {
        "version": wish.version,
        "chosen_by": wish.choice.by,
        "chosen": f"{len(set(wish.choice.unit_ids))}" if is_list else wish.choice.text,
        "units": counted.heard + counted.away,
        "left_out": counted.left_out,
        "lot": write_lot(lot_of(first, first_is_heard, counted.heard, counted.away)),
        "soak_ms": wish.soak_ms,
        "required_by_ms": wish.required_by_ms,
        "started_ms": now_ms,
        "state": RollOutState.RUNNING,
        "ring": 0,
        "ring_ms": now_ms,
        "why": "",
        "untold": False,
    }
    number: int = connection.execute(insert(roll_outs).returning(roll_outs.c.id), row).scalar_one()
    _add(connection, number, [(first, _release_for(connection, wish.version, first), 0)], now_ms)
    while _step(connection, number, is_chosen) and is_list:  # the ids of a list are not stored
        pass
    return number


def waiting_for_rings(connection: Connection) -> list[int]:
    """The roll-outs in which some units have no ring yet."""
    return list(connection.execute(select(roll_outs.c.id).where(roll_outs.c.lot.is_not(None))).scalars())


def give_rings(connection: Connection, number: int) -> bool:
    """Draw the rings of the next AT_ONCE units. False: all have theirs."""
    query = select(roll_outs.c.chosen_by, roll_outs.c.chosen).where(roll_outs.c.id == number)
    by, text = connection.execute(query).one()
    return _step(connection, number, _is_chosen(connection, Choice(ChosenBy(by), text)))


def _step(connection: Connection, number: int, is_chosen: ColumnElement[bool]) -> bool:
    columns = roll_outs.c
    query = select(columns.version, columns.lot, columns.started_ms).where(columns.id == number)
    version, text, started_ms = connection.execute(query.with_for_update()).one()
    if text is None:  # stopped meanwhile
        return False
    lot = read_lot(text)
    query = (
        select(units.c.id, release_boards.c.release, _is_heard(started_ms))
        .select_from(_OFFERED)
        .where(is_chosen, release_boards.c.version == version, units.c.id > lot.after)
        .order_by(units.c.id)
        .limit(AT_ONCE)
    )
    found = connection.execute(query).all()
    rows = []
    for unit_id, release, is_heard in found:
        lot = lot._replace(after=unit_id)
        if unit_id == lot.first:
            continue
        if is_heard:
            ring, left = draw(lot.heard, _DICE)
            lot = lot._replace(heard=left)
        else:
            ring, left = draw(lot.away, _DICE)
            lot = lot._replace(away=left)
        rows.append((unit_id, release, ring))
    _add(connection, number, rows, started_ms)
    is_last = len(found) < AT_ONCE
    values: dict[str, object] = {"lot": None if is_last else write_lot(lot)}
    if is_last:  # the count made at the start may no longer be correct
        values["units"] = select(func.count()).where(roll_out_units.c.roll_out_id == number).scalar_subquery()
    connection.execute(update(roll_outs).where(columns.id == number).values(values))
    return not is_last


def _add(connection: Connection, number: int, rows: Sequence[tuple[str, str, int]], now_ms: int) -> None:
    """Add units with their release and ring; older roll-outs no longer count for them."""
    column = roll_out_units.c
    for some in in_parts(sorted(row[0] for row in rows)):
        older = and_(column.unit_id.in_(some), column.is_newest)
        if connection.dialect.name == "postgresql":  # as in store/row_order.py
            connection.execute(select(column.unit_id).where(older).order_by(_BY_CODE_POINTS).with_for_update()).all()
        connection.execute(update(roll_out_units).where(older).values(is_newest=False))
    values = [
        {
            "roll_out_id": number,
            "unit_id": unit_id,
            "release": release,
            "ring": ring,
            "is_newest": True,
            "state": UnitState.WAITING,
            "state_ms": now_ms,
            "loaded": 0,
            "why": "",
            "untold": False,
        }
        for unit_id, release, ring in sorted(rows)
    ]
    if values:
        connection.execute(insert(roll_out_units), values)


_CHOOSABLE = units.outerjoin(contacts, contacts.c.unit_id == units.c.id)
_OFFERED = _CHOOSABLE.join(release_boards, release_boards.c.board == units.c.board)
_BY_CODE_POINTS = collate(roll_out_units.c.unit_id, "C")


def _is_heard(now_ms: int) -> ColumnElement[bool]:
    return func.coalesce(contacts.c.last_contact_ms >= now_ms - HEARD_MS, false())


def _count(connection: Connection, version: str, is_chosen: ColumnElement[bool], now_ms: int) -> Counted:
    """Count the chosen units. Raises ReleaseError if none can take it."""
    heard = func.count(case((contacts.c.last_contact_ms >= now_ms - HEARD_MS, 1)))
    chosen: int = connection.execute(select(func.count()).select_from(_CHOOSABLE).where(is_chosen)).scalar_one()
    if not chosen:
        raise ReleaseError(_(NOBODY))
    query = select(heard, func.count()).select_from(_OFFERED)
    some, offered = connection.execute(query.where(is_chosen, release_boards.c.version == version)).one()
    if not offered:
        raise ReleaseError(
            _(
                "no unit can take it: of {chosen} chosen, none has told a board that there is an image of {version} for"
            ).format(chosen=chosen, version=version)
        )
    return Counted(some, offered - some, chosen - offered)


def _first(connection: Connection, version: str, is_chosen: ColumnElement[bool], now_ms: int) -> tuple[str, bool]:
    """The unit of the first ring, and whether it was heard recently."""
    query = select(units.c.id).select_from(_OFFERED).where(is_chosen, release_boards.c.version == version)
    for is_heard, some in ((True, query.where(contacts.c.last_contact_ms >= now_ms - HEARD_MS)), (False, query)):
        if found := list(connection.execute(some.limit(TRIED)).scalars()):
            return _DICE.choice(found), is_heard
    raise ReleaseError(_(NOBODY))


def _release_for(connection: Connection, version: str, unit_id: str) -> str:
    query = select(release_boards.c.release).select_from(_OFFERED)
    found: str = connection.execute(
        query.where(release_boards.c.version == version, units.c.id == unit_id)
    ).scalar_one()
    return found


def _is_chosen(connection: Connection, choice: Choice) -> ColumnElement[bool]:
    if choice.by in (ChosenBy.NETWORK, ChosenBy.SITE) and not choice.text:
        raise ReleaseError(_(NOBODY))
    if choice.by is ChosenBy.NETWORK:
        return contacts.c.operator == choice.text
    if choice.by is ChosenBy.SITE:
        begin = choice.text.lower()
        return and_(units.c.name_lower >= begin, units.c.name_lower < begin + LAST)
    if choice.by is ChosenBy.ALL:
        return true()
    unit_ids = sorted(set(choice.unit_ids))
    if len(unit_ids) > MAX_LIST:
        raise ReleaseError(
            _("a list has at most {most} units: choose by network or site, or all").format(most=f"{MAX_LIST:,}")
        )
    known: set[str] = set()
    for some in in_parts(unit_ids):
        known.update(connection.execute(select(units.c.id).where(units.c.id.in_(some))).scalars())
    unknown = [unit_id for unit_id in unit_ids if unit_id not in known]
    if unknown:
        said = _("{unit} is no unit, nor are {n} more") if unknown[1:] else _("{unit} is no unit")
        raise ReleaseError(said.format(unit=repr(unknown[0]), n=len(unknown) - 1))
    return units.c.id.in_(unit_ids) if unit_ids else false()


def _refuse_second(connection: Connection, is_chosen: ColumnElement[bool]) -> None:
    if unfinished := waiting_for_rings(connection):
        raise ReleaseError(
            _("roll-out {number} is still giving its units their rings: try again in a minute").format(
                number=unfinished[0]
            )
        )
    column = roll_out_units.c
    runs = exists().where(
        column.unit_id == units.c.id,
        column.is_newest,
        column.roll_out_id == roll_outs.c.id,
        roll_outs.c.state == RollOutState.RUNNING,
    )
    of_running: Select[Any] = select(roll_outs.c.id, roll_outs.c.version).where(
        roll_outs.c.state == RollOutState.RUNNING,
        exists(
            select(literal(1))
            .select_from(_CHOOSABLE.join(roll_out_units, column.unit_id == units.c.id))
            .where(is_chosen, column.is_newest, column.roll_out_id == roll_outs.c.id)
        ),
    )
    first = connection.execute(of_running.order_by(roll_outs.c.id)).first()
    if first is not None:
        count = connection.execute(select(func.count()).select_from(_CHOOSABLE).where(is_chosen, runs)).scalar_one()
        raise ReleaseError(
            _("roll-out {number} of {version} runs for {n} of these units: stop it first").format(
                number=first[0], version=first[1], n=count
            )
        )
