"""With a running broker: what moves the last contact, and what does not?"""

from pathlib import Path

import pytest
from sqlalchemy import select

from cloud_bridge.clock import iso_utc
from cloud_bridge.store.tables import contacts, events, heartbeats, sessions
from tests.cloud_bridge.raw import CONNACK_OK, RawUnit, connect_packet, publish_packet
from tests.cloud_bridge.running import START_MS, Bridge, HandClock, Unit, running_bridge, sample

HEARTBEAT = "cp/cp-1/heartbeat"


def connected(bridge: Bridge, unit_id: str = "cp-1") -> Unit:
    return Unit(bridge, unit_id, bridge.add_unit(unit_id).secret).connect()


def test_a_unit_that_only_connected_was_never_contacted(bridge: Bridge) -> None:
    connected(bridge)
    assert bridge.read("cp-1")["last_contact"] is None
    assert bridge.read("cp-1")["contact"] == "never"


def test_a_heartbeat_is_contact_by_our_clock_and_shows_the_state(bridge: Bridge) -> None:
    unit = connected(bridge)
    bridge.clock.advance(1234)
    unit.publish(HEARTBEAT, sample("heartbeat-charging"))
    said = bridge.read("cp-1")
    assert said["last_contact"] == "2026-01-01T00:00:01.234Z"
    assert said["contact"] == "online"
    assert (said["state"], said["mode"], said["csq"], said["operator"]) == ("C2", "smart", 17, "23415")
    assert (said["amps"], said["watts"], said["faults"]) == (32, 7360, [])


@pytest.mark.parametrize("kind", ["heartbeat", "event", "session", "result"])
@pytest.mark.parametrize("qos", [0, 1])
def test_every_kind_of_message_is_contact(bridge: Bridge, kind: str, qos: int) -> None:
    unit = connected(bridge)
    unit.publish(f"cp/cp-1/{kind}", b"{}", qos)
    bridge.until(lambda: bridge.read("cp-1")["last_contact"] == iso_utc(START_MS), "heard")


def test_a_bad_payload_is_contact_and_counted_as_bad(bridge: Bridge) -> None:
    unit = connected(bridge)
    unit.publish(HEARTBEAT, sample("heartbeat-charging"))
    bridge.clock.advance(60_000)
    for payload in (b"", b"not JSON", b"\xff\x00", b'{"q":"loud"}'):
        unit.publish(HEARTBEAT, payload)
    said = bridge.read("cp-1")
    assert said["last_contact"] == iso_utc(START_MS + 60_000)
    assert said["state"] == "C2", "the state before stands"
    assert bridge.counter("bad_payloads") == 4
    with bridge.app_state.database.reading() as connection:
        assert connection.execute(select(contacts.c.bad_payloads)).scalar() == 4


def test_a_retained_publish_is_refused_and_not_contact(bridge: Bridge) -> None:
    unit = connected(bridge)
    unit.publish(HEARTBEAT, sample("heartbeat-idle"), retain=True)
    assert bridge.counter("dropped_retained") == 1
    assert bridge.read("cp-1")["last_contact"] is None


def test_a_will_is_not_contact(bridge: Bridge) -> None:
    raw = RawUnit(bridge)
    raw.send(connect_packet("cp-1", "cp-1", bridge.add_unit("cp-1").secret, will="cp/cp-1/lwt"))
    assert raw.receive(4) == CONNACK_OK
    raw.send(publish_packet(HEARTBEAT, sample("heartbeat-idle")))
    assert raw.receive(4) == b"\x40\x02\x00\x01"
    bridge.clock.advance(60_000)
    raw.close()  # without DISCONNECT, so amqtt sends the will
    bridge.until(lambda: not bridge.read("cp-1")["connected"], "disconnected")
    assert bridge.read("cp-1")["last_contact"] == iso_utc(START_MS)
    assert bridge.counter("contacts") == 1


