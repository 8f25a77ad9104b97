"""Is every new trouble alerted once, not again within its hold-down, and not forgotten when the hold-down ends?"""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.detection import SETTLED_MS, notice_weak_signal
from cloud_bridge.alerts.kinds import MAX_FAULTS, AlertKind
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.store.personal import erase
from cloud_bridge.store.subscriptions import Via, add_subscription
from cloud_bridge.store.tables import alerts, events, signal_5min, units
from cloud_bridge.store.units import Protocol
from cloud_bridge.store.upsert import insert_new
from tests.cloud_bridge.alerting import Journal, driver, look, no_bad_row, told, unit_of, webhooks
from tests.cloud_bridge.running import Bridge, HandClock, running_bridge

FAULT = ("fault", "cp-1")
SILENT = ("silent", "cp-1")
BACK = ("back", "cp-1")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    return webhooks(monkeypatch)


@pytest.fixture
def journal(bridge: Bridge) -> Journal:
    """The journal of a unit of Ann, who subscribes to faults."""
    return Journal(unit_of(bridge, driver(bridge, "ann", (AlertKind.FAULT,)), "cp-1"), "cp-1")


def words(sent: list[dict[str, Any]]) -> list[str]:
    """Return the texts in brackets: the fault, or "" for a fault without a translation."""
    return [one["words"].split("(")[1].split(")")[0].strip() for one in sent]


def test_a_second_different_fault_within_the_hour_is_alerted(
    bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]
) -> None:
    journal.raised("diode")
    look(bridge)
    bridge.clock.advance(10 * MINUTE_MS)
    journal.raised("contactor_welded")
    look(bridge)
    assert words(sent) == ["The vehicle does not answer as it should", "The contactor does not open"]


def test_two_faults_of_one_moment_are_two_alerts(bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]) -> None:
    journal.raised("supply")
    journal.raised("pilot")
    look(bridge)
    assert told(sent) == [FAULT, FAULT]
    assert len({one["id"] for one in sent}) == 2


def test_a_fault_that_comes_and_goes_is_one_alert_within_the_hour(
    bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]
) -> None:
    for _ in range(5):
        journal.raised("supply")
        look(bridge)
        bridge.clock.advance(MINUTE_MS)
        journal.cleared("supply")
        look(bridge)
        bridge.clock.advance(MINUTE_MS)
    bridge.clock.advance(HOUR_MS)
    look(bridge)
    bridge.clock.advance(HOUR_MS)
    look(bridge)
    assert told(sent) == [FAULT], "gone when the hour ended"


def test_a_fault_that_came_back_and_stayed_is_alerted_when_the_hour_ends(
    bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]
) -> None:
    journal.raised("supply")
    look(bridge)
    bridge.clock.advance(10 * MINUTE_MS)
    journal.cleared("supply")
    bridge.clock.advance(10 * MINUTE_MS)
    journal.raised("supply")
    look(bridge)
    assert told(sent) == [FAULT]
    bridge.clock.advance(40 * MINUTE_MS)
    look(bridge)
    assert told(sent) == [FAULT], "the last events of the hour may be on their way"
    for _ in range(3):
        bridge.clock.advance(SETTLED_MS)
        look(bridge)
    assert told(sent) == [FAULT, FAULT]
    for _ in range(5):
        bridge.clock.advance(HOUR_MS)
        look(bridge)
    assert told(sent) == [FAULT, FAULT], "it has not come back since"


def test_a_fault_that_simply_stays_is_alerted_once(
    bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]
) -> None:
    journal.raised("rcd_ac")
    for _ in range(20):
        look(bridge)
        bridge.clock.advance(20 * MINUTE_MS)
        journal.heartbeat("rcd_ac")
    assert told(sent) == [FAULT]


def test_a_restart_of_the_unit_that_ended_a_fault_ends_the_wait_for_it(
    bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]
) -> None:
    for _ in range(2):
        journal.raised("supply")
        look(bridge)
        bridge.clock.advance(10 * MINUTE_MS)
    journal.heartbeat()  # no fault, but also no event for its end
    bridge.clock.advance(2 * HOUR_MS)
    look(bridge)
    assert told(sent) == [FAULT]


def test_the_hold_down_outlives_a_restart(tmp_path: Path, sent: list[dict[str, Any]]) -> None:
    clock = HandClock()
    with running_bridge(tmp_path, clock) as bridge:
        journal = Journal(unit_of(bridge, driver(bridge, "ann", (AlertKind.FAULT,)), "cp-1"), "cp-1")
        journal.raised("supply")
        look(bridge)
        clock.advance(MINUTE_MS)
        journal.cleared("supply")
        journal.raised("supply")
    clock.advance(10 * MINUTE_MS)
    with running_bridge(tmp_path, clock) as bridge:
        look(bridge)
        assert told(sent) == [FAULT]
        clock.advance(HOUR_MS)
    with running_bridge(tmp_path, clock) as bridge:
        look(bridge)
        assert told(sent) == [FAULT] * 2, "still there when the hour was over"


