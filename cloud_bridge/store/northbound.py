"""Units that are shown to an external OCPP back-end, with the consent of their present owner. It ends when the unit
changes hands, and the back-end receives nothing from before it."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, bindparam, delete, func, literal, select, update

from cloud_bridge.contact import StoredContact
from cloud_bridge.errors import BridgeError
from cloud_bridge.northbound.transactions import Ended, Transaction, restored, stored
from cloud_bridge.store.ownership import HAPPENED, is_owners
from cloud_bridge.store.readable import LATEST_MS
from cloud_bridge.store.tables import contacts, heartbeats, northbound, sessions, units
from cloud_bridge.store.units import Protocol
from cloud_bridge.store.upsert import replace
from cloud_bridge.wire import BadPayload, Heartbeat, decode

UNITS_MAX = 1000  # in one service: one process has a connection for each of them
SESSIONS_AT_ONCE = 5  # of each unit

_ENDED_MS = func.coalesce(sessions.c.ended_s * literal(1000, BigInteger), sessions.c.received_ms)


class Setting(NamedTuple):
    """The back-end of a unit, and the identity there. A changed setting has another `since_ms`."""

    unit_id: str
    since_ms: int
    url: str
    identity: str
    secret: str
    id_tag: str  # used for all transactions, instead of that of a real card
    may_command: bool

    def __repr__(self) -> str:
        return f"Setting({self.unit_id}, {self.url})"  # never the secret


class Stored(NamedTuple):
    """What the back-end has received so far (northbound.reporter.Progress)."""

    told_id: int
    transaction: Transaction | None
    dropped: int


class ShownUnit(NamedTuple):
    """A unit, with the data for its back-end."""

    setting: Setting
    stored: Stored
    board: str | None
    firmware: str | None
    is_ocpp: bool
    silent_after_ms: int
    contact: StoredContact | None  # None if there was no contact
    heartbeat: Heartbeat  # of the present ownership; empty if there is none
    heartbeat_ms: int | None
    sessions: tuple[Ended, ...]  # the oldest that the back-end has not received yet


class LinkState(NamedTuple):
    """The state of the connection to a back-end, for display; None for what has not happened."""

    connected_ms: int | None = None
    answered_ms: int | None = None
    refused_ms: int | None = None
    refused: str | None = None  # northbound.link_errors
    refused_detail: str | None = None


class Shown(NamedTuple):
    """The back-end of a unit, for people who may see the unit. It has no secret."""

    url: str
    identity: str
    may_command: bool
    dropped: int
    link: LinkState


def show(connection: Connection, setting: Setting, agreed_by: int) -> None:
    """Show a unit to a back-end, instead of any other. Raises BridgeError if the person is not its owner or there are
    UNITS_MAX units already."""
    owner = select(units.c.owner_id).where(units.c.id == setting.unit_id)
    if connection.execute(owner).scalar() != agreed_by:
        raise BridgeError(f"only the owner of {setting.unit_id} can agree to that")
    others = select(func.count()).select_from(northbound).where(northbound.c.unit_id != setting.unit_id)
    if connection.execute(others).scalar_one() >= UNITS_MAX:
        raise BridgeError(f"{UNITS_MAX} units are shown already, which is the most that one service can")
    newest = select(func.max(sessions.c.id)).where(sessions.c.unit_id == setting.unit_id)
    told_id = connection.execute(newest).scalar() or 0
    nothing = {"open_transaction": None, "dropped": 0, **LinkState()._asdict()}
    replace(connection, northbound, [{**setting._asdict(), "told_id": told_id, **nothing}])


def hide(connection: Connection, unit_id: str) -> bool:
    """Stop showing the unit to a back-end. Return False if it was not shown."""
    return connection.execute(delete(northbound).where(northbound.c.unit_id == unit_id)).rowcount == 1


def shown_of(connection: Connection, unit_id: str) -> Shown | None:
    """Return the back-end of a unit, or None if it is not shown to any."""
    row = connection.execute(_of_one(), {"unit": unit_id}).one_or_none()
    return None if row is None else Shown(row.url, row.identity, row.may_command, row.dropped, LinkState(*row[4:]))


@cache
def _of_one() -> Select[Any]:
    columns = ("url", "identity", "may_command", "dropped", *LinkState._fields)
    return select(*(northbound.c[name] for name in columns)).where(northbound.c.unit_id == bindparam("unit"))


def shown_units(connection: Connection) -> list[ShownUnit]:
    """Return all units with a back-end, with the data to send now."""
    of_unit = (units.c.board, units.c.firmware, units.c.protocol, units.c.silent_after_ms)
    of_contact = [contacts.c[name] for name in ("last_contact_ms", "listened_ms", "latest_ms", "shard")]
    own_heartbeat = (heartbeats.c.unit_id == units.c.id) & is_owners(heartbeats)
    query = (
        select(northbound, *of_unit, *of_contact, heartbeats.c.payload, heartbeats.c.received_ms)
        .join(units, units.c.id == northbound.c.unit_id)
        .outerjoin(contacts, contacts.c.unit_id == units.c.id)
        .outerjoin(heartbeats, own_heartbeat)
        .where(units.c.owner_id.is_not(None))
    )
    rows = connection.execute(query.order_by(units.c.id).limit(UNITS_MAX)).all()
    ended = _untold(connection)
    return [_shown(row._mapping, ended.get(row.unit_id, ())) for row in rows]


def newest_end_ms(connection: Connection, unit_id: str) -> int:
    """Return when the newest stored session of the unit ended, or 0 if there is none."""
    return int(connection.execute(select(func.max(_ENDED_MS)).where(sessions.c.unit_id == unit_id)).scalar() or 0)


def record_progress(connection: Connection, setting: Setting, new: Stored) -> None:
    """Store the progress with a back-end, unless the unit's setting has changed."""
    values = {"told_id": new.told_id, "open_transaction": stored(new.transaction), "dropped": new.dropped}
    connection.execute(update(northbound).where(*_is_still(setting)).values(values))


