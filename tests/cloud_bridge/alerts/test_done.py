"""Is a driver told once that the charge is done, with its energy, and not of anything else that stops the current?"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.done import IDLE_BELOW_W, IDLE_FOR_MS, MIN_CHARGED_MS, NEWS_FOR_MS, charged
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.store.claims import claim, release
from cloud_bridge.store.idle_vehicles import idle_vehicles
from cloud_bridge.store.sites import Tariff, set_tariff
from cloud_bridge.support.running_session import PowerReading, RunningSession, running_session
from tests.cloud_bridge.alerting import driver, notice_and_send, told, webhooks
from tests.cloud_bridge.running import Bridge, Unit

DONE = ("done", "cp-1")
readings = st.lists(
    st.builds(
        PowerReading,
        st.integers(0, 10 * HOUR_MS),
        st.booleans(),
        st.integers(0, 8000),
        st.none() | st.integers(0, 10_000_000),
    ),
    max_size=30,
)


class Charger:
    """The heartbeats of cp-1, and Ann's alerts about them."""

    def __init__(self, bridge: Bridge, sent: list[dict[str, Any]]) -> None:
        new, ann = bridge.add_unit("cp-1"), driver(bridge, "ann", (AlertKind.DONE,))
        with bridge.app_state.database.writing() as connection:
            claim(connection, ann, new.claim_code, 0)
        self.bridge = bridge
        self.sent = sent
        self.claim_code = new.claim_code
        self.total_wh = 1_000_000
        self._unit = Unit(bridge, "cp-1", new.secret).connect()
        self._number = 0
        self._alarm = Alarm(bridge.app_state.database, bridge.clock, None)

    def says(self, state: str, watts: int, for_ms: int = MINUTE_MS, amps: int = 32, **more: Any) -> None:
        """Report this every minute for `for_ms`, with a look after each report."""
        for _ in range(for_ms // MINUTE_MS):
            self._number += 1
            said = {"n": self._number, "b": 1, "s": state, "a": amps, "w": watts, "e": self.total_wh, "f": [], **more}
            self._unit.publish("cp/cp-1/heartbeat", json.dumps(said, separators=(",", ":")).encode())
            self.total_wh += watts // 60
            self.bridge.clock.advance(MINUTE_MS)
            self.look()

    def look(self) -> None:
        self._alarm.notice_done()
        notice_and_send(self._alarm)

    @property
    def words(self) -> str:
        (one,) = self.sent
        assert told(self.sent) == [DONE]
        return str(one["words"])


@pytest.fixture
def charger(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> Charger:
    return Charger(bridge, webhooks(monkeypatch))


def test_a_vehicle_that_has_had_enough_is_told_once(charger: Charger) -> None:
    with charger.bridge.app_state.database.writing() as connection:
        set_tariff(connection, "cp-1", Tariff(3000))
    charger.says("A1", 0)
    charger.says("C2", 7200, 30 * MINUTE_MS)
    charger.says("B2", 0, 4 * MINUTE_MS)
    assert charger.sent == [], "it may only be balancing its cells"
    charger.says("B2", 0, 20 * MINUTE_MS)
    assert "Charging is done at cp-1: 3.6 kWh, about £1.08. The vehicle is full" in charger.words
    charger.says("C2", 2000, 10 * MINUTE_MS)
    charger.says("B2", 0, 20 * MINUTE_MS)
    assert told(charger.sent) == [DONE], "it has only kept itself warm"
    charger.says("A1", 0, 2 * MINUTE_MS)
    charger.says("C2", 7200, 30 * MINUTE_MS)
    charger.says("C2", 0, 10 * MINUTE_MS)
    assert told(charger.sent) == [DONE, DONE], "another session"


@pytest.mark.parametrize(
    ("state", "amps", "more"),
    [
        ("B1", 0, {"y": "schedule"}),
        ("B1", 0, {"y": "cloud", "l": 0}),
        ("F", 0, {"f": ["supply"]}),
        ("B2", 32, {"f": ["supply"]}),
        ("A1", 0, {}),
    ],
)
def test_what_else_stops_the_current_is_not_the_end(
    charger: Charger, state: str, amps: int, more: dict[str, Any]
) -> None:
    charger.says("A1", 0)
    charger.says("C2", 7200, 30 * MINUTE_MS)
    charger.says(state, 0, 30 * MINUTE_MS, amps, **more)
    assert charger.sent == []


def test_a_charge_of_a_minute_is_none(charger: Charger) -> None:
    charger.says("A1", 0)
    charger.says("C2", 7200, 2 * MINUTE_MS)
    charger.says("B2", 0, 30 * MINUTE_MS)
    assert charger.sent == []


def test_a_unit_that_is_silent_says_nothing_of_its_vehicle(charger: Charger) -> None:
    charger.says("A1", 0)
    charger.says("C2", 7200, 30 * MINUTE_MS)
    charger.says("B2", 0)
    charger.bridge.clock.advance(16 * MINUTE_MS)
    charger.look()
    assert charger.sent == []


def test_a_new_owner_is_not_told_of_the_charge_of_the_one_before(bridge: Bridge, charger: Charger) -> None:
    charger.says("A1", 0)
    charger.says("C2", 7200, 30 * MINUTE_MS)
    ben = driver(bridge, "ben", (AlertKind.DONE,))
    with bridge.app_state.database.writing() as connection:
        release(connection, "cp-1", now_ms=bridge.clock.now_ms())
        claim(connection, ben, charger.claim_code, bridge.clock.now_ms())
    charger.says("B2", 0, 30 * MINUTE_MS)
    assert charger.sent == []


@given(readings, st.integers(0, 12 * HOUR_MS))
def test_what_is_done_has_drawn_and_draws_no_more(some: list[PowerReading], now_ms: int) -> None:
    running = running_session(sorted(some, key=lambda one: one.at_ms))
    found = None if running is None else charged(running, now_ms)
    if running is None or found is None:
        return
    assert IDLE_FOR_MS <= now_ms - found.to_ms <= NEWS_FOR_MS
    assert found.to_ms - found.from_ms >= MIN_CHARGED_MS
    assert all(one.watts < IDLE_BELOW_W for one in running.readings if one.at_ms > found.to_ms)


def test_energy_that_the_meter_does_not_tell_is_not_invented() -> None:
    some = [PowerReading(0, True, 7000, None), PowerReading(HOUR_MS, True, 0, None)]
    found = charged(RunningSession(some, True, None), HOUR_MS + IDLE_FOR_MS)
    assert found is not None
    assert found.energy_wh is None


def test_a_vehicle_that_stands_there_full_is_looked_at_no_more(charger: Charger) -> None:
    charger.says("A1", 0)
    charger.says("C2", 7200, 10 * MINUTE_MS)
    charger.says("B2", 0, 80 * MINUTE_MS)
    now_ms = charger.bridge.clock.now_ms()
    with charger.bridge.app_state.database.reading() as connection:
        for drew_since_ms, found in ((now_ms - 85 * MINUTE_MS, ["cp-1"]), (now_ms - 75 * MINUTE_MS, [])):
            idle = idle_vehicles(connection, now_ms - 15 * MINUTE_MS, IDLE_BELOW_W, drew_since_ms)
            assert [unit_id for unit_id, _ in idle] == found
