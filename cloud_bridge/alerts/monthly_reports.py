"""Alerts about monthly reports: who is alerted and when, and the files that are attached to the letter.

A report is alerted like anything else: queued once for each subscription, claimed by one process before it is sent, and
retried if it is not delivered (delivery.py). The letter has the report as PDF and CSV, created when it is sent, with what the
person may see then. Other services get a link.

It is sent from the second day of the month on: by then a session of the last evening has ended, and a unit that was offline
for a night has sent it.
"""

from contextlib import closing
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row

from cloud_bridge.alerts.errors import TargetRefused
from cloud_bridge.alerts.kinds import AlertKind, Happening
from cloud_bridge.alerts.mail import Attachment
from cloud_bridge.errors import BridgeError
from cloud_bridge.months import Month, month_of, read_month
from cloud_bridge.store.database import Database
from cloud_bridge.store.people import person_by_id
from cloud_bridge.store.report_readers import untold_reports
from cloud_bridge.store.units import visible_unit
from cloud_bridge.time_zones import UNKNOWN, local_time
from cloud_bridge.web.presentation import monthly_pdf
from cloud_bridge.web.presentation.monthly_csv import report_csv
from cloud_bridge.web.presentation.monthly_reading import read_report
from cloud_bridge.words import N_

FIRST_DAY, LAST_DAY = 2, 7  # of the month, in local time at the site
FROM_HOUR, TO_HOUR = 8, 20  # TO_HOUR is not included
AT_ONCE = 200  # in one call; the next call follows some minutes later


def month_to_tell(now_ms: int, time_zone: str) -> Month | None:
    """Return the month of the report that is due now at the site, or None if now is not the time. Pure."""
    local = local_time(now_ms, time_zone)
    is_time = FIRST_DAY <= local.day <= LAST_DAY and FROM_HOUR <= local.hour < TO_HOUR
    return month_of(now_ms, time_zone).before if is_time else None


def reports_due(connection: Connection, now_ms: int) -> list[Happening]:
    """Return the reports to alert now, at most AT_ONCE. Call it periodically. Only reads."""
    utc = local_time(now_ms, UNKNOWN)
    if utc.day > LAST_DAY + 1:  # in any time zone
        return []
    month = month_of(now_ms, UNKNOWN).before
    with closing(untold_reports(connection, str(month))) as untold:
        theirs = (
            (one.unit_id, one.person_id)
            for one in untold
            if month_to_tell(now_ms, one.time_zone) == month and one.from_ms < month.ends_ms(one.time_zone)
        )
        some = dict.fromkeys(islice(theirs, AT_ONCE))
    kind = AlertKind.MONTHLY_REPORT
    return [
        Happening(kind, unit_id, now_ms, str(month), None, person_id, lambda: month.name) for unit_id, person_id in some
    ]


def files_of(database: Database, alert: Row[Any], now_ms: int) -> list[Attachment]:
    """Return the files for the letter. Raises TargetRefused if the person may no longer see the report, and
    SQLAlchemyError."""
    month = read_month(alert.detail)
    with database.reading() as connection:
        try:
            person = person_by_id(connection, alert.person_id)
        except BridgeError as error:
            raise TargetRefused(N_("the account is gone")) from error
        unit = visible_unit(connection, person, alert.unit_id)
        if unit is None or month is None or month.ends_ms(unit.time_zone) <= unit.period.from_ms:
            raise TargetRefused(N_("the charger is not yours any more"))
        report = read_report(connection, unit, person, month, now_ms)
    return [
        Attachment(f"{report.file_name}.pdf", "application", "pdf", monthly_pdf.report_pdf(report)),
        Attachment(f"{report.file_name}.csv", "text", "csv", report_csv(report).encode()),
    ]
