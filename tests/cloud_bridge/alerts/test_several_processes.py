"""Is every alert queued and sent exactly once when several processes look and send at the same time?"""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import OperationalError

from cloud_bridge.alerts import delivery
from cloud_bridge.alerts.alarm import Alarm
from cloud_bridge.alerts.delivery import CLAIMED_MS, Delivery, Means
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.counters import Counters
from cloud_bridge.store.alerts import Occupied, claim_alert, next_due, record_outcome
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.tables import alerts, events
from tests.cloud_bridge.alerting import driver, look, told, unit_of, webhooks
from tests.cloud_bridge.running import DEADLINE_S, Bridge, store_at

PROCESSES = 3
ROUNDS = 8
UNITS = 6


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    return webhooks(monkeypatch)


def fault(bridge: Bridge, unit_id: str, name: str = "supply") -> dict[str, Any]:
    payload = f'{{"d":{{"fault":"{name}"}}}}'
    return {"unit_id": unit_id, "received_ms": bridge.clock.now_ms(), "kind": "fault_raised", "payload": payload}


def at_once(*calls: Callable[[], object]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


@pytest.mark.store("postgresql")  # SQLite has one writer at a time
@pytest.mark.parametrize("ends_well", [True, False])
def test_a_transaction_that_is_held_open_delays_its_own_rows_alone(
    bridge: Bridge, sent: list[dict[str, Any]], ends_well: bool
) -> None:
    """With two ingest processes, the row with the earlier id may appear later, or never."""
    ann = driver(bridge, "ann", (AlertKind.FAULT,))
    for unit_id in ("cp-1", "cp-2"):
        unit_of(bridge, ann, unit_id)
    slow = bridge.app_state.database.separate(1)
    with slow.writing() as held:
        held.execute(insert(events), fault(bridge, "cp-1"))
        with bridge.app_state.database.writing() as connection:
            connection.execute(insert(events), fault(bridge, "cp-2"))
        look(bridge)
        assert told(sent) == [("fault", "cp-2")]
        if not ends_well:
            held.rollback()
    look(bridge)
    assert told(sent) == [("fault", "cp-2"), ("fault", "cp-1")][: 1 + ends_well]
    slow.close()


def test_of_several_that_look_at_once_one_queues_each_alert(tmp_path: Path, bridge: Bridge) -> None:
    """Two events of one fault are one alert: the process that reads the second event must see the alert queued for the
    first."""
    ann = driver(bridge, "ann", (AlertKind.FAULT,))
    for number in range(UNITS):
        unit_of(bridge, ann, f"cp-{number}")
    databases = [open_database(store_at(tmp_path)) for _ in range(PROCESSES)]
    errors: list[Exception] = []
    for number in range(ROUNDS):
        new = [fault(bridge, f"cp-{unit}", f"fault-{number}") for unit in range(UNITS) for _ in range(2)]

        def write(rows: list[dict[str, Any]] = new) -> None:
            for row in rows:
                with bridge.app_state.database.writing() as connection:
                    connection.execute(insert(events), row)

        def process(database: Database) -> None:
            try:
                for _ in range(3):
                    Alarm(database, bridge.clock, None).notice()
            except Exception as error:
                errors.append(error)

        at_once(write, *(lambda database=database: process(database) for database in databases))
        process(databases[0])
        assert errors == []
    with bridge.app_state.database.reading() as connection:
        queued = Counter(tuple(row) for row in connection.execute(select(alerts.c.unit_id, alerts.c.detail)))
    assert queued == {
        (f"cp-{unit}", f"fault-{number}"): 1 for unit in range(UNITS) for number in range(min(ROUNDS, 10))
    }
    for database in databases:
        database.close()


def queue(bridge: Bridge, alarm: Alarm, count: int) -> None:
    for number in range(count):
        person = driver(bridge, f"driver-{number}", (AlertKind.FAULT,))
        unit_of(bridge, person, f"cp-{number}")
        with bridge.app_state.database.writing() as connection:
            connection.execute(insert(events), fault(bridge, f"cp-{number}"))
    alarm.notice()


def test_of_several_that_send_at_once_one_sends_each_alert(
    tmp_path: Path, bridge: Bridge, sent: list[dict[str, Any]]
) -> None:
    queue(bridge, Alarm(bridge.app_state.database, bridge.clock, None), 12)
    databases = [open_database(store_at(tmp_path)) for _ in range(PROCESSES)]
    senders = [Delivery(database, bridge.clock, Counters(), Means()) for database in databases]
    at_once(*(sender.send_due for sender in senders))
    for sender, database in zip(senders, databases, strict=True):
        sender.close()
        database.close()
    assert Counter(one["id"] for one in sent) == dict.fromkeys(range(1, 13), 1)


def test_what_a_dead_process_had_claimed_is_sent_when_the_claim_has_ended(
    bridge: Bridge, sent: list[dict[str, Any]]
) -> None:
    alarm = Alarm(bridge.app_state.database, bridge.clock, None)
    queue(bridge, alarm, 1)
    now_ms = bridge.clock.now_ms()
    with bridge.app_state.database.writing() as connection:
        found = next_due(connection, now_ms, Occupied(), failing=False)
        assert found is not None
        assert claim_alert(connection, found, now_ms + CLAIMED_MS)
        assert not claim_alert(connection, found, now_ms + CLAIMED_MS), "it is not as it was found any more"
    assert alarm.deliver_all() == 0
    bridge.clock.advance(CLAIMED_MS)
    assert alarm.deliver_all() == 1
    assert len(sent) == 1


def test_a_failure_of_whoever_came_too_late_does_not_undo_a_delivery(bridge: Bridge) -> None:
    queue(bridge, Alarm(bridge.app_state.database, bridge.clock, None), 1)
    with bridge.app_state.database.writing() as connection:
        record_outcome(connection, 1, 1, None, "")
        record_outcome(connection, 1, 1, bridge.clock.now_ms(), "it did not answer in time")
        assert connection.execute(select(func.count()).where(alerts.c.due_ms.is_not(None))).scalar() == 0


def test_what_the_store_does_not_take_at_once_is_noted_when_it_does(
    bridge: Bridge, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would be sent again."""
    alarm = Alarm(bridge.app_state.database, bridge.clock, None)
    queue(bridge, alarm, 1)
    away = [OperationalError("UPDATE", {}, Exception("the database is away")) for _ in range(2)]

    def note(*arguments: Any) -> None:
        if away:
            raise away.pop()
        record_outcome(*arguments)

    monkeypatch.setattr(delivery, "record_outcome", note)
    monkeypatch.setattr(delivery, "NOTE_AGAIN_S", 0.0)
    assert alarm.deliver_all() == 1
    bridge.clock.advance(2 * CLAIMED_MS)
    assert alarm.deliver_all() == 0
    assert (len(sent), away) == (1, [])
