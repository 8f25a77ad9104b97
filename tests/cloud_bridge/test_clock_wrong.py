"""A wall clock was wrong for a while and was then corrected: is anything false, lost, ended or deleted?

On a running bridge. The machine has two clocks, and only the wall clock is ever set.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from starlette.testclient import TestClient

from cloud_bridge import command_line, commands
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.clock import iso_utc
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.ingest import listener
from cloud_bridge.paths import ALL
from cloud_bridge.store import units
from cloud_bridge.store.commands import newest_command
from cloud_bridge.store.ownership import Period
from cloud_bridge.store.people import Role, find_person
from cloud_bridge.store.subscriptions import Via, add_subscription
from cloud_bridge.store.tables import (
    alerts,
    contact_gaps,
    contacts,
    events,
    listening_gaps,
    people,
    rejected_messages,
    results,
    sessions,
    signal,
    signal_5min,
    transitions,
    web_sessions,
)
from cloud_bridge.store.upsert import insert_into
from cloud_bridge.telling_time import AGAIN_MS, TimeTeller
from tests.cloud_bridge.alerting import HOOK, driver, look, told, webhooks
from tests.cloud_bridge.people import PASSWORD, Visitor
from tests.cloud_bridge.running import DEADLINE_S, START_MS, Bridge, HandClock, Machine, Unit, running_bridge, sample

HEARTBEAT = "cp/cp-1/heartbeat"
YEARS_50_MS = 50 * 365 * DAY_MS
AHEAD = pytest.mark.parametrize("by_ms", [12 * HOUR_MS, 30 * DAY_MS, 400 * DAY_MS, YEARS_50_MS])
EITHER_WAY = pytest.mark.parametrize("by_ms", [-YEARS_50_MS, -12 * HOUR_MS, 12 * HOUR_MS, 400 * DAY_MS, YEARS_50_MS])


class Scene:
    """A machine with a bridge that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.machine = Machine()
        self.secret = ""
        self._folder = folder
        self._sequence = 0

    @contextmanager
    def bridge(self) -> Iterator[Bridge]:
        with running_bridge(self._folder, clock_from=self.machine.clock) as bridge:
            self.secret = self.secret or bridge.add_unit("cp-1").secret
            bridge.send_canary()
            yield bridge

    def heartbeat(self, bridge: Bridge) -> None:
        """Publish a heartbeat; return when it is acknowledged."""
        self._sequence += 1
        unit = Unit(bridge, "cp-1", self.secret).connect()
        unit.publish(HEARTBEAT, sample("heartbeat-time-unknown").replace(b'"n":1', b'"n":%d' % (1000 + self._sequence)))
        unit.disconnect()

    def heartbeat_with_signal(self, bridge: Bridge) -> None:
        unit = Unit(bridge, "cp-1", self.secret).connect()
        unit.publish(HEARTBEAT, sample("heartbeat-idle"))
        unit.disconnect()

    def passes(self, bridge: Bridge, ms: int) -> None:
        """Let time pass while we listen."""
        for _ in range(0, ms, 10_000):
            self.machine.advance(10_000)
            bridge.send_canary()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def said(bridge: Bridge) -> tuple[str, str]:
    point = bridge.read("cp-1")
    return point["last_contact"], point["contact"]


@AHEAD
def test_a_clock_that_was_ahead_is_put_right_while_running(scene: Scene, by_ms: int) -> None:
    with scene.bridge() as bridge:
        scene.machine.set_by(by_ms)
        scene.heartbeat(bridge)
        scene.passes(bridge, MINUTE_MS)
        scene.machine.set_by(-by_ms)
        assert said(bridge) == (iso_utc(START_MS), "online"), "it was measured"
        scene.heartbeat(bridge)
        assert said(bridge) == (iso_utc(START_MS + MINUTE_MS), "online")
        with bridge.app_state.database.reading() as connection:
            assert connection.execute(select(contacts.c.last_contact_ms)).scalar() == START_MS + MINUTE_MS