def test_the_same_fault_at_two_units_is_two_alerts(
    bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]
) -> None:
    other = Journal(unit_of(bridge, driver(bridge, "ben"), "cp-2"), "cp-2")
    journal.raised("supply")
    other.raised("supply")
    look(bridge)
    assert told(sent) == [FAULT, ("fault", "cp-2")]


def test_every_way_of_one_person_gets_the_fault_the_silence_and_the_return(
    bridge: Bridge, sent: list[dict[str, Any]]
) -> None:
    ann = driver(bridge, "ann")
    with bridge.app_state.database.writing() as connection:
        for about in (AlertKind.FAULT, AlertKind.SILENT, AlertKind.BACK):
            add_subscription(connection, ann, about, Via.WEBHOOK, "https://other.example/")
    journal = Journal(unit_of(bridge, ann, "cp-1"), "cp-1")
    journal.raised("supply")
    look(bridge)
    bridge.clock.advance(31 * MINUTE_MS)
    look(bridge)
    journal.heartbeat()
    look(bridge)
    assert told(sent) == [FAULT, FAULT, SILENT, SILENT, BACK, BACK]


def test_a_wish_for_the_return_alone_follows_a_silence_that_was_alerted_another_way(
    bridge: Bridge, sent: list[dict[str, Any]]
) -> None:
    journal = Journal(unit_of(bridge, driver(bridge, "ann", (AlertKind.BACK,)), "cp-1"), "cp-1")
    journal.heartbeat()
    bridge.clock.advance(31 * MINUTE_MS)
    look(bridge)
    journal.heartbeat()
    look(bridge)
    assert told(sent) == [], "no silence was alerted, so nobody waits for its end"


def test_a_silence_that_came_back_and_stayed_is_alerted_when_six_hours_have_ended(
    bridge: Bridge, sent: list[dict[str, Any]]
) -> None:
    journal = Journal(unit_of(bridge, driver(bridge, "ann", (AlertKind.SILENT, AlertKind.BACK)), "cp-1"), "cp-1")
    for _ in range(2):
        journal.heartbeat()
        look(bridge)
        bridge.clock.advance(31 * MINUTE_MS)
        look(bridge)
    assert told(sent) == [SILENT, BACK], "the second silence is held down"
    for _ in range(60):
        bridge.clock.advance(20 * MINUTE_MS)
        look(bridge)
    assert told(sent) == [SILENT, BACK, SILENT], "and has lasted"
    journal.heartbeat()
    look(bridge)
    assert told(sent) == [SILENT, BACK, SILENT, BACK]


def test_what_a_charger_of_another_maker_does_in_a_silence_that_came_back_is_not_promised(
    bridge: Bridge, sent: list[dict[str, Any]]
) -> None:
    journal = Journal(unit_of(bridge, driver(bridge, "ann", (AlertKind.SILENT,)), "cp-1"), "cp-1")
    with bridge.app_state.database.writing() as connection:
        connection.execute(update(units).values(protocol=Protocol.OCPP))
    for _ in range(2):
        journal.heartbeat()
        look(bridge)
        bridge.clock.advance(31 * MINUTE_MS)
        look(bridge)
    bridge.clock.advance(6 * HOUR_MS)
    look(bridge)
    assert told(sent) == [SILENT, SILENT]
    assert all("Whether it charges meanwhile is a setting of its own." in one["words"] for one in sent)


def test_a_weak_signal_is_one_alert_a_week_whatever_its_mean(bridge: Bridge, sent: list[dict[str, Any]]) -> None:
    unit_of(bridge, driver(bridge, "ann", (AlertKind.WEAK_SIGNAL,)), "cp-1")
    for day in range(10):
        row = {"unit_id": "cp-1", "operator": "23415", "lowest": 1, "highest": 14, "samples": 200}
        with bridge.app_state.database.writing() as connection:
            insert_new(
                connection, signal_5min, [row | {"from_ms": bridge.clock.now_ms() - 1, "total": 200 * (day + 2)}]
            )
            notice_weak_signal(connection, bridge.clock.now_ms(), no_bad_row)
        look(bridge)
        bridge.clock.advance(DAY_MS)
    assert told(sent) == [("weak_signal", "cp-1")] * 2
    assert ["CSQ 2" in sent[0]["words"], "CSQ 9" in sent[1]["words"]] == [True, True]


def test_a_weak_hour_of_charging_is_no_weak_day(bridge: Bridge, sent: list[dict[str, Any]]) -> None:
    """A charging unit sends more readings in this hour than in the rest of the day."""
    unit_of(bridge, driver(bridge, "ann", (AlertKind.WEAK_SIGNAL,)), "cp-1")
    rows = [
        {"unit_id": "cp-1", "operator": "23415", "lowest": csq, "highest": csq, "samples": samples}
        | {"from_ms": bridge.clock.now_ms() - ago_ms, "total": csq * samples}
        for ago_ms in range(5 * MINUTE_MS, DAY_MS, 5 * MINUTE_MS)
        for csq, samples in [(5, 60) if ago_ms <= HOUR_MS else (20, 1)]
    ]
    with bridge.app_state.database.writing() as connection:
        insert_new(connection, signal_5min, rows)
        notice_weak_signal(connection, bridge.clock.now_ms(), no_bad_row)
    look(bridge)
    assert told(sent) == []


