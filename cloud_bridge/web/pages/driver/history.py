"""The history of a charge point: reachability, signal, sessions and their cost. Also as CSV."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from cloud_bridge.clock import iso_utc
from cloud_bridge.contact import Contact, outage_ms
from cloud_bridge.durations import DAY_MS
from cloud_bridge.store import history
from cloud_bridge.store.readable import Rows
from cloud_bridge.store.units import Unit
from cloud_bridge.support.evidence import signal_points
from cloud_bridge.support.running_session import RunningSession, power_readings, running_session
from cloud_bridge.text import unknown
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.page import PersonOf, UnitOf, page
from cloud_bridge.web.presentation import charts, network_words, vehicle_event_words, words
from cloud_bridge.web.presentation.csv_file import MEDIA_TYPE, csv_text
from cloud_bridge.web.presentation.looking_back import evidence_of
from cloud_bridge.web.presentation.series import Spent, reaches, slots
from cloud_bridge.web.presentation.session_costs import SessionCosts
from cloud_bridge.web.presentation.view import charge_point
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

SPANS = {1: N_("24 hours"), 7: N_("7 days"), 30: N_("30 days")}

KEPT_MS = 2 * DAY_MS  # how long power readings are retained (store/upkeep.py)

router = APIRouter(prefix="/charge-points/{unit_id}/history", include_in_schema=False)

Days = Annotated[Literal["1", "7", "30"], Query()]

REASONS = {
    "unplugged": N_("unplugged"),
    "fault": N_("stopped by a fault"),
    "power_cut": N_("power cut"),
    "vehicle": N_("the vehicle had enough"),
}


class Session(NamedTuple):
    """One row of the table of sessions."""

    started_ms: int | None
    ended_ms: int  # by the unit's clock, or when the record was received
    duration_s: int | None
    energy_wh: int
    cost: float | None  # in pence, or in the minor unit of the site's currency
    reason: str  # as the unit sent it; empty if it sent none
    goes_on: bool = False

    @property
    def ended_because(self) -> str:
        """Why the session ended, in words; empty if unknown."""
        if not self.reason:
            return ""
        if self.reason in REASONS:
            return _(REASONS[self.reason])
        return unknown(_("A reason that we do not know ({name})"), self.reason)

    @property
    def began_ms(self) -> int:
        """When the session began; estimated if the unit's clock was not set."""
        if self.started_ms is not None:
            return self.started_ms
        return self.ended_ms - (self.duration_s or 0) * 1000


@router.get("")
def overview(
    request: Request, app_state: StateDep, connection: Reading, person: PersonOf, unit: UnitOf, days: Days = "7"
) -> Response:
    point = charge_point(app_state, unit)
    from_ms, to_ms = point.now_ms - int(days) * DAY_MS, point.now_ms
    evidence = evidence_of(app_state, connection, unit, from_ms, to_ms)
    costs = SessionCosts(connection, unit, from_ms)
    sessions = _sessions(connection, unit, from_ms, to_ms, costs)
    readings = history.power_readings(connection, unit.period, max(from_ms, to_ms - KEPT_MS), to_ms)
    ended_ms = max((one.ended_ms for one in sessions if one.ended_ms <= to_ms), default=0)
    running = None if point.duplicate is not None else running_session(power_readings(readings), ended_ms)
    if running is not None and running.energy_wh is not None:
        sessions.append(
            _goes_on(running, running.energy_wh, costs, "override" in (point.heartbeat.also_in_force or ()))
        )
    chart = charts.signal_chart(unit.time_zone, evidence)
    cut = slots(chart.axis.from_ms, chart.axis.to_ms, unit.time_zone)
    spent = [Spent(one.began_ms, one.ended_ms, one.energy_wh) for one in sessions]
    content: dict[str, Any] = {
        "days": int(days),
        "spans": {days: _(said) for days, said in SPANS.items()},
        "evidence": evidence,
        "never": point.last_contact_ms is None,
        "mixed_since_ms": None if point.duplicate is None else point.duplicate.since_ms,
        "our_outages_ms": outage_ms(evidence.ours, evidence.since_ms, to_ms),
        "reach": charts.reach_bars(reaches(cut, evidence.gaps, evidence.ours, evidence.since_ms), unit.time_zone),
        "chart": chart,
        "energy": charts.energy_bars(cut, spent, unit.time_zone),
        "networks": [(words.operator_name(one.operator) or _("Not said"), one) for one in evidence.signal.networks],
        "moves": network_words.told(evidence.moves),
        "vehicle_events": vehicle_event_words.told(evidence.vehicle_events),
        "sessions": list(reversed(sessions)),
        "sessions_unreadable": sessions.unreadable + readings.unreadable,
        "running": running,
        "power": [] if running is None else charts.power_chart(running, chart.axis),
        "is_heard": point.verdict.contact is Contact.ONLINE,
        "energy_kwh": sum(session.energy_wh for session in sessions) / 1000,
        "cost": sum(session.cost or 0 for session in sessions) if costs.tariff else None,
        "currency": costs.currency,
    }
    return page(request, "driver/history.html", person, unit=unit, name=point.name, **content)