@AHEAD
def test_a_clock_that_was_ahead_is_put_right_across_a_restart(scene: Scene, by_ms: int) -> None:
    scene.machine.set_by(by_ms)
    with scene.bridge() as bridge:
        scene.heartbeat(bridge)
        scene.passes(bridge, MINUTE_MS)
    scene.machine.set_by(-by_ms)
    with scene.bridge() as bridge:
        assert said(bridge) == (iso_utc(START_MS), "unknown"), "as long before the last canary as it was"
        scene.heartbeat(bridge)
        assert said(bridge) == (iso_utc(START_MS + MINUTE_MS), "online")


@EITHER_WAY
def test_a_clock_that_goes_wrong_while_running_leaves_the_last_contact_as_long_ago_as_it_is(
    scene: Scene, by_ms: int
) -> None:
    with scene.bridge() as bridge:
        scene.heartbeat(bridge)
        scene.passes(bridge, MINUTE_MS)
        scene.machine.set_by(by_ms)
        last_contact, contact = said(bridge)
        assert last_contact == iso_utc(START_MS + by_ms)
        assert contact == ("online" if by_ms < 0 else "unknown"), "set forward, it may have stood still"
        scene.heartbeat(bridge)
        assert said(bridge) == (iso_utc(START_MS + MINUTE_MS + by_ms), "online")


def test_a_clock_that_starts_behind_and_is_put_right_is_as_if_it_had_not_been(scene: Scene) -> None:
    """Without a battery, a machine starts at 1970 or where it was switched off, until it has asked for the time."""
    with scene.bridge() as bridge:
        scene.heartbeat(bridge)
    scene.machine.set_by(-YEARS_50_MS)
    with scene.bridge() as bridge:
        scene.machine.advance(30_000)
        assert said(bridge)[1] == "unknown"
        scene.machine.set_by(YEARS_50_MS)
        assert said(bridge)[0] == iso_utc(START_MS)
        scene.heartbeat(bridge)
        assert said(bridge) == (iso_utc(START_MS + 30_000), "online")


def test_what_was_heard_by_a_clock_that_was_behind_is_not_long_ago_after_a_restart(scene: Scene) -> None:
    with scene.bridge():
        pass
    scene.machine.set_by(-30 * DAY_MS)
    with scene.bridge() as bridge:
        scene.heartbeat(bridge)
    scene.machine.set_by(30 * DAY_MS)
    scene.machine.advance(MINUTE_MS)
    with scene.bridge() as bridge:
        assert said(bridge) == (iso_utc(START_MS + MINUTE_MS), "unknown"), "no later than that"


@EITHER_WAY
def test_a_silence_is_noticed_by_a_clock_that_was_wrong_and_over_when_it_is_right(scene: Scene, by_ms: int) -> None:
    scene.machine.set_by(by_ms)
    with scene.bridge() as bridge:
        scene.heartbeat(bridge)
        scene.passes(bridge, 31 * MINUTE_MS)
        assert bridge.app_state.upkeep.notice() == (["cp-1"], [])
        scene.machine.set_by(-by_ms)
        bridge.send_canary()
        assert bridge.app_state.upkeep.notice() == ([], []), "the step alone is no return"
        scene.heartbeat(bridge)
        assert bridge.app_state.upkeep.notice() == ([], ["cp-1"])
        assert bridge.read("cp-1")["contact"] == "online"


def test_a_unit_whose_last_contact_is_in_the_future_is_silent_when_we_have_listened_long_enough(scene: Scene) -> None:
    scene.machine.set_by(400 * DAY_MS)
    with scene.bridge() as bridge:
        scene.heartbeat(bridge)
    scene.machine.set_by(-400 * DAY_MS)
    with scene.bridge() as bridge:
        scene.passes(bridge, 30 * MINUTE_MS)
        assert bridge.app_state.upkeep.notice() == ([], [])
        scene.passes(bridge, MINUTE_MS)
        assert bridge.app_state.upkeep.notice() == (["cp-1"], [])
        assert bridge.read("cp-1")["contact"] == "silent"


