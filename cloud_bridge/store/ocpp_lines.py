"""Data about the connections of OCPP chargers that are no contact and help with troubleshooting: the last ping or pong,
the last refusal and its reason, when two chargers alternated with one identity, and the OCPP version. Only units have a
row."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from cloud_bridge.contact import SILENT_AFTER_MS
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.store.tables import ocpp_lines, units
from cloud_bridge.store.units import Protocol
from cloud_bridge.store.upsert import replace
from cloud_bridge.wire import EARLIEST_S, LATEST_S

LONGEST_MS = 25 * HOUR_MS  # after which any charger is silent: some send a heartbeat once a day (MicroOcpp)


class Refusal(NamedTuple):
    """A refused connection."""

    at_ms: int
    reason: str  # text for people


class Line(NamedTuple):
    """The data of one charger; None for what has not happened."""

    alive_ms: int | None
    refused: Refusal | None
    contested_ms: int | None
    version: str | None = None  # of OCPP, as the negotiated subprotocol
    is_rare: bool = False  # it counts as silent later than configured, because it does not answer CALLs


NOTHING = Line(None, None, None)


def record_lines(
    connection: Connection,
    alive_ms: Mapping[str, int],
    refused: Mapping[str, Refusal],
    contested_ms: Mapping[str, int],
    versions: Mapping[str, str],
) -> None:
    """Store the newest values by unit id. Ids that are not units are left out."""
    asked = sorted(alive_ms.keys() | refused.keys() | contested_ms.keys() | versions.keys())
    known = set(connection.execute(select(units.c.id).where(units.c.id.in_(asked))).scalars())
    columns: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("alive_ms", alive_ms),
        ("contested_ms", contested_ms),
        ("version", versions),
    )
    for name, told in columns:
        of_units = [{"unit_id": unit_id, name: value} for unit_id, value in sorted(told.items()) if unit_id in known]
        replace(connection, ocpp_lines, of_units)
    rows = [
        {"unit_id": unit_id, "refused_ms": one.at_ms, "refused": one.reason}
        for unit_id, one in sorted(refused.items())
        if unit_id in known
    ]
    replace(connection, ocpp_lines, rows)


def record_own_intervals(connection: Connection, seconds: Mapping[str, int | None]) -> None:
    """Postpone the silence of units that send messages by themselves at these intervals; with None, restore the
    configured time. Until a unit answers CALLs, the time only gets longer."""
    ocpp = units.c.protocol == Protocol.OCPP
    answering = ocpp_lines.c.unit_id.in_(sorted(unit_id for unit_id, one in seconds.items() if one is None))
    later = (answering, ocpp_lines.c.usual_after_ms.is_not(None))
    usual = select(ocpp_lines.c.usual_after_ms).where(ocpp_lines.c.unit_id == units.c.id).scalar_subquery()
    connection.execute(
        update(units)
        .where(ocpp, units.c.id.in_(select(ocpp_lines.c.unit_id).where(*later)))
        .values(silent_after_ms=usual)
    )
    connection.execute(update(ocpp_lines).where(*later).values(usual_after_ms=None))
    for unit_id, one in sorted(seconds.items()):
        if one is not None:
            after_ms = min(one * 1000 + SILENT_AFTER_MS, LONGEST_MS)
            _count_later(connection, unit_id, after_ms)


def _count_later(connection: Connection, unit_id: str, after_ms: int) -> None:
    query = select(units.c.silent_after_ms, ocpp_lines.c.usual_after_ms).select_from(
        units.outerjoin(ocpp_lines, ocpp_lines.c.unit_id == units.c.id)
    )
    is_earlier = (units.c.protocol == Protocol.OCPP, units.c.silent_after_ms < after_ms)
    found = connection.execute(query.where(units.c.id == unit_id, *is_earlier)).one_or_none()
    if found is not None:
        usual_ms = found.silent_after_ms if found.usual_after_ms is None else found.usual_after_ms
        replace(connection, ocpp_lines, [{"unit_id": unit_id, "usual_after_ms": usual_ms}])
        connection.execute(update(units).where(units.c.id == unit_id).values(silent_after_ms=after_ms))


def line_of(connection: Connection, unit_id: str) -> Line:
    """Return the data of a charger, or NOTHING if it has none. Invalid values are left out."""
    query = select(
        *(ocpp_lines.c.alive_ms, ocpp_lines.c.refused_ms, ocpp_lines.c.refused, ocpp_lines.c.contested_ms),
        *(ocpp_lines.c.version, ocpp_lines.c.usual_after_ms),
    )
    row = connection.execute(query.where(ocpp_lines.c.unit_id == unit_id)).one_or_none()
    if row is None:
        return NOTHING
    is_refused = _is_time(row.refused_ms) and isinstance(row.refused, str)
    return Line(
        row.alive_ms if _is_time(row.alive_ms) else None,
        Refusal(row.refused_ms, row.refused) if is_refused else None,
        row.contested_ms if _is_time(row.contested_ms) else None,
        row.version if isinstance(row.version, str) else None,
        type(row.usual_after_ms) is int,
    )


def _is_time(value: Any) -> bool:
    """Return whether the value is a time. SQLite does not enforce column types, and pages can show only times of these
    years."""
    return type(value) is int and EARLIEST_S <= value // 1000 <= LATEST_S
