"""The monthly report as CSV: one line for each session, for spreadsheets and programs. Pure."""

from typing import Any

from cloud_bridge.time_zones import local_time
from cloud_bridge.web.presentation.csv_file import csv_text
from cloud_bridge.web.presentation.monthly_report import MonthlyReport, Row

HEADS = (
    *("charge_point", "began", "ended", "time_known", "kwh", "meter_began_kwh", "meter_ended_kwh"),
    *("off_peak_kwh", "off_peak_cost", "other_kwh", "other_cost", "cost", "currency", "vehicle", "vehicle_known_by"),
)


def report_csv(report: MonthlyReport) -> str:
    """Format the report. Times are ISO 8601 in local time with the UTC offset. Unknown values are empty fields."""
    return csv_text(HEADS, (_line(report, row) for row in report.rows), report.unreadable)


def _line(report: MonthlyReport, row: Row) -> list[Any]:
    about = report.about
    has_cost = row.cost is not None
    return [
        about.unit_id,
        *(local_time(at_ms, about.time_zone).isoformat(timespec="seconds") for at_ms in (row.began_ms, row.ended_ms)),
        "yes" if row.is_timed else "no",
        *(_kwh(wh) for wh in (row.energy_wh, row.meter_began_wh, row.meter_ended_wh)),
        _kwh(row.off_peak_wh if has_cost else None),
        _money(report, row.off_peak_cost if has_cost else None),
        _kwh(row.other_wh if has_cost else None),
        _money(report, row.other_cost),
        _money(report, row.cost),
        about.currency.code if has_cost else None,
        row.vehicle,
        ("driver" if row.vehicle_said else "account") if row.vehicle else None,
    ]


def _kwh(wh: int | None) -> str | None:
    return None if wh is None else f"{wh / 1000:.3f}"


def _money(report: MonthlyReport, cost: int | None) -> str | None:
    """Format a cost with all digits of the currency: 2.10."""
    currency = report.about.currency
    return None if cost is None else f"{cost / 10**currency.digits:.{currency.digits}f}"