def test_an_outage_that_a_wrong_clock_has_ended_in_the_future_hides_no_silence(scene: Scene) -> None:
    """It was stored as an outage of 400 days, in which no unit could have been silent."""
    with scene.bridge():
        pass
    scene.machine.advance(5 * MINUTE_MS)
    scene.machine.set_by(400 * DAY_MS)
    with scene.bridge() as bridge:
        scene.heartbeat(bridge)
        bridge.send_canary()
        scene.machine.set_by(-400 * DAY_MS)
        scene.passes(bridge, 10_000)
        with bridge.app_state.database.reading() as connection:
            assert [tuple(row) for row in connection.execute(select(listening_gaps))] == [
                (START_MS, ALL, START_MS + 5 * MINUTE_MS)
            ]
        scene.passes(bridge, 31 * MINUTE_MS)
        assert bridge.read("cp-1")["contact"] == "silent"
    with scene.bridge() as bridge:
        assert bridge.read("cp-1")["contact"] == "silent", "for the next process too"


@EITHER_WAY
def test_a_step_is_told_in_health_and_on_the_status_page(scene: Scene, by_ms: int) -> None:
    with scene.bridge() as bridge:
        before = bridge.client.get("/healthz").json()["clock"]
        scene.machine.set_by(by_ms)
        bridge.send_canary()
        clock = bridge.client.get("/healthz").json()["clock"]
        assert clock["steps"] == [{"at": iso_utc(START_MS + by_ms), "by_ms": by_ms}]
        assert (before["unverified_ms"], clock["unverified_ms"]) == (0, by_ms)
        assert bridge.counter("clock_steps") == 1
        page = bridge.stranger().get("/status").text
        assert "Our clock was set" in page
        assert ("forward" if by_ms > 0 else "back") in page
        assert "All is well: we are listening" in page
        assert ">None<" in page, "no outage"
    with scene.bridge() as bridge:
        assert len(bridge.client.get("/healthz").json()["clock"]["steps"]) == 1, "it is stored"


def test_a_step_back_between_two_processes_is_told_too(scene: Scene) -> None:
    scene.machine.set_by(400 * DAY_MS)
    with scene.bridge():
        pass
    scene.machine.set_by(-400 * DAY_MS)
    with scene.bridge() as bridge:
        assert bridge.client.get("/healthz").json()["clock"]["steps"] == [
            {"at": iso_utc(START_MS), "by_ms": -400 * DAY_MS}
        ]


HISTORY = {  # rows of the last days, one for each table
    signal: {"unit_id": "cp-1", "csq": 15, "operator": "23415", "received_ms": START_MS - HOUR_MS},
    contact_gaps: {"unit_id": "cp-1", "from_ms": START_MS - 2 * HOUR_MS, "to_ms": START_MS - HOUR_MS},
    transitions: {"unit_id": "cp-1", "at_ms": START_MS - HOUR_MS, "contact": "silent", "last_contact_ms": 1},
    events: {"unit_id": "cp-1", "received_ms": START_MS - 399 * DAY_MS, "payload": "{}"},
    results: {"unit_id": "cp-1", "received_ms": START_MS - 89 * DAY_MS, "payload": "{}"},
    sessions: {"unit_id": "cp-1", "received_ms": START_MS - 2000 * DAY_MS, "payload": "{}"},
    rejected_messages: {
        "unit_id": "cp-1",
        "kind": "event",
        "received_ms": START_MS - 89 * DAY_MS,
        "payload": b"",
        "reason": "",
    },
}


def plant_history(bridge: Bridge) -> None:
    with bridge.app_state.database.writing() as connection:
        for table, row in HISTORY.items():
            connection.execute(insert_into(connection.dialect.name, table), row)


def kept(bridge: Bridge) -> dict[str, int]:
    with bridge.app_state.database.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in HISTORY
        }


ALL_KEPT = {table.name: 1 for table in HISTORY}


@EITHER_WAY
@pytest.mark.parametrize("restart", [False, True])
def test_a_wrong_clock_deletes_nothing(scene: Scene, by_ms: int, restart: bool) -> None:
    with scene.bridge() as bridge:
        plant_history(bridge)
        bridge.app_state.upkeep.forget()
        if not restart:
            scene.machine.set_by(by_ms)
            for _ in range(3):
                scene.machine.advance(HOUR_MS)
                bridge.app_state.upkeep.forget()
            scene.machine.set_by(-by_ms)
            bridge.app_state.upkeep.forget()
            assert kept(bridge) == ALL_KEPT
            return
    scene.machine.set_by(by_ms)
    with scene.bridge() as bridge:
        for _ in range(3):
            scene.machine.advance(HOUR_MS)
            bridge.app_state.upkeep.forget()
        assert kept(bridge) == ALL_KEPT
    scene.machine.set_by(-by_ms)
    with scene.bridge() as bridge:
        bridge.app_state.upkeep.forget()
        assert kept(bridge) == ALL_KEPT