@router.get("/silences.csv")
def silences_csv(app_state: StateDep, connection: Reading, unit: UnitOf, days: Days = "7") -> Response:
    now_ms = app_state.clock.now_ms()
    found = evidence_of(app_state, connection, unit, now_ms - int(days) * DAY_MS, now_ms)
    rows = [(iso_utc(gap.from_ms), iso_utc(gap.to_ms), (gap.to_ms - gap.from_ms) // 1000) for gap in found.gaps]
    heads = ("from", "to", "seconds")
    return _csv(f"{unit.id}-silences.csv", heads, rows, found.unreadable_gaps)


@router.get("/signal.csv")
def signal_csv(app_state: StateDep, connection: Reading, unit: UnitOf, days: Days = "7") -> Response:
    now_ms = app_state.clock.now_ms()
    points = signal_points(connection, unit.period, now_ms - int(days) * DAY_MS, now_ms)
    rows = [
        (iso_utc(one.at_ms), round(one.csq, 1), one.operator, round(one.lasting_ms / 1000), one.lowest, one.highest)
        for one in points
    ]
    heads = ("at", "csq", "operator", "seconds", "lowest", "highest")
    return _csv(f"{unit.id}-signal.csv", heads, rows, points.unreadable)


@router.get("/sessions.csv")
def sessions_csv(app_state: StateDep, connection: Reading, unit: UnitOf, days: Days = "7") -> Response:
    now_ms = app_state.clock.now_ms()
    from_ms = now_ms - int(days) * DAY_MS
    costs = SessionCosts(connection, unit, from_ms)
    sessions = _sessions(connection, unit, from_ms, now_ms, costs)
    rows = [
        (
            "" if one.started_ms is None else iso_utc(one.started_ms),
            iso_utc(one.ended_ms),
            "" if one.duration_s is None else one.duration_s,
            one.energy_wh,
            "" if one.cost is None else costs.currency.major(one.cost),
            "" if one.cost is None else costs.currency.code,
            REASONS.get(one.reason, one.reason),  # unknown reasons as they came, because programs read this
        )
        for one in sessions
    ]
    heads = ("started", "ended", "seconds", "wh", "cost", "currency", "ended_because")
    return _csv(f"{unit.id}-sessions.csv", heads, rows, sessions.unreadable)


def _sessions(connection: Connection, unit: Unit, from_ms: int, to_ms: int, costs: SessionCosts) -> Rows[Session]:
    rows = history.unit_sessions(connection, unit.period, from_ms, to_ms)
    found: Rows[Session] = Rows(unreadable=rows.unreadable)
    for row in rows:
        energy_wh, started_s, ended_s = row["energy_wh"] or 0, row["started_s"], row["ended_s"]
        if ended_s is not None and ended_s * 1000 < from_ms:  # received late, but belongs to an earlier time
            continue
        found.append(
            Session(
                None if started_s is None else started_s * 1000,
                row["received_ms"] if ended_s is None else ended_s * 1000,
                row["duration_s"],
                energy_wh,
                costs.of_row(row),
                row["reason"] or "",
            )
        )
    return found


def _goes_on(running: RunningSession, energy_wh: int, costs: SessionCosts, charged_now: bool) -> Session:
    """Return the session in progress, as far as it is known."""
    from_s, newest_s = running.from_ms // 1000, running.newest.at_ms // 1000
    so_far = costs.of(energy_wh, from_s, newest_s, charged_now)
    return Session(running.from_ms, running.newest.at_ms, newest_s - from_s, energy_wh, so_far, "", goes_on=True)


def _csv(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], unreadable: int) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(csv_text(heads, rows, unreadable), media_type=MEDIA_TYPE, headers=headers)