def test_a_redelivery_by_the_unit_is_contact_but_its_payload_counts_once(bridge: Bridge) -> None:
    raw = RawUnit(bridge).connect("cp-1", bridge.add_unit("cp-1").secret)
    raw.send(publish_packet("cp/cp-1/event", sample("event-fault-raised"), 7))
    assert raw.receive(4) == b"\x40\x02\x00\x07"
    raw.send(publish_packet(HEARTBEAT, sample("heartbeat-charging"), 8))
    assert raw.receive(4) == b"\x40\x02\x00\x08"
    bridge.clock.advance(9000)
    raw.send(publish_packet("cp/cp-1/event", sample("event-fault-raised"), 7, 0x3A))
    raw.send(publish_packet(HEARTBEAT, sample("heartbeat-charging"), 8, 0x3A))
    assert raw.receive(8) == b"\x40\x02\x00\x07\x40\x02\x00\x08"
    said = bridge.read("cp-1")
    assert said["last_contact"] == iso_utc(START_MS + 9000)
    assert said["heartbeat_at"] == iso_utc(START_MS), "that state is nine seconds old"
    with bridge.app_state.database.reading() as connection:
        assert len(connection.execute(select(events)).all()) == 1


def test_what_was_acknowledged_is_in_the_tables(bridge: Bridge) -> None:
    unit = connected(bridge)
    unit.publish("cp/cp-1/event", sample("event-boot-time-unknown"))
    unit.publish("cp/cp-1/session", sample("session"))
    unit.publish(HEARTBEAT, sample("heartbeat-unknown-key"))
    with bridge.app_state.database.reading() as connection:
        event = connection.execute(select(events)).one()
        assert (event.kind, event.boot, event.sequence, event.unit_time_s) == ("boot", 5, 0, None)
        session = connection.execute(select(sessions)).one()
        assert (session.energy_wh, session.duration_s, session.reason) == (22140, 10990, "unplugged")
        assert connection.execute(select(heartbeats.c.payload)).scalar() == sample("heartbeat-unknown-key").decode()


def test_last_contact_survives_a_restart_and_reconnecting_does_not_move_it(tmp_path: Path) -> None:
    clock = HandClock()
    with running_bridge(tmp_path, clock) as bridge:
        secret = bridge.add_unit("cp-1").secret
        unit = Unit(bridge, "cp-1", secret, clean_session=False).connect()
        unit.subscribe("cp/cp-1/command")
        unit.publish(HEARTBEAT, sample("heartbeat-charging"))
        unit.disconnect()
    clock.advance(10_000)
    with running_bridge(tmp_path, clock) as bridge:
        said = bridge.read("cp-1")
        assert said["last_contact"] == iso_utc(START_MS)
        assert (said["state"], said["heartbeat_at"]) == ("C2", iso_utc(START_MS))
        unit = Unit(bridge, "cp-1", secret, clean_session=False).connect()
        assert unit.subscribe("cp/cp-1/command") == 1
        assert bridge.read("cp-1")["last_contact"] == iso_utc(START_MS), "the broker replays nothing"
        unit.disconnect()


def test_last_contact_does_not_go_back_with_our_clock(bridge: Bridge) -> None:
    unit = connected(bridge)
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    bridge.clock.advance(-60_000)
    unit.publish(HEARTBEAT, sample("heartbeat-charging"))
    with bridge.app_state.database.reading() as connection:
        assert connection.execute(select(contacts.c.last_contact_ms)).scalar() == START_MS
    bridge.clock.advance(61_000)
    assert bridge.read("cp-1")["last_contact"] == iso_utc(START_MS)


def test_a_last_contact_in_the_future_gives_way_to_one_received_now(bridge: Bridge) -> None:
    unit = connected(bridge)
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    bridge.clock.advance(-3_600_000)
    assert bridge.read("cp-1")["contact"] == "unknown"
    unit.publish(HEARTBEAT, sample("heartbeat-charging"))
    said = bridge.read("cp-1")
    assert (said["last_contact"], said["contact"]) == (iso_utc(START_MS - 3_600_000), "online")
    with bridge.app_state.database.reading() as connection:
        assert connection.execute(select(contacts.c.last_contact_ms)).scalar() == START_MS - 3_600_000