def test_what_has_verifiably_passed_is_removed(scene: Scene) -> None:
    with scene.bridge() as bridge:
        plant_history(bridge)
        bridge.app_state.upkeep.forget()
        scene.machine.advance(DAY_MS + 1)
        bridge.app_state.upkeep.forget()
        assert {name for name, rows in kept(bridge).items() if rows == 0} == {
            "signal",
            "events",
            "results",
            "rejected_messages",
        }


def test_what_a_clock_that_was_behind_has_written_is_not_deleted_as_old(scene: Scene) -> None:
    with scene.bridge() as bridge:
        bridge.app_state.upkeep.forget()
        scene.machine.set_by(-YEARS_50_MS)
        unit = Unit(bridge, "cp-1", scene.secret).connect()
        unit.publish("cp/cp-1/session", sample("session"))
        scene.machine.set_by(YEARS_50_MS)
        scene.machine.advance(HOUR_MS)
        bridge.app_state.upkeep.forget()
        assert kept(bridge)["sessions"] == 1
        scene.machine.advance(7 * 366 * DAY_MS - HOUR_MS)
        bridge.app_state.upkeep.forget()
        assert kept(bridge)["sessions"] == 1
        scene.machine.advance(2 * HOUR_MS)
        bridge.app_state.upkeep.forget()
        assert kept(bridge)["sessions"] == 0, "nor kept for ever"


def is_logged_in(client: TestClient) -> bool:
    return client.get("/account", follow_redirects=False).status_code == 200


@EITHER_WAY
def test_a_wrong_clock_logs_nobody_out(scene: Scene, by_ms: int) -> None:
    with scene.bridge() as bridge:
        ann = Visitor(bridge, "ann", Role.DRIVER)
        scene.machine.set_by(by_ms)
        assert is_logged_in(ann.client)
        Visitor(bridge, "ann")  # a login removes sessions that have ended
        bridge.app_state.upkeep.forget()
        with bridge.app_state.database.reading() as connection:
            assert connection.execute(select(func.count()).select_from(web_sessions)).scalar_one() == 2
    with scene.bridge() as bridge:
        again = bridge.stranger()
        again.cookies.update(ann.client.cookies)
        bridge.app_state.upkeep.forget()
        assert is_logged_in(again), "after a start with that clock"
        scene.machine.set_by(-by_ms)
        assert is_logged_in(again)


@EITHER_WAY
def test_a_session_of_a_wrong_clock_lasts_as_long_as_any(scene: Scene, by_ms: int) -> None:
    with scene.bridge() as bridge:
        scene.machine.set_by(by_ms)
        ann = Visitor(bridge, "ann", Role.DRIVER)
        scene.machine.set_by(-by_ms)
        scene.machine.advance(29 * DAY_MS)
        assert is_logged_in(ann.client)
        scene.machine.advance(2 * DAY_MS)
        assert not is_logged_in(ann.client)


def test_a_jump_back_locks_nobody_out(scene: Scene) -> None:
    """Tries are restored by the time that passes, not by the wall clock."""
    with scene.bridge() as bridge:
        Visitor(bridge, "ann", Role.DRIVER)
        stranger = Visitor(bridge, "ann")
        scene.machine.set_by(400 * DAY_MS)
        stranger.client.cookies.clear()
        while stranger.post("/login", name="ann", password="wrong").status_code == 401:
            pass
        scene.machine.set_by(-400 * DAY_MS)
        assert stranger.post("/login", name="ann", password=PASSWORD).status_code == 429
        scene.machine.advance(3 * MINUTE_MS)
        assert stranger.post("/login", name="ann", password=PASSWORD).status_code == 200


