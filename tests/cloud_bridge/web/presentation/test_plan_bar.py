"""Does tonight's bar show hours, prices and departure at the right places, with equal words?"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cloud_bridge.contact import Contact, Verdict
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.store.ready_plans import ShownPlan
from cloud_bridge.store.sites import Tariff
from cloud_bridge.web.presentation.in_force import InForce
from cloud_bridge.web.presentation.plan_bar import Bill, PlanBar, off_peak, plan_bar
from cloud_bridge.web.presentation.view import ChargePoint
from cloud_bridge.wire import Heartbeat

LONDON = "Europe/London"
NIGHT = "mon-sun 05:30-24:00; mon-sun 00:00-00:30"  # to avoid: all except 00:30 to 05:30
GO = Tariff(2800, 850, 30, 5 * 60 + 30)


def at(*when: int, zone: str = LONDON, fold: int = 0) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)  # type: ignore[misc,arg-type]


EVENING = at(2026, 3, 10, 19, 24)


def point(now_ms: int = EVENING, state: str = "B1", contact: Contact = Contact.ONLINE, **told: Any) -> ChargePoint:
    return ChargePoint(
        id="home-1",
        time_zone=LONDON,
        now_ms=now_ms,
        last_contact_ms=now_ms,
        is_estimated=False,
        verdict=Verdict(contact, 0, 0),
        connected=True,
        heartbeat_ms=now_ms,
        heartbeat=Heartbeat(state=state, **told),
        duplicate=None,
        name="home-1",
        due_ms=None,
        is_late=False,
        is_over_quota=False,
        is_unreadable=False,
        protocol="mqtt",
        deaf=[],
    )


def drawn(
    now_ms: int = EVENING,
    ruling: InForce | None = None,
    hours: str | None = NIGHT,
    tariff: Tariff | None = GO,
    plan: ShownPlan | None = None,
    state: str = "B1",
) -> PlanBar:
    found = plan_bar(point(now_ms, state), ruling, Bill(hours, tariff), plan)
    assert found is not None
    return found


def ruled(
    source: str, until_s: int | None, now_ms: int = EVENING, amps: float = 0, also: tuple[str, ...] = ()
) -> InForce:
    return InForce(amps, source, until_s, also, None, now_ms // 1000)


def test_an_evening_until_the_morning() -> None:
    """19:00 to 08:00 is 13 hours: 00:30 is 5.5 of them."""
    bar = drawn()
    assert bar.title == "Tonight"
    assert [(one.x, one.width) for one in bar.charging] == [(42.31, 38.46)]
    assert bar.charging == [bar.charging[0]._replace(text="00:30 to 05:30")]
    assert [(one.x, one.width) for one in bar.cheap] == [(42.31, 38.46)]
    assert [tick.text for tick in bar.ticks] == ["21:00", "00:00", "03:00", "06:00"]
    assert bar.now_x == pytest.approx(3.08)
    assert bar.hours == "Charges 00:30 to 05:30"
    assert bar.price == "8.5p per kWh from 00:30 to 05:30, 28p at other times"
    assert (bar.ready_x, bar.ready) == (None, "")


def test_the_bar_goes_on_past_the_departure() -> None:
    plan = ShownPlan(at(2026, 3, 11, 9, 30), 80.0, None)
    bar = drawn(plan=plan)
    assert bar.ready == "09:30"
    assert bar.ready_x == pytest.approx(100 * 14.5 / 15.5, abs=0.01)


@pytest.mark.parametrize(
    ("hours", "ruling", "state", "words"),
    [
        (NIGHT, None, "A1", "Charges, once plugged in, 00:30 to 05:30"),
        ("off", None, "B1", "Charges at any time"),
        (None, None, "B1", "Charges at any time"),
        ("mon-sun 00:00-24:00", None, "B1", "Does not charge before 08:00"),
        ("mon-sun 22:00-24:00", None, "C2", "Charges until 22:00 and from 00:00"),
        (
            NIGHT,
            ruled("installer", None, amps=32, also=("override",)),
            "C2",
            "Charges at any time, until the vehicle is unplugged",
        ),
        ("off", ruled("cloud", EVENING // 1000 + 3 * 3600), "B1", "Charges from 22:24"),
        ("off", ruled("cloud", None), "B1", "Does not charge before 08:00"),
        (NIGHT, ruled("cloud", EVENING // 1000 + 7 * 3600), "B1", "Charges 02:24 to 05:30"),
        (None, ruled("schedule", EVENING // 1000 + 4 * 3600), "B1", "Charges from 23:24"),
        ("off", ruled("cloud", EVENING // 1000 + 3600, amps=16), "C2", "Charges at any time"),
        ("not hours", None, "B1", "Charges at any time"),
    ],
)
def test_the_hours_in_words(hours: str | None, ruling: InForce | None, state: str, words: str) -> None:
    assert drawn(hours=hours, ruling=ruling, state=state).hours == words


def test_a_clock_that_is_an_hour_ahead_changes_nothing() -> None:
    ruling = InForce(0, "cloud", EVENING // 1000 + 4 * 3600, (), None, EVENING // 1000 + 3600)
    assert drawn(hours="off", ruling=ruling).hours == "Charges from 22:24"


@pytest.mark.parametrize(
    ("hour", "title", "end"), [(14, "Today and tonight", 18), (3, "Tonight", 5), (6, "Today and tonight", 26)]
)
def test_the_bar_ends_at_the_next_morning_that_is_worth_one(hour: int, title: str, end: int) -> None:
    bar = drawn(now_ms=at(2026, 3, 10, hour, 0), hours="off", tariff=Tariff(2450))
    assert bar.title == title
    assert bar.price == "24.5p per kWh"
    assert len(bar.ticks) == len([one for one in range(1, end) if not (hour + one) % (3 if end <= 15 else 6)])


def test_nothing_is_drawn_of_a_charger_that_keeps_to_no_plan() -> None:
    for contact in (Contact.SILENT, Contact.UNKNOWN, Contact.NEVER):
        assert plan_bar(point(contact=contact), None, Bill(NIGHT, GO), None) is None
    assert plan_bar(point(faults=["rcd_ac"]), None, Bill(NIGHT, GO), None) is None


def test_an_off_peak_hour_that_the_clock_shows_twice_is_off_peak_twice() -> None:
    """In the night to 25 October 2026 and to 29 March 2026."""
    begin, end = at(2026, 10, 24, 20, 0), at(2026, 10, 25, 8, 0)
    assert off_peak(GO, begin, end, LONDON) == [(at(2026, 10, 25, 0, 30), at(2026, 10, 25, 5, 30))]
    [(from_ms, until_ms)] = off_peak(GO, begin, end, LONDON)
    assert until_ms - from_ms == 6 * HOUR_MS
    [(from_ms, until_ms)] = off_peak(GO, at(2026, 3, 28, 20, 0), at(2026, 3, 29, 8, 0), LONDON)
    assert until_ms - from_ms == 4 * HOUR_MS


def test_off_peak_hours_over_midnight_are_cut_where_the_bar_ends() -> None:
    late = Tariff(3000, 700, 23 * 60 + 30, 5 * 60 + 30)
    assert off_peak(late, at(2026, 3, 11, 2, 0), at(2026, 3, 11, 23, 45), LONDON) == [
        (at(2026, 3, 11, 2, 0), at(2026, 3, 11, 5, 30)),
        (at(2026, 3, 11, 23, 30), at(2026, 3, 11, 23, 45)),
    ]
    assert off_peak(Tariff(3000), 0, HOUR_MS, LONDON) == []
