"""Do all processes' pages show what only one process has noticed, without delaying messages?"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from cloud_bridge import commands
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.ingest.canary import BrokerAddress
from cloud_bridge.ingest.cluster.cluster_file import Cluster, Node
from cloud_bridge.ingest.cluster.nkey import new_seed
from cloud_bridge.store import presence
from cloud_bridge.store.database import Database
from cloud_bridge.store.people import Role
from cloud_bridge.store.presence import presence_of, record_presence
from cloud_bridge.store.units import NewUnit
from cloud_bridge.unit_reports import UnitReports
from cloud_bridge.web.app import create_app
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import START_MS, TOKEN, Bridge, HandClock, Unit, running_bridge

PAGE = "/charge-points/wall"
CLUSTER = Cluster([Node("n1", "127.0.0.1", 4222, 1883)], "bridge's", "system's", new_seed(), None)
HEARTBEAT = "cp/wall/heartbeat"
WORDS = "It sends too many messages"


def kept(database: Database, unit_id: str = "cp-1") -> tuple[bool, str, int] | None:
    with database.reading() as connection:
        found = presence_of(connection, [unit_id]).get(unit_id)
    return None if found is None else found[1:]


@pytest.fixture
def reports(database: Database) -> UnitReports:
    return UnitReports(database, HandClock(), "here")


def test_a_thousand_changes_of_a_unit_are_one_row(database: Database, reports: UnitReports) -> None:
    for number in range(1001):
        reports.connected("cp-1", number % 2 == 0)
    assert len(reports._presence) == 1
    reports.write()
    assert kept(database) == (True, "here", START_MS)


def test_what_the_database_did_not_take_waits_and_newer_events_win(
    database: Database, reports: UnitReports, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports.connected("cp-1", True)
    reports.connected("cp-2", True)
    reports.over_quota("cp-2", START_MS)

    def refuse(*_: object, **__: object) -> None:
        reports.connected("cp-1", False)  # meanwhile
        raise OperationalError("INSERT", {}, Exception("disk I/O error"))

    with monkeypatch.context() as patched:
        patched.setattr("cloud_bridge.unit_reports.record_presence", refuse)
        with pytest.raises(OperationalError):
            reports.write()
    reports.write()
    assert (kept(database), kept(database, "cp-2")) == ((False, "here", START_MS), (True, "here", START_MS))


def test_a_clock_that_was_set_back_does_not_hide_what_happens_since(database: Database) -> None:
    clock = HandClock()
    reports = UnitReports(database, clock, "here")
    reports.connected("cp-1", True)
    reports.write()
    clock.advance(-MINUTE_MS)
    reports.connected("cp-1", False)
    reports.write()
    assert kept(database) == (False, "here", START_MS)


@pytest.fixture
def new(bridge: Bridge) -> NewUnit:
    return bridge.add_unit("wall")


def test_who_is_connected_here_is_stored_and_gone_with_the_process(bridge: Bridge, new: NewUnit) -> None:
    unit = Unit(bridge, "wall", new.secret).connect()
    bridge.app_state.unit_reports.write()
    assert kept(bridge.app_state.database, "wall") == (True, "part 1", START_MS)
    assert bridge.read("wall")["connected"]
    unit.disconnect()
    bridge.until(lambda: not bridge.read("wall")["connected"], "away, before it is stored")
    bridge.app_state.unit_reports.write()
    assert kept(bridge.app_state.database, "wall") == (False, "part 1", START_MS)


def test_a_unit_at_another_door_is_shown_as_connected(bridge: Bridge, new: NewUnit) -> None:
    def at(door: str) -> bool:
        with bridge.app_state.database.writing() as connection:
            record_presence(connection, [presence.Presence("wall", True, door, START_MS)])
        connected: bool = bridge.read("wall")["connected"]
        return connected

    assert at("node-2")
    assert not at("part 1"), "it is this process, which knows better"


@pytest.mark.parametrize(
    ("setting", "told", "connected"),
    [
        ({"broker": BrokerAddress("127.0.0.1", 1883, "x")}, None, None),
        ({"broker": BrokerAddress("127.0.0.1", 1883, "x")}, False, None),  # from a time with another broker
        ({"cluster": CLUSTER}, None, None),
        ({"cluster": CLUSTER}, True, True),
        ({"cluster": CLUSTER}, False, False),
        ({}, None, False),
    ],
)
def test_where_nobody_knows_who_is_connected_the_interface_says_so(
    bridge: Bridge, new: NewUnit, setting: dict[str, Any], told: bool | None, connected: bool | None
) -> None:
    if told is not None:
        with bridge.app_state.database.writing() as connection:
            record_presence(connection, [presence.Presence("wall", told, "n1", START_MS)])
    app_state = replace(bridge.app_state, settings=replace(bridge.app_state.settings, **setting))
    client = TestClient(create_app(app_state), headers={"Authorization": f"Bearer {TOKEN}"})
    assert client.get("/api/charge-points/wall").json()["connected"] is connected


def test_after_a_kill_nobody_is_connected_by_the_word_of_the_dead(tmp_path: Path) -> None:
    with running_bridge(tmp_path) as bridge:
        bridge.add_unit("wall")
    with running_bridge(tmp_path) as bridge:
        database = bridge.app_state.database
        with database.writing() as connection:  # as after kill -9
            record_presence(connection, [presence.Presence("wall", True, "part 1", START_MS)])
        bridge.app_state.unit_reports.all_away()
        assert kept(database, "wall") == (False, "part 1", START_MS)
    with running_bridge(tmp_path) as bridge:
        assert not bridge.read("wall")["connected"]


def test_too_much_is_told_by_a_process_that_has_not_seen_it(tmp_path: Path) -> None:
    with running_bridge(tmp_path) as bridge:
        bridge.add_unit("wall")
        bridge.app_state.unit_reports.over_quota("wall", START_MS)
        bridge.app_state.unit_reports.write()
    with running_bridge(tmp_path, HandClock(START_MS + MINUTE_MS)) as bridge:
        assert WORDS in Visitor(bridge, "sue", Role.SUPPORT).read("/fleet?by=site")
    with running_bridge(tmp_path, HandClock(START_MS + 2 * HOUR_MS)) as bridge:
        assert WORDS not in Visitor(bridge, "sue").read("/fleet?by=site")


def test_the_energy_of_a_session_is_the_same_in_a_process_that_did_not_hear_it(tmp_path: Path) -> None:
    clock = HandClock()
    with running_bridge(tmp_path, clock) as bridge:
        secret = bridge.add_unit("wall").secret
        unit = Unit(bridge, "wall", secret).connect()
        for number, said in enumerate(
            (b'"s":"A1","w":0,"e":1000', b'"s":"B2","w":0,"e":1000', b'"s":"C2","w":7000,"e":3500')
        ):
            unit.publish(HEARTBEAT, b'{"n":%d,"b":1,%s}' % (number, said))
            clock.advance(MINUTE_MS)
        bridge.until(lambda: bridge.read("wall")["total_wh"] == 3500, "heard")
        sue = Visitor(bridge, "sue", Role.SUPPORT)
        assert "This session 2.5 kWh" in sue.read(PAGE)
    with running_bridge(tmp_path, clock) as bridge:
        assert "This session 2.5 kWh" in Visitor(bridge, "sue").read(PAGE)
        unit = Unit(bridge, "wall", secret).connect()
        unit.publish(HEARTBEAT, b'{"n":9,"b":1,"s":"C2","w":7000,"e":200}')
        bridge.until(lambda: bridge.read("wall")["total_wh"] == 200, "heard")
        assert "This session" not in Visitor(bridge, "sue").read(PAGE), "it has another meter"


def test_a_command_ends_by_the_units_clock_in_a_process_that_did_not_hear_it(tmp_path: Path) -> None:
    """The unit's clock is an hour ahead."""
    clock = HandClock()
    with running_bridge(tmp_path, clock) as bridge:
        secret = bridge.add_unit("wall").secret
        unit = Unit(bridge, "wall", secret).connect()
        unit.publish(HEARTBEAT, b'{"n":1,"b":1,"t":%d,"s":"A1"}' % ((START_MS + HOUR_MS) // 1000))
        bridge.until(lambda: bridge.read("wall")["state"] == "A1", "heard")
    clock.advance(MINUTE_MS)
    with running_bridge(tmp_path, clock) as bridge:
        unit = Unit(bridge, "wall", secret).connect()
        unit.subscribe("cp/wall/command")
        commands.give(bridge.app_state, "wall", None, "pause", {}, HOUR_MS)
        bridge.until(lambda: unit.commands, "it came")
        assert unit.commands[0]["exp"] == (START_MS + MINUTE_MS + 2 * HOUR_MS) // 1000