@EITHER_WAY
def test_a_command_ends_by_the_clock_of_the_unit(scene: Scene, by_ms: int) -> None:
    """The unit compares the end with its own clock: a pause of two hours once lasted 400 days, or had expired."""
    scene.machine.set_by(by_ms)
    with scene.bridge() as bridge:
        unit = Unit(bridge, "cp-1", scene.secret).connect()
        unit.subscribe("cp/cp-1/command")
        unit.publish(HEARTBEAT, sample("heartbeat-idle"))  # its time is START_MS
        Visitor(bridge, "ann", Role.DRIVER)
        with bridge.app_state.database.reading() as connection:
            person = find_person(connection, "ann")
        scene.machine.advance(MINUTE_MS)
        commands.give(bridge.app_state, "cp-1", person.id, "pause", {}, 2 * HOUR_MS)
        scene.machine.set_by(-by_ms)
        commands.give(bridge.app_state, "cp-1", person.id, "pause", {}, 2 * HOUR_MS)
        bridge.until(lambda: len(unit.commands) == 2, "both came")
        end_s = (START_MS + MINUTE_MS + 2 * HOUR_MS) // 1000
        assert [command["exp"] for command in unit.commands] == [end_s, end_s]
        with bridge.app_state.database.reading() as connection:
            newest = newest_command(connection, Period("cp-1", 0, 0), bridge.app_state.clock.now_ms())
        assert newest is not None
        assert newest.given_ms == START_MS + MINUTE_MS, "one of the future hides none of now"


def test_a_unit_that_was_told_a_wrong_time_is_told_again(scene: Scene) -> None:
    with scene.bridge() as bridge:
        unit, teller = Unit(bridge, "cp-1", scene.secret).connect(), TimeTeller(bridge.app_state)
        unit.subscribe("cp/cp-1/command")
        scene.machine.set_by(400 * DAY_MS)
        beats = [b'{"n":1,"b":1}', b'{"n":2,"b":1,"t":%d}', b'{"n":3,"b":1,"t":%d}']
        for beat in beats:
            if beat is beats[1]:
                scene.machine.set_by(-400 * DAY_MS)
                scene.machine.advance(AGAIN_MS)
                beat %= (START_MS + 400 * DAY_MS + AGAIN_MS) // 1000
            elif beat is beats[2]:
                scene.machine.advance(AGAIN_MS)
                beat %= (START_MS + 2 * AGAIN_MS) // 1000
            unit.publish(HEARTBEAT, beat)
            asyncio.run_coroutine_threadsafe(teller.tell(), bridge.app_state.loop).result(DEADLINE_S)
        bridge.until(lambda: len(unit.commands) == 2, "told again")
        assert [command["t"] for command in unit.commands] == [
            (START_MS + 400 * DAY_MS) // 1000,
            (START_MS + AGAIN_MS) // 1000,
        ]


COMMAND_CLOCKS = pytest.mark.parametrize("by_ms", [-YEARS_50_MS, -HOUR_MS, 0, HOUR_MS, 400 * DAY_MS])


def run_command(bridge: Bridge, monkeypatch: pytest.MonkeyPatch, now_ms: int, *words: str) -> None:
    """Run a command as on a machine whose clock shows this."""
    where = bridge.app_state.settings.store
    key, value = ("CHARGEKEEPER_DATABASE", where) if isinstance(where, str) else ("CHARGEKEEPER_DATA", str(where))
    with monkeypatch.context() as patch:
        patch.setenv(key, value)
        patch.setattr("cloud_bridge.cli.unit.SystemClock", lambda: HandClock(now_ms))
        assert command_line.main(["unit", *words]) == 0


