"""Are hours that occur twice distinguished, and does an unknown time zone break nothing?"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfoNotFoundError

import pytest
from sqlalchemy import select, update

from cloud_bridge import time_zones
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.sites import Tariff
from cloud_bridge.store.tables import units
from cloud_bridge.time_zones import at_ms, span
from cloud_bridge.vehicles.plan import next_time
from cloud_bridge.web.presentation import words
from cloud_bridge.web.presentation.charts import energy_bars
from cloud_bridge.web.presentation.cost import Span, cost
from cloud_bridge.web.presentation.series import silent_by_hour, slots
from tests.cloud_bridge.people import Visitor, give
from tests.cloud_bridge.running import Bridge, Unit, sample

LONDON = "Europe/London"
HALF_PAST_ONE_MS = int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp() * 1000)  # BST; in GMT an hour later
UNKNOWN = ["Europe/Atlantis", "", "../../etc/passwd", "Europe", "\x00", "A" * 300]


@pytest.mark.parametrize(("after_ms", "said"), [(0, "01:30 BST"), (HOUR_MS, "01:30 GMT")])
def test_an_hour_that_occurs_twice_shows_which_it_is(after_ms: int, said: str) -> None:
    at_ms = HALF_PAST_ONE_MS + after_ms
    assert words.day_and_time(at_ms, LONDON) == f"Sun 25 Oct, {said}"
    assert words.time_of_day(at_ms, LONDON) == said.replace("01:30", "01:30:00")
    assert words.moment(at_ms, LONDON) == f"Sun 25 Oct 2026, {said.replace('01:30', '01:30:00')}"


@pytest.mark.parametrize("after_ms", [-HOUR_MS, 2 * HOUR_MS])
def test_other_hours_need_no_more(after_ms: int) -> None:
    assert words.day_and_time(HALF_PAST_ONE_MS + after_ms, LONDON)[-1].isdigit()


def test_the_hours_of_a_chart_have_names_of_their_own() -> None:
    """Two columns with the same label looked like one hour with two values."""
    cut = slots(HALF_PAST_ONE_MS - 3 * HOUR_MS, HALF_PAST_ONE_MS + 3 * HOUR_MS, LONDON)
    bars = energy_bars(cut, [], LONDON)
    assert len({bar.name for bar in bars}) == len({bar.tick for bar in bars}) == len(bars)
    assert tuple(bar.name for bar in bars if "01:00" in bar.name) == ("Sun, 01:00 BST", "Sun, 01:00 GMT")


@pytest.mark.parametrize(
    ("zone", "at", "said"),
    [
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 14, 45, tzinfo=UTC), ("01:45 +11", "01:45 +1030")),
        ("Africa/Casablanca", datetime(2026, 2, 15, 1, 30, tzinfo=UTC), ("02:30 +01", "02:30 +00")),
    ],
)
def test_zones_without_letters_tell_the_offset(zone: str, at: datetime, said: tuple[str, str]) -> None:
    step_ms = HOUR_MS if zone.startswith("Africa") else 30 * MINUTE_MS
    at_ms = int(at.timestamp() * 1000)
    shown = [words.day_and_time(at_ms + ms, zone).split(", ")[1] for ms in (0, step_ms)]
    assert tuple(shown) == said


@pytest.mark.parametrize("zone", UNKNOWN)
def test_a_zone_that_this_machine_does_not_know_gives_utc_with_a_word_about_it(zone: str) -> None:
    assert words.day_and_time(HALF_PAST_ONE_MS, zone) == "Sun 25 Oct, 00:30 UTC"
    assert words.time_of_day(HALF_PAST_ONE_MS, zone) == "00:30:00 UTC"
    assert words.moment(HALF_PAST_ONE_MS, zone) == (
        f"Sun 25 Oct 2026, 00:30:00 UTC (the time zone {zone} is not known here)"
    )
    assert words.chart_zone(zone) == "UTC"
    assert slots(HALF_PAST_ONE_MS, HALF_PAST_ONE_MS + HOUR_MS, zone) == slots(
        HALF_PAST_ONE_MS, HALF_PAST_ONE_MS + HOUR_MS, "UTC"
    )
    assert len(silent_by_hour([], zone)) == 24
    assert cost(1000, Span(0, 3600), Tariff(3000, 1000, 0, 120), zone) == 10
    assert next_time(7, 0, HALF_PAST_ONE_MS, zone) == next_time(7, 0, HALF_PAST_ONE_MS, "UTC")


def test_no_page_and_no_interface_fails_over_a_zone_that_went_away(bridge: Bridge) -> None:
    """As after a move to a machine with an older tz database."""
    new = bridge.add_unit("cp-1")
    ann = Visitor(bridge, "ann", Role.DRIVER)
    give(bridge, new.claim_code, "ann")
    Visitor(bridge, "oscar", Role.OPERATOR)
    unit = Unit(bridge, "cp-1", new.secret).connect()
    for kind, name in (
        ("heartbeat", "heartbeat-limited-by-installer"),
        ("session", "session"),
        ("event", "event-boot"),
    ):
        unit.publish(f"cp/cp-1/{kind}", sample(name))
    with bridge.app_state.database.writing() as connection:
        connection.execute(update(units).values(time_zone="Europe/Atlantis"))
    for path in ("/", "/charge-points/cp-1", "/charge-points/cp-1/history", "/charge-points/cp-1/charging"):
        ann.get(path)
    ann.get("/charge-points/cp-1/support")
    assert "UTC (the time zone Europe/Atlantis is not known here)" in ann.read("/charge-points/cp-1")
    for path in ("", "/contacts", "/signal", "/sessions"):
        assert bridge.client.get(f"/api/charge-points/cp-1{path}").status_code == 200
    oscar = Visitor(bridge, "oscar")
    oscar.get("/fleet")
    ann.post("/account/units/cp-1", name="Home", time_zone="Europe/Atlantis", rate="", off_peak_rate="")
    with bridge.app_state.database.reading() as connection:
        row = connection.execute(select(units.c.name, units.c.time_zone)).one()
    assert tuple(row) == ("Home", "Europe/Atlantis"), "a new name does not change the zone"


def test_a_machine_without_any_time_zones_shows_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(key: str) -> None:
        raise ZoneInfoNotFoundError(key)

    monkeypatch.setattr(time_zones, "ZoneInfo", none)
    time_zones.zone_of.cache_clear()
    try:
        assert words.day_and_time(HALF_PAST_ONE_MS, LONDON) == "Sun 25 Oct, 00:30 UTC"
        assert words.day_and_time(HALF_PAST_ONE_MS, "UTC") == "Sun 25 Oct, 00:30"
    finally:
        time_zones.zone_of.cache_clear()


@pytest.mark.parametrize(
    ("day", "at", "found"),
    [
        ("2026-01-06", "09:00", "2026-01-06T09:00+00:00"),
        ("2026-07-06", "09:00", "2026-07-06T08:00+00:00"),
        ("2026-03-29", "01:30", None),  # the clocks go from 1:00 to 2:00
        ("2026-10-25", "01:30", "2026-10-25T00:30+00:00"),  # occurs twice; the first
    ],
)
def test_a_time_on_the_clock_of_the_site(day: str, at: str, found: str | None) -> None:
    expected = None if found is None else int(datetime.fromisoformat(found).timestamp() * 1000)
    assert at_ms(date.fromisoformat(day), time.fromisoformat(at), "Europe/London") == expected


@pytest.mark.parametrize(
    ("from_", "until", "words"),
    [
        ("2026-11-03T09:00+00:00", "2026-11-03T12:00+00:00", "Tue 3 Nov, 9:00 to 12:00"),
        ("2026-07-06T21:30+00:00", "2026-07-06T23:30+00:00", "Mon 6 Jul, 22:30 to Tue 7 Jul, 0:30"),
        ("2026-10-25T00:30+00:00", "2026-10-25T01:30+00:00", "Sun 25 Oct, 1:30 BST to 1:30 GMT"),
    ],
)
def test_a_span_of_time_in_words(from_: str, until: str, words: str) -> None:
    from_ms, until_ms = (int(datetime.fromisoformat(one).timestamp() * 1000) for one in (from_, until))
    assert span(from_ms, until_ms, "Europe/London") == words
