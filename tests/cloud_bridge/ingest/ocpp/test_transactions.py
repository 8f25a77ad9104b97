"""Do beginning and end of a transaction make one session, with what they say and no more?"""

from typing import Any

import pytest

from cloud_bridge.ingest.ocpp.meter_values import MAX_WH
from cloud_bridge.ingest.ocpp.transactions import (
    MAX_SESSION_S,
    MAX_SESSION_WH,
    ODD_AHEAD_S,
    End,
    Transaction,
    believable_s,
    number_of,
    register_wh,
    session,
)

T = 1_767_225_600


def made(began_s: int | None, began_wh: int | None, ended_s: int | None, ended_wh: int | None) -> dict[str, Any]:
    """The session of these."""
    return session(Transaction(7, 1, began_s, began_wh), End(7, ended_s, ended_wh, None, "Local"))


def test_a_session_says_when_and_how_much() -> None:
    assert made(T, 1000, T + 60, 1500) == {
        "b": 7, "n": 0, "t": T + 60, "t0": T, "t1": T + 60, "y": "Local", "s": 60, "e": 500,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lasted_s", "told"), [(0, True), (-1, False), (MAX_SESSION_S, True), (MAX_SESSION_S + 1, False)]
)
def test_how_long_it_lasted_where_that_can_be(lasted_s: int, told: bool) -> None:
    assert made(T, None, T + lasted_s, None).get("s") == (lasted_s if told else None)


@pytest.mark.parametrize(("wh", "told"), [(0, True), (-1, False), (MAX_SESSION_WH, True), (MAX_SESSION_WH + 1, False)])
def test_how_much_was_charged_where_that_can_be(wh: int, told: bool) -> None:
    assert made(None, 1000, None, 1000 + wh).get("e") == (wh if told else None)


@pytest.mark.parametrize(
    ("began", "end"),
    [((None, None), (T, 5)), ((T, 5), (None, None)), ((None, 0), (T, None)), ((T, None), (None, 0))],
)
def test_what_is_not_known_at_both_ends_is_not_told(
    began: tuple[int | None, int | None], end: tuple[int | None, int | None]
) -> None:
    said = made(*began, *end)
    assert "s" not in said and "e" not in said
    assert (said.get("t0"), said.get("t1"), said.get("t")) == (began[0], end[0], end[0])


def test_an_end_without_its_beginning_has_the_energy_of_its_readings() -> None:
    assert session(None, End(7, T, 1500, 1000, None)) == {"b": 7, "n": 0, "t": T, "t1": T, "e": 500}
    assert "e" not in session(None, End(7, T, 1500, None, None))
    assert session(Transaction(7, 1, T, 1200), End(7, T, 1500, 1000, None))["e"] == 300


@pytest.mark.parametrize(("number", "told"), [(1, True), (0, False), (-1, False), (None, False)])
def test_a_session_has_a_number_if_it_is_one(number: int | None, told: bool) -> None:
    said = session(None, End(number, None, None, None, "x" * 60))
    assert said == ({"b": number, "n": 0} if told else {}) | {"y": "x" * 50}


def test_the_same_beginning_has_the_same_number_and_never_none() -> None:
    assert number_of("CP1", 1, T) == number_of("CP1", 1, T) != number_of("CP1", 2, T)
    assert all(0 < number_of(one) < 2**31 for one in range(2000))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("5", 5), (0, 0), (-1, None), (MAX_WH, MAX_WH), (MAX_WH + 1, None), (1.5, None), ("x", None)],
)
def test_a_register(value: Any, expected: int | None) -> None:
    assert register_wh(value) == expected


def test_a_time_ahead_of_us_is_not_believed_but_for_an_hour() -> None:
    received_ms = (T - ODD_AHEAD_S) * 1000
    assert believable_s("2026-01-01T00:00:00Z", received_ms) == T
    assert believable_s("2026-01-01T00:00:00Z", received_ms - 1) is None
    assert believable_s("2020-01-01T00:00:00Z", received_ms) is not None
    assert believable_s(None, received_ms) is None
