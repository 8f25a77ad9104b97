"""What units report about updates, stored in the transaction that stores their messages: which version each runs, on
which board, and how far each has come with its roll-out (releases/roll_out_states.py).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Boolean, Connection, bindparam, case, func, or_, select, update

from cloud_bridge.releases.roll_out_states import Told, UnitState, unit_after
from cloud_bridge.store.firmware import count_changes
from cloud_bridge.store.inbound_message import InboundMessage
from cloud_bridge.store.release_tables import releases, roll_out_units
from cloud_bridge.store.row_order import in_parts, lock_in_order
from cloud_bridge.store.tables import units
from cloud_bridge.wire import Event, Heartbeat, Message, Result

EVENT = "update"
ORDER, WITHDRAWAL = "u", "w"  # how the ids of commands begin
MAX_VERSION = 40  # characters of the column
_BOARD = re.compile(r"[a-z0-9_]{1,32}")  # as in a manifest
MAX_WHY = 40  # likewise
_COMMAND = re.compile(r"([uw])-([0-9a-f]{16})-[0-9a-f]{8}")
_OF_UNITS = {
    told.value: told for told in (Told.REFUSED, Told.INSTALLED, Told.TRIAL, Told.GOOD, Told.ROLLED_BACK, Told.CORRUPT)
}


class Runs(NamedTuple):
    """The version, None if the boot event does not report it; and the board, None if nothing new is reported about
    it."""

    version: str | None
    board: str | None


class Report(NamedTuple):
    """What one unit reports about one release."""

    unit_id: str
    about: str  # the version, or the name of the release
    told: Told
    why: str
    at_ms: int


_NOTHING = Runs(None, None)


def versions_in(messages: Sequence[InboundMessage]) -> dict[str, Runs]:
    """What each unit reports that it runs, by unit id. Units that do not report it are left out."""
    found: dict[str, Runs] = {}
    for one in messages:
        before = found.get(one.unit_id, _NOTHING)
        if isinstance(one.message, Heartbeat):
            if (version := _text(one.message.get("new_version"))) is not None:
                found[one.unit_id] = before._replace(version=version)
        elif _is_boot(one.message):
            found[one.unit_id] = Runs(_booted(one.message), _board(one.message) or before.board)
    return found


def reports_in(messages: Sequence[InboundMessage]) -> list[Report]:
    """The reports in the messages, in order of arrival."""
    return [report for one in messages if (report := _report(one)) is not None]


def record_versions(connection: Connection, said: dict[str, Runs]) -> None:
    """Store what units run, given by unit id, and update the count of units for each version."""
    if not said:
        return
    lock_in_order(connection, units.c.id, said)
    before: dict[str, str | None] = {}
    for some in in_parts(sorted(said)):
        query = select(units.c.id, units.c.firmware).where(units.c.id.in_(some))
        before |= {unit_id: version for unit_id, version in connection.execute(query)}
    rows = [{"unit": unit_id, "version": runs.version, "on": runs.board} for unit_id, runs in sorted(said.items())]
    connection.execute(_RUNS, rows)
    count_changes(connection, [(was, said[unit_id].version) for unit_id, was in before.items()])


def record_reports(connection: Connection, reports: Sequence[Report]) -> None:
    """Advance each unit's newest roll-out as far as its reports say. Reports about another release change nothing."""
    unit_ids = sorted({report.unit_id for report in reports})
    changed = []
    for some in in_parts(unit_ids):
        for roll_out_id, unit_id, name, version, state in connection.execute(
            _NEWEST.where(roll_out_units.c.unit_id.in_(some)).order_by(roll_out_units.c.unit_id)
        ):
            own = [one for one in reports if one.unit_id == unit_id and one.about in (name, version)]
            changed += _changes(roll_out_id, UnitState(state), own)
    if changed:
        connection.execute(_MOVE, changed)