def test_a_stamp_of_the_future_holds_nothing_down(bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]) -> None:
    bridge.clock.advance(300 * DAY_MS)  # a wrong clock
    journal.raised("supply")
    look(bridge)
    bridge.clock.advance(-300 * DAY_MS)
    journal.cleared("supply")
    journal.raised("supply")
    look(bridge)
    assert told(sent) == [FAULT, FAULT]


@pytest.mark.parametrize("name", ["a\nb", "", None, 7, ["supply"], {"a": 1}])
def test_a_fault_that_is_no_name_is_alerted_and_stops_nobody_elses_alert(
    bridge: Bridge, journal: Journal, sent: list[dict[str, Any]], name: Any
) -> None:
    other = Journal(unit_of(bridge, driver(bridge, "ben"), "cp-2"), "cp-2")
    journal.event("fault_raised", {"fault": name})
    other.raised("supply")
    look(bridge)
    assert told(sent) == [FAULT, ("fault", "cp-2")]
    assert words(sent)[0] == "A fault that we do not know"


@pytest.mark.parametrize(
    "said",
    [
        r'"k":"fault_raised","d":{"fault":"\ud800"}',
        r'"k":"fault_raised","d":{"fault":"supply","x":["\u0000"]}',
        r'"k":"fault_raised","d":{"fault":"supply"},"t":9007199254740991',
        r'"k":"fault_raised","d":{"fault":"supply"},"t":0',
    ],
)
def test_a_message_that_cannot_be_is_contact_and_no_alert_and_stops_nobody_elses(
    bridge: Bridge, journal: Journal, sent: list[dict[str, Any]], said: str
) -> None:
    other = Journal(unit_of(bridge, driver(bridge, "ben"), "cp-2"), "cp-2")
    journal.unit.publish("cp/cp-1/event", f'{{"n":1,"b":1,{said}}}'.encode())
    other.raised("supply")
    look(bridge)
    assert told(sent) == [("fault", "cp-2")]
    assert bridge.counter("bad_payloads") == 1
    assert bridge.read("cp-1")["contact"] == "online"


def test_names_that_a_unit_makes_up_are_no_flood(bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]) -> None:
    for number in range(3 * MAX_FAULTS):
        journal.event("fault_raised", {"fault": f"{number} " + "x" * 100})
        look(bridge)
    assert told(sent) == [FAULT] * MAX_FAULTS


def test_after_the_newest_events_are_erased_the_next_fault_is_alerted(
    bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]
) -> None:
    other = Journal(unit_of(bridge, driver(bridge, "ben"), "cp-2"), "cp-2")
    journal.raised("supply")
    for fault in ("supply", "pilot", "diode"):
        other.raised(fault)
    look(bridge)
    with bridge.app_state.database.writing() as connection:
        connection.execute(delete(events).where(events.c.unit_id == "cp-2"))
    journal.raised("pilot")
    look(bridge)
    assert told(sent)[-1] == FAULT
    assert len(sent) == 5


def test_the_id_of_an_alert_that_is_gone_is_not_sent_again(
    bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]
) -> None:
    journal.raised("supply")
    look(bridge)
    ben = driver(bridge, "ben")
    other = Journal(unit_of(bridge, ben, "cp-2"), "cp-2")
    other.raised("supply")
    look(bridge)
    with bridge.app_state.database.writing() as connection:
        erase(connection, ben)
    journal.raised("pilot")
    look(bridge)
    bridge.clock.advance(100 * DAY_MS)
    bridge.app_state.upkeep.forget()
    with bridge.app_state.database.reading() as connection:
        assert connection.execute(select(alerts)).all() == []
    journal.raised("diode")
    look(bridge)
    assert len(sent) == 4
    ids = [one["id"] for one in sent]
    assert ids == sorted(set(ids))


@pytest.mark.store("postgresql")
def test_an_event_that_is_committed_later_than_the_next_one_is_alerted_too(
    bridge: Bridge, journal: Journal, sent: list[dict[str, Any]]
) -> None:
    """With two writing processes, the smaller id may be committed later. SQLite has one writer at a time."""
    database = bridge.app_state.database
    row = {"unit_id": "cp-1", "received_ms": bridge.clock.now_ms(), "kind": "fault_raised"}
    with database.writing() as slow:
        slow.execute(insert(events), row | {"payload": '{"d":{"fault":"supply"}}'})
        with database.writing() as quick:
            quick.execute(insert(events), row | {"payload": '{"d":{"fault":"pilot"}}'})
        Alarm(database, bridge.clock, None).notice()
    look(bridge)
    assert journal.unit
    assert sorted(words(sent)) == ["The mains voltage is out of range", "The vehicle cable's pilot wire is faulty"]
