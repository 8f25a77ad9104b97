"""Is history correct: silence and return, our gaps and the unit's, signal, sessions?"""

import json
from typing import Any

import pytest

from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.ownership import BUCKET_MS
from cloud_bridge.store.tables import signal
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge, Unit, sample

HEARTBEAT = "cp/cp-1/heartbeat"


@pytest.fixture
def unit(bridge: Bridge) -> Unit:
    return Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()


def heartbeat(number: int, csq: int | None = 17, operator: str = "23415") -> bytes:
    return json.dumps({"n": number, "b": 1, "q": csq, "o": operator}).encode()


def ask(bridge: Bridge, what: str, **query: str) -> Any:
    response = bridge.client.get(f"/api/charge-points/cp-1/{what}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def passes_listening(bridge: Bridge, ms: int) -> None:
    """Let time pass while we listen."""
    for _ in range(ms // 15_000):
        bridge.clock.advance(15_000)
        bridge.send_canary()


def test_silence_and_return_are_noticed_once_each(bridge: Bridge, unit: Unit) -> None:
    unit.publish(HEARTBEAT, heartbeat(1))
    bridge.clock.advance(30 * MINUTE_MS)
    assert bridge.app_state.upkeep.notice() == ([], []), "exactly thirty minutes"
    bridge.clock.advance(1)
    assert bridge.app_state.upkeep.notice() == (["cp-1"], [])
    assert bridge.app_state.upkeep.notice() == ([], [])
    unit.publish(HEARTBEAT, heartbeat(2))
    assert bridge.app_state.upkeep.notice() == ([], ["cp-1"])
    assert bridge.app_state.upkeep.notice() == ([], [])
    assert ask(bridge, "contacts")["fell_silent"] == 1


def test_a_contact_that_is_not_yet_stored_is_not_overlooked(bridge: Bridge, unit: Unit) -> None:
    unit.publish(HEARTBEAT, heartbeat(1))
    bridge.clock.advance(31 * MINUTE_MS)
    now_ms = bridge.clock.now_ms()
    live, ledger = bridge.app_state.live, bridge.app_state.ledger
    live.contact(live.unit("cp-1"), now_ms, ledger.listened_at_most_ms(now_ms))
    assert bridge.app_state.upkeep.notice() == ([], [])


def test_nobody_is_noticed_silent_while_we_were_deaf(bridge: Bridge, unit: Unit) -> None:
    unit.publish(HEARTBEAT, heartbeat(1))
    bridge.send_canary()
    bridge.clock.advance(40 * MINUTE_MS)
    assert bridge.app_state.upkeep.notice() == ([], [])
    bridge.send_canary()
    assert bridge.app_state.upkeep.notice() == ([], [])


def test_a_gap_is_remembered_when_it_is_over_and_shown_while_it_lasts(bridge: Bridge, unit: Unit) -> None:
    unit.publish(HEARTBEAT, heartbeat(1))
    passes_listening(bridge, 25 * MINUTE_MS)
    said = ask(bridge, "contacts")
    assert [(gap["to"], gap["duration_ms"]) for gap in said["gaps"]] == [(None, 25 * MINUTE_MS)]
    unit.publish(HEARTBEAT, heartbeat(2))
    (gap,) = ask(bridge, "contacts")["gaps"]
    assert gap == {
        "from": "2026-01-01T00:00:00.000Z",
        "to": "2026-01-01T00:25:00.000Z",
        "duration_ms": 25 * MINUTE_MS,
        "our_outage_ms": 0,
    }


def test_heartbeats_in_time_leave_no_gap(bridge: Bridge, unit: Unit) -> None:
    for number in range(5):
        unit.publish(HEARTBEAT, heartbeat(number))
        bridge.clock.advance(5 * MINUTE_MS)
    said = ask(bridge, "contacts")
    assert said["gaps"] == []
    assert said["availability"] == 1


def test_availability_leaves_out_the_time_in_which_we_were_deaf(bridge: Bridge, unit: Unit) -> None:
    unit.publish(HEARTBEAT, heartbeat(1))
    bridge.send_canary()
    bridge.clock.advance(60 * MINUTE_MS)  # ours
    bridge.send_canary()
    passes_listening(bridge, 60 * MINUTE_MS)  # the unit's
    unit.publish(HEARTBEAT, heartbeat(2))
    said = ask(bridge, "contacts", **{"from": "2026-01-01T00:00:00Z"})
    assert said["gaps"][0]["our_outage_ms"] == 60 * MINUTE_MS
    assert said["our_outages"] == [{"from": "2026-01-01T00:00:00.000Z", "to": "2026-01-01T01:00:00.000Z"}]
    assert said["availability"] == 0
    passes_listening(bridge, 25 * MINUTE_MS)  # a gap, and no silence
    unit.publish(HEARTBEAT, heartbeat(3))
    said = ask(bridge, "contacts", **{"from": "2025-12-31T00:00:00Z"})  # its first contact was a day later
    assert len(said["gaps"]) == 2
    assert said["availability"] == pytest.approx(25 / 85)
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    for path in ("/charge-points/cp-1/history?days=1", "/charge-points/cp-1/jobs"):
        assert "29.4%" in olga.read(path), "one rule for the interface, the pages and the evidence"


def test_a_unit_that_came_today_was_not_reached_all_week(bridge: Bridge, unit: Unit) -> None:
    unit.publish(HEARTBEAT, heartbeat(1))
    passes_listening(bridge, 5 * MINUTE_MS)
    said = Visitor(bridge, "olga", Role.OPERATOR).read("/charge-points/cp-1/history?days=7")
    assert "since it first reached us, Thu 1 Jan, 00:00. Never silent." in said
    assert said.count("100.0%") == 2, "its figure and one day"


def test_while_we_are_deaf_the_unit_is_not_silent(bridge: Bridge, unit: Unit) -> None:
    """On the history page as on the dashboard."""
    unit.publish(HEARTBEAT, heartbeat(1))
    bridge.send_canary()
    bridge.clock.advance(60 * MINUTE_MS)
    assert "Never silent." in Visitor(bridge, "olga", Role.OPERATOR).read("/charge-points/cp-1/history")


def test_signal_is_kept_as_it_came_and_by_five_minutes(bridge: Bridge, unit: Unit) -> None:
    for number, (csq, operator) in enumerate([(10, "23415"), (20, "23415"), (31, "23430"), (99, "23415"), (None, "")]):
        unit.publish(HEARTBEAT, heartbeat(number, csq, operator))
        bridge.clock.advance(1000)
    raw = ask(bridge, "signal", resolution="raw")["points"]
    assert [(point["csq"], point["operator"]) for point in raw] == [(10, "23415"), (20, "23415"), (31, "23430")]
    assert ask(bridge, "signal")["points"] == []
    bridge.clock.advance(BUCKET_MS)
    for _ in range(2):
        bridge.app_state.upkeep.roll_up()
        assert ask(bridge, "signal")["points"] == [
            {"at": "2026-01-01T00:00:00.000Z", "until": "2026-01-01T00:05:00.000Z", "operator": "23415", "samples": 2}
            | {"lowest": 10, "mean": 15.0, "highest": 20},
            {"at": "2026-01-01T00:00:00.000Z", "until": "2026-01-01T00:05:00.000Z", "operator": "23430", "samples": 1}
            | {"lowest": 31, "mean": 31.0, "highest": 31},
        ]


def test_each_table_forgets_after_its_own_time(bridge: Bridge, unit: Unit) -> None:
    unit.publish(HEARTBEAT, heartbeat(1))
    unit.publish("cp/cp-1/session", sample("session"))
    bridge.clock.advance(BUCKET_MS)
    bridge.app_state.upkeep.roll_up()
    bridge.clock.advance(2 * DAY_MS)
    bridge.app_state.upkeep.forget()
    whole = {"from": "2026-01-01T00:00:00Z"}
    assert ask(bridge, "signal", resolution="raw", **whole)["points"] == []
    assert len(ask(bridge, "signal", **whole)["points"]) == 1
    for days in (1, 32, 300):
        bridge.clock.advance(days * DAY_MS)
        bridge.app_state.upkeep.roll_up()
        bridge.app_state.upkeep.roll_up_hours()
        bridge.app_state.upkeep.forget()
        (point,) = ask(bridge, "signal", **whole)["points"]
        assert point["until"] == ("2026-01-01T00:05:00.000Z" if days == 1 else "2026-01-01T01:00:00.000Z")
    bridge.clock.advance(100 * DAY_MS)
    bridge.app_state.upkeep.forget()
    assert ask(bridge, "signal", **whole)["points"] == []
    assert len(ask(bridge, "sessions", **whole)["sessions"]) == 1


def test_sessions_and_events_are_listed_as_they_reached_us(bridge: Bridge, unit: Unit) -> None:
    unit.publish("cp/cp-1/session", sample("session"))
    unit.publish("cp/cp-1/event", sample("event-fault-raised"))
    (session,) = ask(bridge, "sessions", to="2026-01-02T00:00:00")["sessions"]
    assert (session["energy_wh"], session["reason"], session["number"]) == (22140, "unplugged", None)
    (event,) = ask(bridge, "events", to="2026-01-02T00:00:00")["events"]
    assert event["kind"] == "fault_raised"


@pytest.mark.parametrize(("payload", "number"), [(sample("session-numbered"), 7), (b'{"n":1,"b":1,"e":5}', None)])
def test_a_session_has_the_number_that_it_has_on_the_unit(
    bridge: Bridge, unit: Unit, payload: bytes, number: int | None
) -> None:
    unit.publish("cp/cp-1/session", payload)
    (session,) = ask(bridge, "sessions", to="2026-01-02T00:00:00")["sessions"]
    assert session["number"] == number


@pytest.mark.parametrize("what", ["contacts", "signal", "sessions", "events"])
def test_history_is_only_for_those_who_may_see_the_unit(bridge: Bridge, unit: Unit, what: str) -> None:
    assert bridge.stranger().get(f"/api/charge-points/cp-1/{what}").status_code == 401
    assert bridge.client.get(f"/api/charge-points/nobody/{what}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"to": "0001-01-01T00:00:00Z"},
        {"to": "9999-12-31T23:59:59-23:59"},
        {"from": str(10**30)},
    ],
)
def test_a_window_that_is_none_is_refused(bridge: Bridge, unit: Unit, query: dict[str, str]) -> None:
    assert bridge.client.get("/api/charge-points/cp-1/contacts", params=query).status_code == 422


def test_a_row_of_signal_belongs_to_one_moment(bridge: Bridge, unit: Unit) -> None:
    for number in range(3):
        unit.publish(HEARTBEAT, heartbeat(number))
    with bridge.app_state.database.reading() as connection:
        assert len(connection.execute(signal.select()).all()) == 1
