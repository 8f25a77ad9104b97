"""Does everybody who subscribed get each month's report once, in the first days of the next month, with both files?"""

import csv
import email
import email.policy
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pypdf
import pytest
from sqlalchemy import select, update

from cloud_bridge.alerts import monthly_reports
from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.delivery import CLAIMED_MS, Means, page_of
from cloud_bridge.alerts.kinds import USUAL, AlertKind
from cloud_bridge.alerts.monthly_reports import month_to_tell
from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.months import Month
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.alerts import Occupied, claim_alert, next_due
from cloud_bridge.store.claims import claim, release
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.record import record
from cloud_bridge.store.subscriptions import Via, add_subscription
from cloud_bridge.store.tables import alerts, units
from tests.cloud_bridge.alerting import HOOK, webhooks
from tests.cloud_bridge.alerts.test_mail import Post
from tests.cloud_bridge.recording import inbound
from tests.cloud_bridge.running import Bridge

REPORT = AlertKind.MONTHLY_REPORT


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def post() -> Iterator[Post]:
    post = Post()
    yield post
    post.close()


@pytest.fixture
def alarm(bridge: Bridge, post: Post) -> Iterator[Alarm]:
    made = another(bridge, post)
    yield made
    made.close()


def another(bridge: Bridge, post: Post) -> Alarm:
    """Return the Alarm of another process on the same database."""
    return Alarm(bridge.app_state.database, bridge.clock, Means(post.setting, "https://example.org"))


def driver(
    bridge: Bridge, name: str, unit_id: str, since: str = "2026-09-20T00:00", zone: str = "Europe/Berlin"
) -> Person:
    """Add a driver with a charger, and an email address for the reports."""
    new = bridge.add_unit(unit_id)
    with bridge.app_state.database.writing() as connection:
        add_person(connection, name, "a hash", Role.DRIVER, 0, f"{name}@example.org")
        person = find_person(connection, name)
        claim(connection, person, new.claim_code, ms(since))
        connection.execute(update(units).where(units.c.id == unit_id).values(time_zone=zone))
        add_subscription(connection, person, REPORT, Via.EMAIL)
        payload = b'{"b":1,"n":1,"i":1,"t0":%d,"t1":%d,"e":7000}' % (
            ms("2026-10-05T12:00") / 1000,
            ms("2026-10-05T13:00") / 1000,
        )
        record(connection, [inbound(unit_id, ms("2026-10-05T13:00"), "session", payload)])
    return person


def look(bridge: Bridge, alarm: Alarm, at: str) -> int:
    """Queue and send reports at this time; return the number delivered."""
    bridge.clock.at_ms = ms(at)
    alarm.notice_reports()
    return alarm.deliver_all()


def letters(post: Post) -> list[EmailMessage]:
    found = [email.message_from_bytes(raw, policy=email.policy.default) for raw in post.letters]
    assert all(isinstance(one, EmailMessage) for one in found)
    return [one for one in found if isinstance(one, EmailMessage)]


@pytest.mark.parametrize(
    ("at", "zone", "month"),
    [
        ("2026-11-02T06:59", "Europe/Berlin", None),
        ("2026-11-02T07:00", "Europe/Berlin", Month(2026, 10)),
        ("2026-11-02T18:59", "Europe/Berlin", Month(2026, 10)),
        ("2026-11-02T19:00", "Europe/Berlin", None),
        ("2026-11-01T12:00", "Europe/Berlin", None),
        ("2026-11-07T12:00", "Europe/Berlin", Month(2026, 10)),
        ("2026-11-08T12:00", "Europe/Berlin", None),
        ("2026-11-01T19:00", "Pacific/Auckland", Month(2026, 10)),
        ("2027-01-02T12:00", "Europe/London", Month(2026, 12)),
    ],
)
def test_it_is_told_by_day_in_the_first_days_of_the_next_month(at: str, zone: str, month: Month | None) -> None:
    assert month_to_tell(ms(at), zone) == month


def test_it_is_off_unless_chosen() -> None:
    assert REPORT not in USUAL


