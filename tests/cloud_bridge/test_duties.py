"""Does a duty continue whatever it raises, and is the age of its last success visible?"""

import argparse
import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.cli import doctor
from cloud_bridge.counters import Counters
from cloud_bridge.duties import LATE_AFTER_S, LATE_AFTER_TURNS, Duties
from cloud_bridge.errors import BridgeError
from cloud_bridge.ingest.canary import BrokerAddress, Canary
from cloud_bridge.settings import read_settings
from cloud_bridge.store.units import revoke
from tests.cloud_bridge.raw import RawUnit
from tests.cloud_bridge.running import Bridge

TURNS = 5


class Seconds:
    """A monotonic clock that the test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Enough(BaseException):
    """Ends a duty from within."""


def run(duties: Duties, *turns: Callable[[], Awaitable[object]], seconds: float = 0.0) -> None:
    async def all_of_them() -> None:
        with suppress(Enough):
            await asyncio.gather(*(duties.every(seconds, f"duty{number}", turn) for number, turn in enumerate(turns)))

    asyncio.run(all_of_them())


def raising(errors: list[Exception | None]) -> Callable[[], Awaitable[object]]:
    """Return a duty that raises these errors one after the other, and then ends."""
    left = iter(errors)

    async def turn() -> None:
        for error in left:
            if error is not None:
                raise error
            return
        raise Enough

    return turn


ERRORS: list[Exception] = [
    OperationalError("SELECT 1", {}, Exception("away")),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    KeyError("f"),
    AttributeError("no such thing"),
    RecursionError(),
    MemoryError(),
    BridgeError("refused"),
    OSError(28, "no space"),
    AssertionError(),
    ExceptionGroup("several", [ValueError()]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_it_goes_on_after_any_error(error: Exception) -> None:
    duties = Duties()
    run(duties, raising([error, None, error, error, None]))
    assert [(state.name, state.failures) for state in duties.states()] == [("duty0", 3)]


def test_the_age_is_that_of_the_last_success_and_late_is_said_in_time() -> None:
    clock = Seconds()
    duties = Duties(clock)
    run(duties, raising([None]), seconds=0.0)
    assert duties.states()[0].age_s == 0
    clock.now_s += LATE_AFTER_S
    assert not duties.states()[0].is_late
    clock.now_s += 1
    assert duties.states()[0].is_late
    assert duties.states()[0].age_s == LATE_AFTER_S + 1


def test_one_that_never_succeeds_is_late_from_its_start() -> None:
    clock = Seconds()
    duties = Duties(clock)
    run(duties, raising([ValueError(), ValueError()]), seconds=0.001)
    clock.now_s += LATE_AFTER_S + LATE_AFTER_TURNS * 0.001 + 1
    (state,) = duties.states()
    assert (state.is_late, state.failures) == (True, 2)


def test_the_same_failure_is_one_line_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    errors: list[Exception | None] = [ValueError("one"), ValueError("one"), KeyError("two"), None, KeyError("two")]
    with caplog.at_level(logging.WARNING):
        run(Duties(), raising(errors))
    lines = [message for message in caplog.messages if message.startswith("duty duty0")]
    assert [line.split("retrying: ")[1] for line in lines] == ["ValueError: one", "KeyError: 'two'", "KeyError: 'two'"]


def test_all_duties_of_the_bridge_go_on_and_are_seen(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them raises an unexpected error, and then works."""
    upkeep, alarm = bridge.app_state.upkeep, Alarm(bridge.app_state.database, bridge.clock, None)
    turns: list[tuple[object, str]] = [(upkeep, name) for name in ("notice", "roll_up", "keep_time", "forget")]
    noticing = ("notice", "notice_weak_signal", "notice_trouble", "notice_done", "notice_lost_vehicles")
    turns += [(alarm, name) for name in (*noticing, "notice_departures", "deliver")]
    tried: dict[Any, int] = {}

    def first_fails(place: object, name: str) -> Callable[[], None]:
        def turn() -> None:
            tried[place, name] = tried.get((place, name), 0) + 1
            if tried[place, name] == 1:
                raise AttributeError("of nobody's expectation")

        return turn

    for place, name in turns:
        monkeypatch.setattr(place, name, first_fails(place, name))
    monkeypatch.setattr(asyncio, "sleep", no_pause(asyncio.sleep))
    future = asyncio.run_coroutine_threadsafe(upkeep.run(alarm, bridge.app_state.duties), bridge.app_state.loop)
    bridge.until(lambda: len(tried) == len(turns) and min(tried.values()) > 1, "tried again")
    future.cancel()
    said = bridge.client.get("/healthz").json()
    assert sum(duty["failures"] == 1 and not duty["late"] for duty in said["duties"].values()) == len(turns)
    metrics = bridge.client.get("/metrics").text
    assert 'chargekeeper_duty_failures_total{duty="alerts"} 1.0' in metrics
    assert 'chargekeeper_duty_age_seconds{duty="alerts"}' in metrics


