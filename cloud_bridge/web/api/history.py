"""The HTTP interface to the history of one charge point: contact, signal, sessions and events."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.availability import unit_gaps
from cloud_bridge.clock import iso_utc
from cloud_bridge.durations import DAY_MS
from cloud_bridge.store import history
from cloud_bridge.store.transitions import flaps
from cloud_bridge.store.units import Unit, visible_unit
from cloud_bridge.web.api.schema import PROBLEMS, ContactHistory, EventHistory, SessionHistory, SignalHistory
from cloud_bridge.web.connections import Reading, connection_for_check
from cloud_bridge.web.presentation.looking_back import evidence_of
from cloud_bridge.web.presentation.session_costs import SessionCosts, session_number
from cloud_bridge.web.presentation.view import charge_point, path_of
from cloud_bridge.web.security.access import ApiAsker, StateDep
from cloud_bridge.wire import BadPayload, read_object

FIRST_MS = 946_684_800_000  # 2000-01-01: no record is older
LAST_MS = 4_102_444_800_000  # 2100-01-01

router = APIRouter(prefix="/api/charge-points/{unit_id}", responses=PROBLEMS)


def unit_of(unit_id: str, request: Request, asker: ApiAsker) -> Unit:
    """Return the unit in the path. Raises 404 if it does not exist or the caller may not see it."""
    with connection_for_check(request) as connection:
        unit = visible_unit(connection, asker, unit_id)
    if unit is None:
        raise HTTPException(404, "no such charge point")
    return unit


Moment = Annotated[
    datetime | None, Query(description="ISO 8601; UTC if it has no offset.", examples=["2026-01-31T09:30:00Z"])
]


class Window:
    """The query parameters `from` and `to`. By default `to` is now, and `from` is 24 hours before `to`.

    Raises 422 for times outside 2000 to 2100, or if `from` is not before `to`."""

    def __init__(
        self, app_state: StateDep, from_: Annotated[Moment, Query(alias="from")] = None, to: Moment = None
    ) -> None:
        self.to_ms = app_state.clock.now_ms() if to is None else _ms("to", to)
        self.from_ms = self.to_ms - DAY_MS if from_ is None else _ms("from", from_)
        if self.from_ms >= self.to_ms:
            raise _invalid("from", iso_utc(self.from_ms), "`from` must be before `to`")

    def said(self) -> dict[str, Any]:
        return {"from": iso_utc(self.from_ms), "to": iso_utc(self.to_ms)}


def _ms(name: str, moment: datetime) -> int:
    try:
        at_ms = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (OverflowError, ValueError):
        at_ms = -1
    if not FIRST_MS <= at_ms <= LAST_MS:
        raise _invalid(name, moment.isoformat(), "must be a time of this century")
    return at_ms


def _invalid(name: str, value: str, reason: str) -> RequestValidationError:
    """Make a 422 in the shape of FastAPI's own validation errors."""
    return RequestValidationError([{"type": "value_error", "loc": ("query", name), "msg": reason, "input": value}])


UnitOf = Annotated[Unit, Depends(unit_of)]
WindowOf = Annotated[Window, Depends()]


@router.get("/contacts", response_model=ContactHistory)
def contacts(app_state: StateDep, connection: Reading, unit: UnitOf, window: WindowOf) -> dict[str, Any]:
    """Return the gaps of more than 21 minutes between contacts, and the service's own outages. `to` is null for a gap that has
    not ended.

    `availability` is the share of the time in which the charge point was not silent. It counts only time since the first
    contact, and no outages of the service.
    """
    return contact_history(app_state, connection, unit, window.from_ms, window.to_ms) | window.said()