def record_links(connection: Connection, states: Sequence[tuple[Setting, LinkState]]) -> None:
    """Store the states of connections, except for units whose setting has changed."""
    for setting, state in sorted(states):
        connection.execute(update(northbound).where(*_is_still(setting)).values(state._asdict()))


def all_disconnected(connection: Connection) -> None:
    """Mark all connections as closed: the process that held them has ended."""
    open_ones = northbound.c.connected_ms.is_not(None)
    connection.execute(update(northbound).where(open_ones).values(connected_ms=None))


def _is_still(setting: Setting) -> tuple[Any, ...]:
    return northbound.c.unit_id == setting.unit_id, northbound.c.since_ms == setting.since_ms


def _shown(row: Mapping[Any, Any], ended: Sequence[Ended]) -> ShownUnit:
    contact = tuple(row[name] for name in ("last_contact_ms", "listened_ms", "latest_ms", "shard"))
    heartbeat_ms = _count(row["received_ms"])
    is_heard = all(type(one) is int and one >= 0 for one in contact)
    return ShownUnit(
        Setting(*(row[name] for name in Setting._fields)),
        Stored(row["told_id"], restored(row["open_transaction"]), row["dropped"]),
        row["board"],
        row["firmware"],
        row["protocol"] == Protocol.OCPP,
        row["silent_after_ms"],
        StoredContact(*contact) if is_heard else None,
        _heartbeat(row["payload"]),
        heartbeat_ms if heartbeat_ms is not None and heartbeat_ms <= LATEST_MS else None,
        tuple(ended),
    )


def _heartbeat(payload: Any) -> Heartbeat:
    try:
        message = decode("heartbeat", payload.encode()) if isinstance(payload, str) else None
    except (BadPayload, UnicodeEncodeError):  # written by another version of the bridge, or not by the bridge
        message = None
    return message if isinstance(message, Heartbeat) else Heartbeat()


def _untold(connection: Connection) -> dict[str, list[Ended]]:
    """Return the oldest sessions of each unit that the back-end has not received and that ended since the unit is
    shown."""
    told = [
        sessions.c[name] for name in ("id", "unit_id", "received_ms", "started_s", "ended_s", "duration_s", "energy_wh")
    ]
    owned_from_ms = select(units.c.owned_from_ms).where(units.c.id == sessions.c.unit_id).scalar_subquery()
    whose = (HAPPENED[sessions].began_ms.label("at_ms"), owned_from_ms.label("owned_from_ms"))
    untold = (
        select(*told, sessions.c.meter_began_wh, sessions.c.reason, *whose)
        .join(northbound, northbound.c.unit_id == sessions.c.unit_id)
        .where(sessions.c.id > northbound.c.told_id, northbound.c.since_ms <= _ENDED_MS)
        .subquery()
    )
    place = func.row_number().over(partition_by=untold.c.unit_id, order_by=untold.c.id).label("place")
    owners = select(untold, place).where(untold.c.at_ms >= untold.c.owned_from_ms).subquery()
    query = select(owners).where(owners.c.place <= SESSIONS_AT_ONCE).order_by(owners.c.id)
    found: dict[str, list[Ended]] = {}
    for row in connection.execute(query):
        found.setdefault(row.unit_id, []).append(_ended(row))
    return found


def _ended(row: Any) -> Ended:
    """Return a session. If its end is not known, use the time when its record was received."""
    ended_s, lasted_s = _count(row.ended_s), _count(row.duration_s)
    ended_ms = _count(row.received_ms) if ended_s is None else ended_s * 1000
    began_ms = None if _count(row.started_s) is None else row.started_s * 1000
    if began_ms is None and ended_ms is not None and lasted_s is not None:
        began_ms = ended_ms - lasted_s * 1000
    reason = row.reason if isinstance(row.reason, str) else None
    return Ended(row.id, began_ms, ended_ms, _count(row.energy_wh), _count(row.meter_began_wh), reason)


def _count(value: Any) -> int | None:
    """Return the value if it is a count, else None. SQLite does not enforce column types, so check."""
    return value if type(value) is int and value >= 0 else None
