"""Does the unit charge exactly when the person chose, and does the page show exactly when the unit charges?"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.charging_hours import LONGEST_TEXT, stored
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.presentation import hours
from cloud_bridge.web.presentation.hours import Window, Windows, in_words, said, week, written
from cloud_bridge.web.presentation.hours_form import HoursForm, Lines, filled, read
from firmware.charging import schedule
from firmware.link import commands
from firmware.storage import bounds

LONDON = ZoneInfo("Europe/London")
WEEKS = ("2026-01-12", "2026-07-06", "2026-03-23", "2026-10-19")  # winter, summer, and the clocks change

minutes = st.integers(0, 47).map(lambda half_hour: half_hour * 30) | st.integers(0, 1439)
of_day = st.lists(st.builds(Window, minutes, minutes), min_size=1, max_size=hours.MAX_WINDOWS, unique=True).map(tuple)
windows = st.builds(Windows, of_day, of_day)


def minute(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def between(*times: str) -> tuple[Window, ...]:
    """Parse windows such as '23:30-05:30'."""
    return tuple(Window(minute(time[:5]), minute(time[6:])) for time in times)


NIGHT, DAY = between("23:30-05:30"), between("00:00-00:00")


def differences(allowed: int, text: str, monday: str) -> list[str]:
    """Return the minutes of the week in which the unit's own rule differs."""
    rule = schedule.read(text)
    begin_s = int(datetime.fromisoformat(monday).replace(tzinfo=LONDON).timestamp())
    found = []
    for at_s in range(begin_s, begin_s + 7 * 86_400, 60):
        local = datetime.fromtimestamp(at_s, UTC).astimezone(LONDON)
        is_allowed = bool(allowed >> (local.weekday() * 1440 + local.hour * 60 + local.minute) & 1)
        if is_allowed != (schedule.avoided_until(rule, at_s) is None):
            found.append(f"{local:%a %H:%M %Z}")
    return found


@settings(max_examples=25, deadline=None)
@given(windows, st.sampled_from(WEEKS))
def test_the_unit_charges_in_the_person_s_windows_minute_by_minute(asked: Windows, monday: str) -> None:
    assert differences(week(asked), written(asked), monday) == []


@settings(max_examples=300, deadline=None)
@given(windows)
def test_what_the_form_can_say_the_unit_can_store_and_the_page_can_show(asked: Windows) -> None:
    text = written(asked)
    assert schedule.complaint(text) is None
    assert commands.TABLE["schedule"][1]["hours"](text)
    assert bounds.why_not("schedule", text, {}) is None
    assert stored(text) == week(asked)
    shown = said(text)
    assert shown is not None and week(shown) == week(asked)
    assert in_words(text)


days = st.sampled_from(["mon", "sun", "mon-fri", "sat-sun", "mon-sun", "tue-thu", "fri-mon", "day"])
times = st.sampled_from(["00:00", "08:00", "11:00", "16:00", "23:59", "24:00", "24:30", "8:00"])
parts = st.builds(lambda day, spans: " ".join([day, *spans]), days, st.lists(st.builds("{}-{}".format, times, times)))


@settings(max_examples=300, deadline=None)
@given(st.lists(parts, max_size=9).map("; ".join) | st.sampled_from(["default", "off"]))
def test_hours_of_any_origin_are_read_as_the_unit_reads_them(text: str) -> None:
    """As an older version has sent them."""
    allowed = stored(text)
    if text and len(text) <= LONGEST_TEXT:
        assert (allowed is None) == (schedule.complaint(text) is not None)
    if allowed is not None:
        assert differences(allowed, text, WEEKS[0])[:3] == []
        assert in_words(text)
        windows = said(text)
        assert windows is None or week(windows) == allowed


def test_hours_that_no_windows_can_mean_are_not_looked_through() -> None:
    """With as many as the unit accepts, there would be a million pairs of windows for each part of the week."""
    text = "mon " + " ".join(f"{hour:02d}:00-{hour:02d}:30" for hour in range(16))
    assert stored(text) is not None and schedule.complaint(text) is None
    assert said(text) is None and in_words(text).startswith("Any time, but not 00:00 to 00:30 or")