_RUNS = (
    update(units)
    .where(units.c.id == bindparam("unit"))
    .values(
        firmware=bindparam("version", type_=units.c.firmware.type),
        board=func.coalesce(bindparam("on", type_=units.c.board.type), units.c.board),
    )
)
_NEWEST = (
    select(
        roll_out_units.c.roll_out_id,
        roll_out_units.c.unit_id,
        releases.c.name,
        releases.c.version,
        roll_out_units.c.state,
    )
    .join(releases, releases.c.name == roll_out_units.c.release)
    .where(roll_out_units.c.is_newest)
    .with_for_update(of=roll_out_units)
)
_installed_ms = bindparam("installed", type_=BigInteger)
_MOVE = (
    update(roll_out_units)
    .where(roll_out_units.c.roll_out_id == bindparam("number"), roll_out_units.c.unit_id == bindparam("unit"))
    .values(
        state=bindparam("to", type_=roll_out_units.c.state.type),
        state_ms=bindparam("at", type_=BigInteger),
        why=bindparam("because", type_=roll_out_units.c.why.type),
        untold=or_(roll_out_units.c.untold, bindparam("news", type_=Boolean)),
        installed_ms=case(
            (roll_out_units.c.installed_ms.is_(None), _installed_ms), else_=roll_out_units.c.installed_ms
        ),
    )
)
_NEWS = frozenset({UnitState.TAKEN, UnitState.GOOD, UnitState.ROLLED_BACK, UnitState.CORRUPT})  # to its owner
_RUN_IT = frozenset({UnitState.INSTALLED, UnitState.TRIAL, UnitState.GOOD, UnitState.ROLLED_BACK, UnitState.CORRUPT})


def _changes(number: int, state: UnitState, reports: Sequence[Report]) -> list[dict[str, object]]:
    """The change of the row after all reports; empty if they contain nothing new."""
    before, last, installed_ms = state, None, None
    for report in reports:
        after = unit_after(state, report.told)
        if after is not state:
            state, last = after, report
            installed_ms = installed_ms or (report.at_ms if state in _RUN_IT else None)
    if last is None or state is before:
        return []
    return [
        {
            "number": number,
            "unit": last.unit_id,
            "to": state,
            "at": last.at_ms,
            "because": last.why[:MAX_WHY],
            "news": state in _NEWS,
            "installed": installed_ms,
        }
    ]


def _report(inbound: InboundMessage) -> Report | None:
    message = inbound.message
    if isinstance(message, Result):
        found = _COMMAND.fullmatch(message.command or "")
        if found is None or message.ok is None:
            return None
        if found[1] == WITHDRAWAL:
            answer = Told.WITHDRAWN if message.ok else None
        else:
            answer = Told.TAKEN if message.ok else Told.REFUSED
        why = message.reason or ""
        return None if answer is None else Report(inbound.unit_id, found[2], answer, why, inbound.received_ms)
    if not isinstance(message, Event):
        return None
    if (version := _booted(message)) is not None:
        return Report(inbound.unit_id, version, Told.RUNS, "", inbound.received_ms)
    details = message.details or {}
    said, version, reason = (details.get(key) for key in ("r", "v", "w"))
    told = _OF_UNITS.get(said) if isinstance(said, str) else None
    if message.kind != EVENT or told is None or not isinstance(version, str):
        return None
    return Report(inbound.unit_id, version, told, reason if isinstance(reason, str) else "", inbound.received_ms)


def _is_boot(message: Message | None) -> bool:
    return isinstance(message, Event) and message.kind == "boot"


def _booted(message: Message | None) -> str | None:
    """The version in a boot event; None if it has none, or if the message is no boot event."""
    if not isinstance(message, Event) or message.kind != "boot" or not message.details:
        return None
    return _text(message.details.get("v"))


def _board(message: Message | None) -> str | None:
    """The board in a boot event, likewise."""
    said = message.details.get("board") if isinstance(message, Event) and message.details else None
    return said if isinstance(said, str) and _BOARD.fullmatch(said) else None


def _text(said: object) -> str | None:
    return said[:MAX_VERSION] if isinstance(said, str) and said.isprintable() else None