def contact_history(
    app_state: AppState, connection: Connection, unit: Unit, from_ms: int, to_ms: int
) -> dict[str, Any]:
    """Return the fields of ContactHistory without the interval. The pages show the same figures."""
    point = charge_point(app_state, unit)
    over = history.unit_gaps(connection, unit.period, from_ms, to_ms, point.now_ms)
    begin_ms = min([from_ms, *(gap.from_ms for gap in over), point.last_contact_ms or from_ms])
    lasting = app_state.ledger.open_gaps(point.now_ms)
    ours = history.outages(connection, unit.period, path_of(unit), begin_ms, point.now_ms, point.now_ms, lasting)
    fell = flaps(connection, unit.period, from_ms)
    evidence = evidence_of(app_state, connection, unit, from_ms, min(to_ms, point.now_ms))
    seen_ms = None if point.last_contact_ms is None else max(point.last_contact_ms, unit.period.evidence_from_ms)
    gaps = [gap for gap in unit_gaps(over, ours, seen_ms, point.now_ms) if gap.from_ms < to_ms]
    return {
        "last_contact": None if point.last_contact_ms is None else iso_utc(point.last_contact_ms),
        "availability": evidence.availability,
        "fell_silent": fell,
        "gaps": [
            {
                "from": iso_utc(gap.from_ms),
                "to": None if gap.to_ms is None else iso_utc(gap.to_ms),
                "duration_ms": gap.duration_ms,
                "our_outage_ms": gap.outage_ms,
            }
            for gap in gaps
        ],
        "our_outages": [
            {"from": iso_utc(gap.from_ms), "to": iso_utc(gap.to_ms)} for gap in ours if gap.to_ms > from_ms
        ],
        "unreadable": over.unreadable,
    }


@router.get("/signal", response_model=SignalHistory)
def signal(
    connection: Reading, unit: UnitOf, window: WindowOf, resolution: Literal["raw", "5min"] = "5min"
) -> dict[str, Any]:
    """Return CSQ (0 to 31) over time. `5min` has one row for each five minutes and operator, or each hour for data older than
    a month. `raw` has every heartbeat of the last day."""
    if resolution == "raw":
        rows = history.signal_raw(connection, unit.period, window.from_ms, window.to_ms)
        points = [
            {"at": iso_utc(row["received_ms"]), "csq": row["csq"], "operator": row["operator"] or None} for row in rows
        ]
    else:
        rows = history.signal_averages(connection, unit.period, window.from_ms, window.to_ms)
        points = [
            {
                "at": iso_utc(row["from_ms"]),
                "until": iso_utc(row["until_ms"]),
                "lowest": row["lowest"],
                "mean": round(row["total"] / row["samples"], 1),
                "highest": row["highest"],
                "samples": row["samples"],
                "operator": row["operator"] or None,
            }
            for row in rows
        ]
    return window.said() | {"resolution": resolution, "points": points, "unreadable": rows.unreadable}


@router.get("/sessions", response_model=SessionHistory)
def sessions(connection: Reading, unit: UnitOf, window: WindowOf) -> dict[str, Any]:
    """Return the charging sessions whose records were received in the interval. Start and end are null if the unit's clock was
    not set.

    `number` is the running number of the session on its unit; the events `resumed` and `override` have the same number.
    """
    rows = history.unit_sessions(connection, unit.period, window.from_ms, window.to_ms)
    keys = ("boot", "sequence", "started_s", "ended_s", "duration_s", "energy_wh", "reason")
    costs = SessionCosts(connection, unit, window.from_ms)
    found = []
    for row in rows:
        spent = costs.of_row(row)
        of_record = {"number": session_number(row), "cost": None if spent is None else costs.currency.major(spent)}
        found.append(_journal(row, keys) | of_record)
    return window.said() | {"currency": costs.currency.code, "sessions": found, "unreadable": rows.unreadable}


@router.get("/events", response_model=EventHistory)
def events(connection: Reading, unit: UnitOf, window: WindowOf) -> dict[str, Any]:
    """Return the journal records received in the interval, each with its payload as the unit sent it."""
    rows = history.unit_events(connection, unit.period, window.from_ms, window.to_ms)
    keys = ("boot", "sequence", "unit_time_s", "kind", "payload")
    found = [_journal(row, keys) for row in rows if _is_object(row["payload"])]
    return window.said() | {"events": found, "unreadable": rows.unreadable + len(rows) - len(found)}


def _is_object(payload: str) -> bool:
    """Return True if the payload is a JSON object, so that a caller can parse it."""
    try:
        read_object(payload.encode())
    except BadPayload:  # stored by an earlier version of the bridge, which did not validate payloads
        return False
    return True


def _journal(row: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {"received_at": iso_utc(row["received_ms"])} | {key: row[key] for key in keys}