def test_the_letter_carries_the_report_as_pdf_and_csv(bridge: Bridge, post: Post, alarm: Alarm) -> None:
    driver(bridge, "ann", "home-1")
    assert look(bridge, alarm, "2026-11-02T08:00") == 1
    (letter,) = letters(post)
    assert letter["To"] == "ann@example.org"
    body = letter.get_body(("plain",))
    assert body is not None and "The charging report of home-1 for October 2026 is ready." in body.get_content()
    assert "https://example.org/charge-points/home-1/report?month=2026-10" in body.get_content()
    pdf, table = letter.iter_attachments()
    assert [one.get_filename() for one in (pdf, table)] == ["home-1-2026-10.pdf", "home-1-2026-10.csv"]
    assert [one.get_content_type() for one in (pdf, table)] == ["application/pdf", "text/csv"]
    assert "7.000 kWh" in pypdf.PdfReader(io.BytesIO(pdf.get_content())).pages[0].extract_text()
    (row,) = csv.DictReader(io.StringIO(table.get_content()))
    assert row["began"] == "2026-10-05T14:00:00+02:00"


def test_each_month_comes_once_whatever_process_dies(bridge: Bridge, post: Post, alarm: Alarm) -> None:
    """The first process claims the report and is killed; another sends it after the claim has expired; a third finds
    nothing."""
    driver(bridge, "ann", "home-1")
    bridge.clock.at_ms = ms("2026-11-02T08:00")
    alarm.notice_reports()
    second = another(bridge, post)
    second.notice_reports()
    with bridge.app_state.database.writing() as connection:
        alert = next_due(connection, bridge.clock.now_ms(), Occupied(), failing=False)
        assert alert is not None and page_of(alert) == "/charge-points/home-1/report?month=2026-10"
        assert claim_alert(connection, alert, bridge.clock.now_ms() + CLAIMED_MS)
    assert second.deliver_all() == 0
    bridge.clock.advance(CLAIMED_MS)
    second.notice_reports()
    assert (second.deliver_all(), alarm.deliver_all()) == (1, 0)
    for at in ("2026-11-02T09:00", "2026-11-03T08:00", "2026-11-07T18:00", "2026-11-20T12:00", "2026-12-01T12:00"):
        assert look(bridge, alarm, at) == 0
    assert look(bridge, alarm, "2026-12-02T08:00") == 1
    assert len(post.letters) == 2
    second.close()


def test_a_service_that_was_away_on_the_second_tells_it_later_by_day(bridge: Bridge, post: Post, alarm: Alarm) -> None:
    driver(bridge, "ann", "home-1")
    assert look(bridge, alarm, "2026-11-05T02:00") == 0
    assert look(bridge, alarm, "2026-11-05T12:00") == 1


def test_nobody_gets_a_report_of_a_time_that_is_not_theirs(bridge: Bridge, post: Post, alarm: Alarm) -> None:
    driver(bridge, "ann", "home-1", since="2026-11-01T12:00")
    assert look(bridge, alarm, "2026-11-03T12:00") == 0
    driver(bridge, "ben", "home-2")
    bridge.clock.at_ms = ms("2026-11-03T12:00")
    alarm.notice_reports()
    with bridge.app_state.database.writing() as connection:
        assert release(connection, "home-2", now_ms=bridge.clock.now_ms())
    assert alarm.deliver_all() == 0 and post.letters == []
    with bridge.app_state.database.reading() as connection:
        troubles = connection.execute(select(alerts.c.trouble, alerts.c.due_ms)).all()
    assert [tuple(row) for row in troubles] == [("the charger is not yours any more", None)]


def test_one_turn_queues_so_many_and_the_next_one_goes_on(
    bridge: Bridge, post: Post, alarm: Alarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monthly_reports, "AT_ONCE", 2)
    for number in range(3):
        driver(bridge, f"ann{number}", f"home-{number}")
    assert [look(bridge, alarm, "2026-11-02T08:00") for _ in range(3)] == [2, 1, 0]
    assert sorted(letter["To"] for letter in letters(post)) == [f"ann{number}@example.org" for number in range(3)]


def test_other_services_are_told_where_it_is(
    bridge: Bridge, alarm: Alarm, monkeypatch: pytest.MonkeyPatch, post: Post
) -> None:
    sent: list[dict[str, Any]] = webhooks(monkeypatch)
    person = driver(bridge, "ann", "home-1")
    with bridge.app_state.database.writing() as connection:
        add_subscription(connection, person, REPORT, Via.WEBHOOK, HOOK)
    assert look(bridge, alarm, "2026-11-02T08:00") == 2
    assert [(one["about"], one["charge_point"]) for one in sent] == [("monthly_report", "home-1")]
    assert len(post.letters) == 1
    bridge.clock.advance(DAY_MS + HOUR_MS)
    alarm.notice_reports()
    assert alarm.deliver_all() == 0