def looks(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with each look for revoked secrets."""
    seen: list[int] = []
    credentials = bridge.broker._listener._admission.credentials
    changed = credentials.changed

    async def spied(since_ms: int) -> dict[str, int]:
        seen.append(since_ms)
        return await changed(since_ms)

    monkeypatch.setattr(credentials, "changed", spied)
    return seen


@COMMAND_CLOCKS
def test_a_unit_is_revoked_now_whatever_the_clock_of_the_command(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, by_ms: int
) -> None:
    """It stays revoked; with a new secret it is accepted again, and not disconnected any more."""
    monkeypatch.setattr(listener, "LOOK_EVERY_S", 0.01)
    with scene.bridge() as bridge:
        seen = looks(bridge, monkeypatch)
        run_command(bridge, monkeypatch, START_MS + 90 * DAY_MS, "secret", "cp-1")  # by a clock that was fast
        with bridge.app_state.database.writing() as connection:
            secret = units.change_secret(connection, "cp-1", START_MS)
        unit = Unit(bridge, "cp-1", secret).connect()
        run_command(bridge, monkeypatch, START_MS + by_ms, "revoke", "cp-1")
        assert unit.gone.wait(DEADLINE_S)
        assert Unit(bridge, "cp-1", secret).connect().refusal != 0
        scene.machine.set_by(-by_ms)
        assert Unit(bridge, "cp-1", secret).connect().refusal != 0
        with bridge.app_state.database.writing() as connection:
            secret = units.change_secret(connection, "cp-1", START_MS)
        again = Unit(bridge, "cp-1", secret).connect()
        enough = len(seen) + 20
        bridge.until(lambda: len(seen) >= enough, "looked again and again")
        again.publish(HEARTBEAT, sample("heartbeat-idle"))
        assert not again.gone.is_set()
        assert bridge.counter("closed_revoked") == 1


def test_a_revoked_unit_is_thrown_out_though_it_logged_in_by_a_clock_that_was_ahead(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "LOOK_EVERY_S", 0.01)
    with scene.bridge() as bridge:
        scene.machine.set_by(400 * DAY_MS)
        unit = Unit(bridge, "cp-1", scene.secret).connect()
        scene.machine.set_by(-400 * DAY_MS)
        with bridge.app_state.database.writing() as connection:
            units.revoke(connection, "cp-1", START_MS)
        assert unit.gone.wait(DEADLINE_S)


def test_what_waits_for_a_time_that_no_wait_leads_to_is_due(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert failed by a clock that was fast, and was to be tried again 400 days later."""
    sent = webhooks(monkeypatch)
    with scene.bridge() as bridge:
        driver(bridge, "ann")
        with bridge.app_state.database.writing() as connection:
            alert = {"wish_id": 1, "about": "back", "at_ms": 0, "words": "", "due_ms": START_MS + 400 * DAY_MS}
            connection.execute(insert(alerts), alert)
        look(bridge)
        assert len(sent) == 1


def test_five_minutes_of_signal_are_made_of_what_there_is_and_not_of_fifty_years(scene: Scene) -> None:
    """Upkeep once processed five million spans of five minutes, one transaction each."""
    with scene.bridge() as bridge:
        upkeep = bridge.app_state.upkeep
        upkeep.roll_up()
        scene.heartbeat_with_signal(bridge)
        scene.machine.set_by(YEARS_50_MS)
        upkeep.roll_up()
        scene.machine.set_by(-YEARS_50_MS)
        scene.machine.advance(6 * MINUTE_MS)
        upkeep.roll_up()
        with bridge.app_state.database.reading() as connection:
            assert connection.execute(select(signal_5min.c.from_ms)).scalars().all() == [START_MS]


def test_silences_of_a_clock_that_was_ahead_are_no_incident_of_now(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = webhooks(monkeypatch)
    with scene.bridge() as bridge:
        driver(bridge, "oscar", ())
        with bridge.app_state.database.writing() as connection:
            connection.execute(people.update().values(role=Role.OPERATOR))
            oscar = find_person(connection, "oscar")
            for about in (AlertKind.INCIDENT, AlertKind.SILENT):
                add_subscription(connection, oscar, about, Via.WEBHOOK, HOOK)
            new = [units.add_unit(connection, f"cp-{number}", 0) for number in range(2, 14)]
            future = {"at_ms": START_MS + 400 * DAY_MS, "contact": "silent", "last_contact_ms": 1}
            connection.execute(insert(transitions), [future | {"unit_id": one.id} for one in new])
            connection.execute(transitions.update().values(untold=False))
            now = future | {"at_ms": START_MS, "unit_id": "cp-1"}
            connection.execute(insert(transitions), now)
        look(bridge)
        assert told(sent) == [("silent", "cp-1")]
