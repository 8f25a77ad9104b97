"""Roll-outs: a release to some units, ring after ring. Each unit is in one roll-out that counts for it, the newest.

At the start every unit is given its ring by lot, those that were heard lately first: so the first rings are of units that can
answer, and of all kinds. Two roll-outs cannot run for one unit: the later one is not started.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    Integer,
    Row,
    and_,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.releases.decision import Decision, RingCount
from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.roll_out_states import OPEN, RINGS, Happened, RollOutState, UnitState, follow, ring_ends
from cloud_bridge.store.fleet import LAST
from cloud_bridge.store.release_tables import releases, roll_out_units, roll_outs
from cloud_bridge.store.row_order import in_parts
from cloud_bridge.store.tables import contacts, units

HEARD_MS = 2 * HOUR_MS  # a unit that was not heard for longer is away
MAX_LIST = 10_000  # units that are named one by one
MAX_WHY = 200  # characters of the column
SHOWN = 100  # roll-outs of a list
NOBODY = "no unit is chosen: a network is chosen by its digits, a site by how names begin"
START_LOCK = 0x726F6C6C  # of PostgreSQL


class ChosenBy(StrEnum):
    """Which units a roll-out is for."""

    ALL = "all"
    NETWORK = "network"  # those last on it, by its digits
    SITE = "site"  # those whose name begins so
    LIST = "list"


class Choice(NamedTuple):
    """`text` is the network's digits, or how names begin; `unit_ids` are of a list."""

    by: ChosenBy
    text: str = ""
    unit_ids: Sequence[str] = ()


class RollOut(NamedTuple):
    number: int
    release: str  # its name
    version: str
    manifest: bytes  # signed
    chosen_by: ChosenBy
    chosen: str
    units: int
    soak_ms: int
    required_by_ms: int | None
    started_ms: int
    state: RollOutState
    ring: int
    ring_ms: int
    ended_ms: int | None
    why: str


class UnitUpdate(NamedTuple):
    """How far one unit has come with its newest roll-out."""

    roll_out: int
    version: str
    manifest: bytes
    state: UnitState
    state_ms: int
    is_stopped: bool
    is_reached: bool  # its ring is
    loaded: int  # bytes of the image that it was sent
    why: str  # it refused, or went back
    required_by_ms: int | None


class Wish(NamedTuple):
    """A roll-out that is to start."""

    release: str  # its name
    choice: Choice
    soak_ms: int
    required_by_ms: int | None = None


