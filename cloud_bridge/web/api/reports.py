"""The HTTP interface to the monthly report, with the same figures as its page."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from pydantic import Field

from cloud_bridge.clock import iso_utc
from cloud_bridge.months import FORM, read_month
from cloud_bridge.web.api.history import UnitOf
from cloud_bridge.web.api.schema import PROBLEMS, Schema, Time
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.presentation.monthly_reading import read_report
from cloud_bridge.web.presentation.monthly_report import MonthlyReport, Row, Total
from cloud_bridge.web.security.access import ApiAsker, StateDep

router = APIRouter(prefix="/api/charge-points/{unit_id}/reports", responses=PROBLEMS)

Wh = Annotated[int, Field(description="Energy in Wh.")]
Cost = Annotated[float, Field(description="Cost in `currency`.")]


class ReportSession(Schema):
    """A session, listed in the month in which it began. Costs are null if no tariff is set or the times are unknown."""

    number: Annotated[
        int | None, Field(description="Running number of the session on its unit; null with older firmware.")
    ]
    began: Time
    ended: Time
    time_known: Annotated[
        bool,
        Field(
            description="True if the times are by the unit's clock; else they are estimated from when it was received."
        ),
    ]
    energy_wh: int
    meter_began_wh: Annotated[int | None, Field(description="Meter reading before the session; null if unknown.")]
    meter_ended_wh: Annotated[int | None, Field(description="Meter reading after the session; null if unknown.")]
    off_peak_wh: int | None
    off_peak_cost: float | None
    cost: float | None
    vehicle: Annotated[str | None, Field(description="Name of the vehicle; null if unknown.")]
    vehicle_said: Annotated[
        bool, Field(description="True if the driver named the vehicle; else it was matched by its car account.")
    ]


class ReportTotal(Schema):
    """Sums over a group of sessions, or over the part of their energy at one rate."""

    name: Annotated[str, Field(examples=["Off-peak"])]
    sessions: int
    energy_wh: Wh
    cost: Cost
    uncosted: Annotated[int, Field(description="Number of sessions without a known cost.")]


class Report(Schema):
    """The sessions that began in a month, with their sums. Costs are rounded for each session and then added up."""

    charge_point: str
    name: str
    month: Annotated[str, Field(examples=["2026-10"])]
    time_zone: Annotated[str, Field(examples=["Europe/Berlin"])]
    from_: Annotated[
        Time,
        Field(
            alias="from", description="Start of the month, or of the caller's own time with the unit if that is later."
        ),
    ]
    to: Annotated[Time, Field(description="End of the month, not included.")]
    made_for: Annotated[
        str | None, Field(description="Name of the caller; null for a token that belongs to no person.")
    ]
    currency: Annotated[str, Field(description="Currency of the site, ISO 4217.", examples=["GBP"])]
    tariff: Annotated[str | None, Field(description="Today's tariff in words; null if none is set.")]
    total: ReportTotal
    by_tariff: list[ReportTotal]
    by_vehicle: list[ReportTotal]
    sessions: list[ReportSession]
    notes: Annotated[list[str], Field(description="How the figures are calculated, and what they lack.")]
    unreadable: Annotated[
        int, Field(description="Number of sessions that are left out because their stored content is invalid.")
    ]


@router.get("/{month}", response_model=Report)
def report(
    app_state: StateDep,
    connection: Reading,
    asker: ApiAsker,
    unit: UnitOf,
    month: Annotated[str, Path(pattern=f"^{FORM.pattern}$", examples=["2026-10"])],
) -> dict[str, Any]:
    """Return the sessions that began in the month, in the time zone of the site. Returns 404 for a month that has not begun,
    or that ended before the caller's own time with the unit."""
    wanted, now_ms = read_month(month), app_state.clock.now_ms()
    if wanted is None or wanted.begins_ms(unit.time_zone) > now_ms:
        raise HTTPException(404, "that month has not begun")
    if wanted.ends_ms(unit.time_zone) <= unit.period.from_ms:
        raise HTTPException(404, "that month is before your time with this charge point")
    return _as_json(read_report(connection, unit, asker, wanted, now_ms))


def _as_json(found: MonthlyReport) -> dict[str, Any]:
    about = found.about
    return {
        "charge_point": about.unit_id,
        "name": about.unit_name,
        "month": str(about.month),
        "time_zone": about.time_zone,
        "from": iso_utc(about.from_ms),
        "to": iso_utc(about.to_ms),
        "made_for": about.reader or None,
        "currency": about.currency.code,
        "tariff": found.tariff_words,
        "total": _total(found, found.total),
        "by_tariff": [_total(found, one) for one in found.by_tariff],
        "by_vehicle": [_total(found, one) for one in found.by_vehicle],
        "sessions": [_session(found, row) for row in found.rows],
        "notes": found.notes,
        "unreadable": found.unreadable,
    }


def _session(found: MonthlyReport, row: Row) -> dict[str, Any]:
    major, has_cost = found.about.currency.major, row.cost is not None
    return {
        "number": row.number,
        "began": iso_utc(row.began_ms),
        "ended": iso_utc(row.ended_ms),
        "time_known": row.is_timed,
        "energy_wh": row.energy_wh,
        "meter_began_wh": row.meter_began_wh,
        "meter_ended_wh": row.meter_ended_wh,
        "off_peak_wh": row.off_peak_wh if has_cost else None,
        "off_peak_cost": major(row.off_peak_cost) if has_cost else None,
        "cost": None if row.cost is None else major(row.cost),
        "vehicle": row.vehicle,
        "vehicle_said": row.vehicle_said,
    }


def _total(found: MonthlyReport, total: Total) -> dict[str, Any]:
    return total._asdict() | {"cost": found.about.currency.major(total.cost)}