def no_pause(sleep: Callable[[float], Awaitable[None]]) -> Callable[[float], Awaitable[None]]:
    async def brief(_seconds: float) -> None:
        await sleep(0.01)

    return brief


def test_a_late_duty_is_named_in_healthz_and_by_the_doctor(
    bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Seconds()
    duties = Duties(clock)
    monkeypatch.setattr(bridge.app_state.duties, "states", duties.states)
    run(duties, raising([None]))
    settings = read_settings({"CHARGEKEEPER_DATA": str(tmp_path), "CHARGEKEEPER_API_TOKEN": "x" * 32})

    def seen() -> tuple[str, dict[str, Any]]:
        said = bridge.client.get("/healthz").json()
        monkeypatch.setattr(doctor, "_health", lambda _settings: said)
        rows: Any = doctor.run(settings, argparse.Namespace())
        return said["status"], next(row for row in rows if row["check"] == "duties")

    assert seen() == ("ok", {"check": "duties", "ok": True, "found": "all on time; last success of duty0 0 s ago"})
    clock.now_s += 500
    status, row = seen()
    assert status == "late: duty0"
    assert not row["ok"]
    assert "duty0 last succeeded 500 s ago, 0 failures" in row["found"]


def test_the_doctor_without_a_token_says_whether_the_bridge_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_settings({"CHARGEKEEPER_DATA": str(tmp_path)})
    monkeypatch.setattr(doctor, "_health", lambda _settings: {"status": "ok"})
    assert doctor.duties(settings).startswith("all on time")
    monkeypatch.setattr(doctor, "_health", lambda _settings: {"status": "in trouble"})
    with pytest.raises(doctor.Ill, match="CHARGEKEEPER_API_TOKEN"):
        doctor.duties(settings)


def test_a_canary_that_raises_anything_is_lost_and_the_next_one_flies(monkeypatch: pytest.MonkeyPatch) -> None:
    counters, duties = Counters(), Duties()
    canary = Canary(BrokerAddress("127.0.0.1", 1, "x"), counters)
    monkeypatch.setattr(canary, "send", raising([ValueError(), json.JSONDecodeError("", "", 0), None]))
    monkeypatch.setattr(asyncio, "sleep", no_pause(asyncio.sleep))

    async def fly() -> None:
        with suppress(Enough):
            await canary.run(duties)

    asyncio.run(fly())
    assert (counters.canaries_lost, duties.states()[0].failures) == (2, 2)


def test_a_certificate_that_raises_anything_keeps_no_revoked_unit_connected(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def look(self) -> None:
            raise RuntimeError("of nobody's expectation")

    unit = RawUnit(bridge).connect("cp-1", bridge.add_unit("cp-1").secret)
    monkeypatch.setattr(bridge.broker._listener, "_certificate", Broken())
    bridge.until(lambda: any(state.failures > 1 for state in bridge.app_state.duties.states()), "it goes on")
    bridge.clock.advance(1000)
    with bridge.app_state.database.writing() as connection:
        revoke(connection, "cp-1", bridge.clock.now_ms())
    assert unit.was_closed
    assert bridge.counter("closed_revoked") == 1
