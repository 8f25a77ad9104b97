"""Is a field of another maker read as far as it can be understood, and never further?"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.ingest.ocpp.fields import MAX_DIGITS, MAX_ITEMS, ascii_text, first, items, number, text, time_s, whole
from cloud_bridge.wire import EARLIEST_S, LATEST_S, MAX_COUNT


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Zaptec", "Zaptec"),
        ("  Zap\x00tec\n", "Zaptec"),
        ("", None),
        ("\t", None),
        (None, None),
        (True, None),
        (["a"], None),
        (7, "7"),
        (0, "0"),
        (1.5, "1.5"),
        (0.1 + 0.2, "0.3"),
        (MAX_COUNT, str(MAX_COUNT)),
        (-MAX_COUNT, str(-MAX_COUNT)),
        (MAX_COUNT + 1, None),
        ("x" * 50, "x" * 50),
        ("x" * 51, "x" * 50),
    ],
)
def test_a_text(value: Any, expected: str | None) -> None:
    assert text(value) == expected


def test_a_text_is_cut_to_what_was_asked_for_once_it_can_be_shown() -> None:
    assert text("\x00" * 6 + "abc", 3) == "abc"
    assert text("\x00" * 12 + "abc", 3) is None, "four times as much is looked at"


@pytest.mark.parametrize(("value", "expected"), [("abcd", "abc"), ("a\u00e9", None), (None, None), ("", None)])
def test_a_text_in_ascii(value: Any, expected: str | None) -> None:
    assert ascii_text(value, 3) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3.0),
        (0, 0.0),
        (-2.5, -2.5),
        (" 1,5 ", 1.5),
        ("1e3", 1000.0),
        (True, None),
        ("", None),
        ("x", None),
        ("nan", None),
        ("inf", None),
        (None, None),
        (MAX_COUNT, float(MAX_COUNT)),
        (MAX_COUNT + 1, None),
        (-MAX_COUNT - 1, None),
        ("0" * (MAX_DIGITS - 1) + "1", 1.0),
        ("0" * MAX_DIGITS + "1", None),
    ],
)
def test_a_number(value: Any, expected: float | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(("value", "expected"), [("12", 12), (12.0, 12), (12.5, None), ("x", None), (-3, -3), (0, 0)])
def test_a_whole_number(value: Any, expected: int | None) -> None:
    assert whole(value) == expected


@given(st.integers(EARLIEST_S, LATEST_S), st.integers(-14 * 60, 14 * 60))
def test_a_time_is_the_same_in_every_zone(at_s: int, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    assert time_s(datetime.fromtimestamp(at_s, zone).isoformat()) == at_s
    assert time_s(datetime.fromtimestamp(at_s, UTC).replace(tzinfo=None).isoformat()) == at_s


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" 2020-01-01T00:00:00Z ", EARLIEST_S),
        ("2019-12-31T23:59:59Z", None),
        ("2099-12-31T23:59:59Z", LATEST_S),
        ("2100-01-01T00:00:00Z", None),
        ("yesterday", None),
        (1_700_000_000, None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026-01-01T00:00:00Z" + " " * 20, 1_767_225_600),
        ("2026-01-01T00:00:00Z" + " " * 21, None),
    ],
)
def test_a_time(value: Any, expected: int | None) -> None:
    assert time_s(value) == expected


def test_the_objects_of_a_list_or_the_one_in_its_place() -> None:
    assert items([{"a": 1}, 2, None, {"b": 2}]) == [{"a": 1}, {"b": 2}]
    assert items({"a": 1}) == [{"a": 1}]
    assert items(None) == items("x") == items([]) == []
    assert len(items([{"a": 1}] * (MAX_ITEMS + 1))) == MAX_ITEMS


def test_the_first_object_or_an_empty_one() -> None:
    assert first([2, {"a": 1}, {"b": 2}]) == first({"a": 1}) == {"a": 1}
    assert first(None) == first([]) == first(["x"]) == {}