def start(connection: Connection, wish: Wish, now_ms: int) -> int:
    """Returns its number. Raises ReleaseError when no unit is chosen, a listed one is unknown, or another roll-out runs for
    one of them."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        connection.execute(select(func.pg_advisory_xact_lock(START_LOCK)))
    is_chosen = _is_chosen(connection, wish.choice)
    _refuse_second(connection, is_chosen)
    count: int = connection.execute(select(func.count()).select_from(_CHOOSABLE).where(is_chosen)).scalar_one()
    if not count:
        raise ReleaseError(NOBODY)
    row = {
        "release": wish.release,
        "chosen_by": wish.choice.by,
        "chosen": wish.choice.text or (f"{count}" if wish.choice.by is ChosenBy.LIST else ""),
        "units": count,
        "soak_ms": wish.soak_ms,
        "required_by_ms": wish.required_by_ms,
        "started_ms": now_ms,
        "state": RollOutState.RUNNING,
        "ring": 0,
        "ring_ms": now_ms,
        "why": "",
    }
    number: int = connection.execute(insert(roll_outs).returning(roll_outs.c.id), row).scalar_one()
    of_chosen = roll_out_units.c.unit_id.in_(select(units.c.id).select_from(_CHOOSABLE).where(is_chosen))
    connection.execute(update(roll_out_units).where(roll_out_units.c.is_newest, of_chosen).values(is_newest=False))
    connection.execute(_give_rings(number, count, is_chosen, now_ms))
    return number


def stop(connection: Connection, number: int, why: str, now_ms: int) -> None:
    """Raises ReleaseError for one that is not there, or is stopped."""
    apply(connection, find_roll_out(connection, number), Decision(Happened.STOP, why), now_ms)


def apply(connection: Connection, roll_out: RollOut, decision: Decision, now_ms: int) -> None:
    """What was decided of the roll-out as it was. Nothing, if it has changed since. Raises ReleaseError where its state does
    not allow it."""
    if decision.happened is None:
        return
    state = follow(roll_out.state, decision.happened)
    values: dict[str, object] = {"state": state, "why": decision.why[:MAX_WHY]}
    if state is RollOutState.RUNNING:
        values |= {"ring": roll_out.ring + 1, "ring_ms": now_ms}
    else:
        values["ended_ms"] = now_ms
    as_it_was = and_(
        roll_outs.c.id == roll_out.number, roll_outs.c.state == roll_out.state, roll_outs.c.ring == roll_out.ring
    )
    connection.execute(update(roll_outs).where(as_it_was).values(values))


def find_roll_out(connection: Connection, number: int) -> RollOut:
    """Raises ReleaseError for one that is not there."""
    row = connection.execute(_ROLL_OUTS.where(roll_outs.c.id == number)).first()
    if row is None:
        raise ReleaseError(f"there is no roll-out {number}")
    return _roll_out(row)


def list_roll_outs(connection: Connection) -> list[RollOut]:
    """The newest first, SHOWN at most."""
    return [_roll_out(row) for row in connection.execute(_ROLL_OUTS.order_by(roll_outs.c.id.desc()).limit(SHOWN))]


def watched(connection: Connection) -> list[RollOut]:
    """Those that are to be decided: that run, or are done and still on their way to some unit."""
    column = roll_out_units.c
    is_open = exists().where(column.roll_out_id == roll_outs.c.id, column.state.in_(OPEN), column.is_newest)
    is_watched = or_(roll_outs.c.state == RollOutState.RUNNING, and_(roll_outs.c.state == RollOutState.DONE, is_open))
    return [_roll_out(row) for row in connection.execute(_ROLL_OUTS.where(is_watched).order_by(roll_outs.c.id))]


def update_of(connection: Connection, unit_id: str) -> UnitUpdate | None:
    """None: no roll-out was ever for it."""
    column = roll_out_units.c
    query = (
        select(
            roll_outs.c.id,
            releases.c.version,
            releases.c.manifest,
            column.state,
            column.state_ms,
            roll_outs.c.state == RollOutState.STOPPED,
            column.ring <= roll_outs.c.ring,
            column.loaded,
            column.why,
            roll_outs.c.required_by_ms,
        )
        .join(roll_outs, roll_outs.c.id == column.roll_out_id)
        .join(releases, releases.c.name == roll_outs.c.release)
        .where(column.unit_id == unit_id, column.is_newest)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    found = UnitUpdate._make(row)
    return found._replace(state=UnitState(found.state))


def count_states(connection: Connection, number: int) -> dict[int, dict[UnitState, int]]:
    """By ring and state. Rings without units are left out."""
    column = roll_out_units.c
    query = select(column.ring, column.state, func.count()).where(column.roll_out_id == number)
    found: dict[int, dict[UnitState, int]] = {}
    for ring, state, count in connection.execute(query.group_by(column.ring, column.state)):
        found.setdefault(ring, {})[UnitState(state)] = count
    return found


def total(states: dict[int, dict[UnitState, int]]) -> dict[UnitState, int]:
    """Of all rings, in the order in which a unit goes through the states; those of no unit are left out."""
    counts = {state: sum(ring.get(state, 0) for ring in states.values()) for state in UnitState}
    return {state: count for state, count in counts.items() if count}


def ring_count(states: dict[UnitState, int]) -> RingCount:
    """Of one ring."""
    return RingCount(sum(states.values()), states.get(UnitState.REFUSED, 0), states.get(UnitState.GOOD, 0))


def reached_by_hour(connection: Connection, number: int, state: UnitState) -> list[tuple[int, int]]:
    """When units came to the state that they are in: the beginning of an hour, and how many in it."""
    column = roll_out_units.c
    hour_ms = column.state_ms - column.state_ms % HOUR_MS
    query = select(hour_ms, func.count()).where(column.roll_out_id == number, column.state == state)
    return [(int(at_ms), count) for at_ms, count in connection.execute(query.group_by(hour_ms).order_by(hour_ms))]


_CHOOSABLE = units.outerjoin(contacts, contacts.c.unit_id == units.c.id)
_ROLL_OUTS = select(
    roll_outs.c.id,
    roll_outs.c.release,
    releases.c.version,
    releases.c.manifest,
    *(roll_outs.c[name] for name in RollOut._fields[4:]),
).join(releases, releases.c.name == roll_outs.c.release)


def _roll_out(row: Row[Any]) -> RollOut:
    found = RollOut._make(row)
    return found._replace(chosen_by=ChosenBy(found.chosen_by), state=RollOutState(found.state))


def _is_chosen(connection: Connection, choice: Choice) -> ColumnElement[bool]:
    if choice.by in (ChosenBy.NETWORK, ChosenBy.SITE) and not choice.text:
        raise ReleaseError(NOBODY)
    if choice.by is ChosenBy.NETWORK:
        return contacts.c.operator == choice.text
    if choice.by is ChosenBy.SITE:
        begin = choice.text.lower()
        return and_(units.c.name_lower >= begin, units.c.name_lower < begin + LAST)
    if choice.by is ChosenBy.ALL:
        return true()
    unit_ids = sorted(set(choice.unit_ids))
    if len(unit_ids) > MAX_LIST:
        raise ReleaseError(f"a list has at most {MAX_LIST:,} units: choose by network or site, or all")
    known: set[str] = set()
    for some in in_parts(unit_ids):
        known.update(connection.execute(select(units.c.id).where(units.c.id.in_(some))).scalars())
    unknown = [unit_id for unit_id in unit_ids if unit_id not in known]
    if unknown:
        raise ReleaseError(f"{unknown[0]!r} is no unit" + (f", nor are {len(unknown) - 1} more" if unknown[1:] else ""))
    return units.c.id.in_(unit_ids) if unit_ids else false()


def _refuse_second(connection: Connection, is_chosen: ColumnElement[bool]) -> None:
    runs = exists().where(
        roll_out_units.c.unit_id == units.c.id,
        roll_out_units.c.is_newest,
        roll_out_units.c.roll_out_id == roll_outs.c.id,
        roll_outs.c.state == RollOutState.RUNNING,
    )
    query = select(roll_outs.c.id, releases.c.version).join(releases, releases.c.name == roll_outs.c.release)
    of_running = query.where(
        roll_outs.c.state == RollOutState.RUNNING,
        exists(
            select(literal(1))
            .select_from(_CHOOSABLE.join(roll_out_units, roll_out_units.c.unit_id == units.c.id))
            .where(is_chosen, roll_out_units.c.is_newest, roll_out_units.c.roll_out_id == roll_outs.c.id)
        ),
    )
    first = connection.execute(of_running.order_by(roll_outs.c.id)).first()
    if first is not None:
        count = connection.execute(select(func.count()).select_from(_CHOOSABLE).where(is_chosen, runs)).scalar_one()
        raise ReleaseError(f"roll-out {first[0]} of {first[1]} runs for {count} of these units: stop it first")


def _give_rings(number: int, count: int, is_chosen: ColumnElement[bool], now_ms: int) -> Insert:
    is_away = case((contacts.c.last_contact_ms >= now_ms - HEARD_MS, 0), else_=1)
    by_lot = select(units.c.id, func.row_number().over(order_by=(is_away, func.random())).label("rank")).select_from(
        _CHOOSABLE
    )
    lot = by_lot.where(is_chosen).subquery()
    ends = ring_ends(count)
    ring = case(*((lot.c.rank <= end, ring) for ring, end in enumerate(ends)), else_=len(RINGS) - 1)
    values: dict[str, Any] = {
        "roll_out_id": literal(number, BigInteger),
        "unit_id": lot.c.id,
        "ring": ring,
        "is_newest": true(),
        "state": literal(UnitState.WAITING.value),
        "state_ms": literal(now_ms, BigInteger),
        "loaded": literal(0, Integer),
        "why": literal(""),
    }
    return insert(roll_out_units).from_select(list(values), select(*values.values()))
