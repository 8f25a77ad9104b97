"""Roll-outs: each distributes a version to some units, ring after ring. For each unit only its newest roll-out counts.
For the start of a roll-out see roll_out_start.py.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, bindparam, exists, func, or_, select, update

from cloud_bridge.durations import HOUR_MS
from cloud_bridge.releases.decision import Decision, RingCount
from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.roll_out_states import OPEN, Happened, RollOutState, UnitState, follow
from cloud_bridge.store.release_tables import releases, roll_out_units, roll_outs
from cloud_bridge.store.roll_out_start import ChosenBy
from cloud_bridge.words import gettext as _

MAX_WHY = 200  # characters of the column
SHOWN = 100  # roll-outs in a list


class RollOut(NamedTuple):
    number: int
    version: str
    chosen_by: ChosenBy
    chosen: str
    units: int
    left_out: int  # chosen units for whose board there is no image
    is_drawn: bool  # every unit has its ring
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
    is_reached: bool  # the roll-out has reached the unit's ring
    loaded: int  # bytes of the image that it was sent
    why: str  # why it refused, or went back
    required_by_ms: int | None


def stop(connection: Connection, number: int, why: str, now_ms: int) -> None:
    """Stop a roll-out. Raises ReleaseError if it does not exist or is stopped already."""
    apply(connection, find_roll_out(connection, number), Decision(Happened.STOP, why), now_ms, by_itself=False)


def apply(connection: Connection, roll_out: RollOut, decision: Decision, now_ms: int, by_itself: bool = True) -> None:
    """Carry out what was decided about a roll-out; nothing if the roll-out has changed since. Operators are alerted if
    it stops by itself. Raises ReleaseError if its state does not allow the decision."""
    if decision.happened is None:
        return
    state = follow(roll_out.state, decision.happened)
    values: dict[str, object] = {"state": state, "why": decision.why[:MAX_WHY]}
    values["untold"] = by_itself and state is RollOutState.STOPPED
    if state is RollOutState.RUNNING:
        values |= {"ring": roll_out.ring + 1, "ring_ms": now_ms}
    else:
        values |= {"ended_ms": now_ms, "lot": None}
    as_it_was = and_(
        roll_outs.c.id == roll_out.number, roll_outs.c.state == roll_out.state, roll_outs.c.ring == roll_out.ring
    )
    connection.execute(update(roll_outs).where(as_it_was).values(values))


def find_roll_out(connection: Connection, number: int) -> RollOut:
    """Return a roll-out. Raises ReleaseError if it does not exist."""
    row = connection.execute(_ROLL_OUTS.where(roll_outs.c.id == number)).first()
    if row is None:
        raise ReleaseError(_("there is no roll-out {number}").format(number=number))
    return _roll_out(row)


def list_roll_outs(connection: Connection) -> list[RollOut]:
    """The newest roll-outs, newest first, at most SHOWN."""
    return [_roll_out(row) for row in connection.execute(_ROLL_OUTS.order_by(roll_outs.c.id.desc()).limit(SHOWN))]


def watched(connection: Connection) -> list[RollOut]:
    """The roll-outs that have to be decided about: those that run, and those that are done while some units still
    update."""
    column = roll_out_units.c
    is_open = exists().where(column.roll_out_id == roll_outs.c.id, column.state.in_(OPEN), column.is_newest)
    is_watched = or_(roll_outs.c.state == RollOutState.RUNNING, and_(roll_outs.c.state == RollOutState.DONE, is_open))
    return [_roll_out(row) for row in connection.execute(_ROLL_OUTS.where(is_watched).order_by(roll_outs.c.id))]


def update_of(connection: Connection, unit_id: str) -> UnitUpdate | None:
    """How far the unit has come. None: it was never in a roll-out."""
    row = connection.execute(_UPDATE, {"unit": unit_id}).first()
    if row is None:
        return None
    found = UnitUpdate._make(row)
    return found._replace(state=UnitState(found.state))


_UPDATE = (
    select(
        roll_outs.c.id,
        releases.c.version,
        releases.c.manifest,
        roll_out_units.c.state,
        roll_out_units.c.state_ms,
        roll_outs.c.state == RollOutState.STOPPED,
        roll_out_units.c.ring <= roll_outs.c.ring,
        roll_out_units.c.loaded,
        roll_out_units.c.why,
        roll_outs.c.required_by_ms,
    )
    .join(roll_outs, roll_outs.c.id == roll_out_units.c.roll_out_id)
    .join(releases, releases.c.name == roll_out_units.c.release)
    .where(roll_out_units.c.unit_id == bindparam("unit"), roll_out_units.c.is_newest)
)


def count_states(connection: Connection, number: int) -> dict[int, dict[UnitState, int]]:
    """The numbers of units by ring and state. Rings without units are left out."""
    column = roll_out_units.c
    query = select(column.ring, column.state, func.count()).where(column.roll_out_id == number)
    found: dict[int, dict[UnitState, int]] = {}
    for ring, state, count in connection.execute(query.group_by(column.ring, column.state)):
        found.setdefault(ring, {})[UnitState(state)] = count
    return found


def total(states: dict[int, dict[UnitState, int]]) -> dict[UnitState, int]:
    """The counts over all rings, in the order in which a unit goes through the states; states without units are left
    out."""
    counts = {state: sum(ring.get(state, 0) for ring in states.values()) for state in UnitState}
    return {state: count for state, count in counts.items() if count}


def ring_count(states: dict[UnitState, int]) -> RingCount:
    """The counts of one ring."""
    return RingCount(sum(states.values()), states.get(UnitState.REFUSED, 0), states.get(UnitState.GOOD, 0))


def reached_by_hour(connection: Connection, number: int, state: UnitState) -> list[tuple[int, int]]:
    """When units reached the given state: the beginning of each hour, and the number of units in it."""
    column = roll_out_units.c
    hour_ms = column.state_ms - column.state_ms % HOUR_MS
    query = select(hour_ms, func.count()).where(column.roll_out_id == number, column.state == state)
    return [(int(at_ms), count) for at_ms, count in connection.execute(query.group_by(hour_ms).order_by(hour_ms))]


_ROLL_OUTS: Select[Any] = select(
    roll_outs.c.id,
    *(roll_outs.c[name] for name in ("version", "chosen_by", "chosen", "units", "left_out")),
    roll_outs.c.lot.is_(None),
    *(roll_outs.c[name] for name in RollOut._fields[7:]),
)


def _roll_out(row: Row[Any]) -> RollOut:
    found = RollOut._make(row)
    return found._replace(chosen_by=ChosenBy(found.chosen_by), state=RollOutState(found.state))