@pytest.mark.parametrize("bad", [None, 7, "", " ", "mon", "mon 08:00", "mon 11:00-08:00", "mon 08:00-08:00", "x" * 300])
def test_what_the_unit_would_refuse_is_none(bad: object) -> None:
    assert stored(bad) is None


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (Windows(NIGHT, NIGHT), "mon-sun 05:30-23:30"),
        (
            Windows(NIGHT, DAY),
            "mon 00:00-23:30; tue-fri 05:30-23:30",
        ),  # Friday's window ends on Saturday, Sunday's at midnight
        (Windows(DAY, NIGHT), "sat 00:00-23:30; sun 05:30-23:30"),  # Sunday's window ends on Monday
        (Windows(NIGHT, ()), "mon 00:00-23:30; tue-fri 05:30-23:30; sat 05:30-24:00; sun 00:00-24:00"),
        (Windows(DAY, DAY), "off"),
        (
            Windows(between("00:30-05:30", "13:00-16:00"), between("00:30-05:30", "13:00-16:00")),
            "mon-sun 00:00-00:30 05:30-13:00 16:00-24:00",
        ),
    ],
)
def test_windows_are_written_and_said_again(asked: Windows, text: str) -> None:
    assert written(asked) == text
    assert said(text) == asked


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "Not chosen from here yet"),
        ("off", "Any time"),
        ("default", "Any time but weekday peaks: not 08:00 to 11:00 or 16:00 to 22:00 on weekdays"),
        ("mon-sun 05:30-23:30", "Every day, 23:30 to 05:30"),
        ("mon 00:00-23:30; tue-fri 05:30-23:30", "Weekdays, 23:30 to 05:30; weekends, the whole day"),
        ("mon-fri 08:00-11:00", "Any time, but not 08:00 to 11:00 on weekdays"),  # as older versions wrote them
        (
            "sat 10:00-12:00; sun 09:00-12:00",
            "Any time, but not 10:00 to 12:00 on Saturdays, nor 09:00 to 12:00 on Sundays",
        ),
        ("mon-wed 10:00-12:00", "Any time, but not 10:00 to 12:00 on Mondays to Wednesdays"),
        ("mon-sun 00:00-24:00", "Any time, but not 00:00 to 24:00 on any day"),
    ],
)
def test_hours_in_words(text: str | None, words: str) -> None:
    assert in_words(text) == words


@pytest.mark.parametrize("text", [None, "default", "off", "mon-sun 00:00-24:00", "mon 08:00-09:00; tue 10:00-11:00"])
def test_a_form_is_empty_where_no_windows_were_chosen(text: str | None) -> None:
    assert filled(text) == HoursForm([("", "")] * 2, [("", "")] * 2)


def sent(weekday: Lines, weekend: Lines) -> dict[str, str]:
    """Return the fields of the form."""
    named = [("weekday", weekday), ("weekend", weekend)]
    begins = {f"{kind}_from_{line}": begin for kind, lines in named for line, (begin, _) in enumerate(lines)}
    return begins | {f"{kind}_to_{line}": end for kind, lines in named for line, (_, end) in enumerate(lines)}


EMPTY = ("", "")


@settings(max_examples=50, deadline=None)
@given(windows)
def test_a_form_sent_as_it_is_shown_changes_nothing(asked: Windows) -> None:
    text = written(asked)
    form = filled(text)
    if text != "off":
        assert week(read(sent(form.weekday, form.weekend), form.is_same)) == week(asked)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (("08:00", ""), "weekday_to_1"),
        (("", "08:00"), "weekday_from_1"),
        (("x", "y"), "weekday_from_1"),
        (("25:00", "08:00"), "weekday_from_1"),
        (("08:00", "09:61"), "weekday_to_1"),
    ],
)
def test_a_line_that_is_no_window_is_refused_at_its_field(line: tuple[str, str], field: str) -> None:
    with pytest.raises(Refused) as refused:
        read(sent([("23:30", "05:30"), line], [("10:00", "12:00"), EMPTY]), is_same=False)
    assert [*refused.value.problems] == [field] and "23:30 and 05:30" in refused.value.meaning


def test_never_is_no_answer() -> None:
    with pytest.raises(Refused) as refused:
        read(sent([EMPTY, EMPTY], [EMPTY, EMPTY]), is_same=False)
    assert [*refused.value.problems] == ["weekday_from_0"] and "Any time" in refused.value.meaning


def test_what_is_the_same_at_weekends_is_not_read_twice() -> None:
    same = read(sent([("23:30", "05:30"), EMPTY], [("x", "y"), EMPTY]), is_same=True)
    assert same == Windows(NIGHT, NIGHT)
