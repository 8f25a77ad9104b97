"""Are two charge points with one identity shown wherever it can be acted on, and is none of their messages lost?"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.clock import iso_utc
from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.claims import release
from cloud_bridge.store.people import find_person
from cloud_bridge.store.subscriptions import Via, add_subscription
from cloud_bridge.store.tables import duplicate_identities, events
from cloud_bridge.store.units import NewUnit, change_secret, revoke
from tests.cloud_bridge import alerting
from tests.cloud_bridge.outside_broker import outside_bridge
from tests.cloud_bridge.people import PASSWORD, Visitor, entrust, give
from tests.cloud_bridge.running import START_MS, Bridge, Machine, Unit, running_bridge

TURNS = 5  # with take-overs; the first turn of each is not a return
TITLE = "A second charger uses its identity"


class Board:
    """One of several boards with the same id and secret."""

    def __init__(
        self, bridge: Bridge, unit: NewUnit, boot: int, sequence: int = 0, machine: Machine | None = None
    ) -> None:
        self._bridge = bridge
        self._clock = machine or bridge.clock
        self._unit = unit
        self.boot = boot
        self.sequence = sequence

    def turn(self) -> Unit:
        """Log in, which ends the other's connection, and send a heartbeat."""
        connected = Unit(self._bridge, self._unit.id, self._unit.secret).connect()
        self.heartbeat(connected)
        self._clock.advance(MINUTE_MS)
        return connected

    def heartbeat(self, connected: Unit, **said: Any) -> None:
        self.sequence += 1
        payload = {
            "n": self.sequence,
            "b": self.boot,
            "t": self._bridge.app_state.clock.now_ms() // 1000,
            "s": "A1",
            **said,
        }
        connected.publish(f"cp/{self._unit.id}/heartbeat", json.dumps(payload).encode())


@pytest.fixture
def unit(bridge: Bridge) -> NewUnit:
    """home-1, which belongs to dora."""
    new = bridge.add_unit("home-1")
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    give(bridge, new.claim_code, "dora")
    return new


@pytest.fixture
def two(bridge: Bridge, unit: NewUnit) -> tuple[Board, Board]:
    return Board(bridge, unit, boot=17), Board(bridge, unit, boot=4)


def take_turns(boards: tuple[Board, ...], turns: int = TURNS) -> None:
    for turn in range(turns):
        boards[turn % len(boards)].turn()


def since(bridge: Bridge) -> str | None:
    found: str | None = bridge.read("home-1")["duplicate_identity_since"]
    return found


def test_it_is_noticed_with_the_third_return_and_not_before(bridge: Bridge, two: tuple[Board, Board]) -> None:
    take_turns(two, TURNS - 1)
    assert since(bridge) is None
    two[0].turn()
    assert since(bridge) == "2026-01-01T00:02:00.000Z", "since the first return"
    assert (bridge.counter("take_overs"), bridge.counter("identity_returns")) == (TURNS - 1, TURNS - 2)


@pytest.mark.parametrize("number", [{}, {"n": 1}], ids=["no sequence", "one that stands still"])
def test_boards_with_boot_counts_alone_are_noticed_by_them(
    bridge: Bridge, unit: NewUnit, number: dict[str, int]
) -> None:
    for turn in range(TURNS):
        assert since(bridge) is None
        connected = Unit(bridge, "home-1", unit.secret).connect()
        connected.publish("cp/home-1/heartbeat", json.dumps({"b": (17, 4)[turn % 2], "s": "A1", **number}).encode())
        bridge.clock.advance(MINUTE_MS)
    assert since(bridge) is not None


@pytest.mark.parametrize("numbered", ["never", "now and then"])
def test_one_without_numbers_that_reconnects_and_restarts_is_not_two(
    bridge: Bridge, unit: NewUnit, numbered: str
) -> None:
    boot = 17
    for turn in range(30):
        connected = Unit(bridge, "home-1", unit.secret).connect()
        number = {"n": 900 + turn} if numbered != "never" and turn % 3 == 1 else {}
        connected.publish("cp/home-1/heartbeat", json.dumps({"b": boot, "s": "A1", **number}).encode())
        bridge.clock.advance(MINUTE_MS)
        boot = 4 if turn == 15 else boot + (turn % 4 == 0)
    assert since(bridge) is None
    assert bridge.counter("identity_returns") == 0


@pytest.mark.parametrize("turns_before", range(TURNS))
def test_what_was_seen_before_a_restart_is_found_again_as_soon_as_if_it_had_begun_then(
    tmp_path: Path, turns_before: int
) -> None:
    """Evidence that is not conclusive yet is only in memory."""
    with running_bridge(tmp_path) as bridge:
        new, clock = bridge.add_unit("home-1"), bridge.clock
        take_turns((Board(bridge, new, 17), Board(bridge, new, 4)), turns_before)
        assert since(bridge) is None
    with running_bridge(tmp_path, clock) as bridge:
        take_turns((Board(bridge, new, 17, 50), Board(bridge, new, 4, 50)), TURNS)
        assert since(bridge) is not None


@pytest.mark.parametrize("boot", [17, 4])
def test_copies_of_one_image_are_noticed_by_their_sequences(bridge: Bridge, unit: NewUnit, boot: int) -> None:
    take_turns((Board(bridge, unit, boot, 900), Board(bridge, unit, boot)))
    assert since(bridge) is not None


def test_copies_that_count_in_step_are_noticed_by_their_records(bridge: Bridge, unit: NewUnit) -> None:
    """Two units with one flash image, switched on together: their heartbeats in turn look like one count."""
    board = Board(bridge, unit, boot=17)
    for number in range(4):
        for mode in ("smart", "link_lost"):
            connected = board.turn()
            record = {"n": 1000 + number, "b": 17, "k": "mode", "d": {"to": mode}}
            connected.publish("cp/home-1/event", json.dumps(record).encode())
        assert (since(bridge) is None) == (number < 3), "the first connection took over none"


def test_a_record_that_is_delivered_again_over_each_new_connection_is_one(bridge: Bridge, unit: NewUnit) -> None:
    """Its acknowledgements are lost, and meanwhile the unit gets the time."""
    board = Board(bridge, unit, boot=17)
    for seconds in (None, None, *range(5), None):
        said = {"n": 1000, "b": 17, "k": "mode", "d": {"to": "smart"}}
        known = {} if seconds is None else {"t": START_MS // 1000 + seconds // 4}
        board.turn().publish("cp/home-1/event", json.dumps(said | known).encode())
    assert since(bridge) is None
    assert bridge.counter("identity_returns") == 0
    with bridge.app_state.database.reading() as connection:
        assert len(connection.execute(select(events)).all()) == 1


def test_one_that_reconnects_and_restarts_all_day_is_not_two(bridge: Bridge, unit: NewUnit) -> None:
    board = Board(bridge, unit, boot=17)
    for turn in range(20):
        board.turn()
        if turn % 3 == 0:
            board.boot, board.sequence = board.boot + 1, 0
    take_turns((Board(bridge, unit, boot=4),), 10)  # it is replaced
    assert since(bridge) is None
    assert bridge.counter("identity_returns") == 0


def test_all_that_both_send_is_acknowledged_and_kept_and_contact_is_true(bridge: Bridge, unit: NewUnit) -> None:
    """Their boot counts are equal, and therefore the numbers of their records."""
    boards = Board(bridge, unit, 4, 900), Board(bridge, unit, 4)
    for turn in range(6):
        connected = boards[turn % 2].turn()
        payload = {"n": 5000 + turn // 2, "b": 4, "k": "tamper", "d": {"open": turn % 2 == 0}}
        connected.publish("cp/home-1/event", json.dumps(payload).encode())
        assert bridge.read("home-1")["last_contact"] == f"2026-01-01T00:{turn + 1:02}:00.000Z"
    with bridge.app_state.database.reading() as connection:
        kept = [json.loads(payload) for payload in connection.execute(select(events.c.payload)).scalars()]
    assert [(one["n"], one["d"]["open"]) for one in kept] == [(5000 + turn // 2, turn % 2 == 0) for turn in range(6)]


def test_the_driver_reads_what_it_means_and_the_installer_what_to_do(bridge: Bridge, two: tuple[Board, Board]) -> None:
    driver, support = Visitor(bridge, "dora"), Visitor(bridge, "sue", Role.SUPPORT)
    installer = Visitor(bridge, "ingo", Role.INSTALLER)
    entrust(bridge, "home-1", "ingo")
    assert TITLE not in driver.read("/")
    take_turns(two)
    said = driver.read("/")
    assert TITLE in said
    assert "mix both" in said and "ask us for help" in said
    assert "Two chargers" in said and "Working" not in said
    assert "python -m cloud_bridge" not in said
    for visitor, path in ((support, "/charge-points/home-1"), (support, "/charge-points/home-1/jobs")):
        said = visitor.read(path)
        assert "17 and 4" in said and "python -m cloud_bridge unit secret home-1" in said
    assert "Find the second charger" in said and "Nothing to do" not in said
    path = support.post("/charge-points/home-1/jobs", reason="Two of them").url.path
    assert "17 and 4" in installer.read(path)
    bridge.add_unit("home-2")
    give(bridge, bridge.add_unit("home-3").claim_code, "dora")
    assert TITLE in driver.read("/"), "in the list of her chargers too"
    driver.post("/charge-points/home-1/support", text="It jumps.")
    assert TITLE in support.read("/support/1"), "among the facts"


def test_what_two_meters_say_is_no_energy_of_a_session(bridge: Bridge, two: tuple[Board, Board]) -> None:
    driver = Visitor(bridge, "dora")
    connected = two[0].turn()
    two[0].heartbeat(connected, w=0, e=1000)
    two[0].heartbeat(connected, s="C2", w=7000, e=3000)
    assert "This session" in driver.read("/")
    take_turns((two[1], two[0]), TURNS)
    connected = two[0].turn()
    two[0].heartbeat(connected, w=0, e=1000)
    two[0].heartbeat(connected, s="C2", w=7000, e=9000)
    assert "This session" not in driver.read("/")


def test_an_open_page_learns_of_it(bridge: Bridge, two: tuple[Board, Board]) -> None:
    """The page's mark changes, so the stream sends it again."""
    driver = Visitor(bridge, "dora")

    def mark() -> str:
        found = re.search(r"live\?seen=([^\"]+)", driver.get("/"))
        assert found is not None
        return found[1]

    take_turns(two)
    while_two = mark()
    with bridge.app_state.database.writing() as connection:
        connection.execute(duplicate_identities.delete())
    assert mark() != while_two


def test_the_fleet_lists_them(bridge: Bridge, two: tuple[Board, Board]) -> None:
    bridge.add_unit("home-2")
    operator = Visitor(bridge, "olga", Role.OPERATOR)
    assert "identity that a second" not in operator.read("/fleet")
    take_turns(two)
    said = operator.read("/fleet")
    assert "1 with an identity that a second charger uses" in said
    assert "A second charger uses its identity" in said
    said = operator.read("/fleet?by=duplicate")
    assert "home-1" in said and "home-2" not in said and "Only those whose identity" in said
    bridge.clock.advance(DAY_MS)
    assert "home-1" not in operator.read("/fleet?by=duplicate")
    assert "A second charger uses its identity" not in operator.read("/fleet")


def test_the_metrics_count_them(bridge: Bridge, two: tuple[Board, Board]) -> None:
    take_turns(two)
    said = bridge.client.get("/metrics").text
    assert "chargekeeper_units_duplicate 1.0" in said
    assert f'chargekeeper_messages_total{{what="identity_returns"}} {TURNS - 2}.0' in said


def test_the_owner_is_alerted_once_while_it_lasts(
    bridge: Bridge, two: tuple[Board, Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = alerting.webhooks(monkeypatch)
    bridge.add_person("other", PASSWORD, Role.DRIVER)
    with bridge.app_state.database.writing() as connection:
        for name in ("dora", "other"):
            person = find_person(connection, name)
            add_subscription(connection, person, AlertKind.DUPLICATE_IDENTITY, Via.WEBHOOK, alerting.HOOK)
    take_turns(two, TURNS - 1)
    alerting.look(bridge)
    assert sent == []
    for _ in range(3):
        take_turns(two)
        alerting.look(bridge)
    assert alerting.told(sent) == [("duplicate_identity", "home-1")]
    assert "A second charger uses the identity of home-1" in sent[0]["words"]


def test_the_history_says_that_it_mixes_two(bridge: Bridge, two: tuple[Board, Board]) -> None:
    driver = Visitor(bridge, "dora")
    page = "/charge-points/home-1/history"
    two[0].turn()
    assert "mixes both" not in driver.read(page)
    take_turns(two, TURNS + 1)
    assert "Since Thu 1 Jan, 00:03 a second charger uses this one's identity" in driver.read(page)
    bridge.clock.advance(2 * DAY_MS)
    assert "mixes both" not in driver.read(page)


def test_a_second_finding_is_alerted_to_though_the_first_is_not_forgotten_yet(
    bridge: Bridge, two: tuple[Board, Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retention waits for verified time, which may be days behind."""
    sent = alerting.webhooks(monkeypatch)
    with bridge.app_state.database.writing() as connection:
        person = find_person(connection, "dora")
        add_subscription(connection, person, AlertKind.DUPLICATE_IDENTITY, Via.WEBHOOK, alerting.HOOK)
    for _ in range(2):
        take_turns(two, TURNS + 1)
        alerting.look(bridge)
        bridge.clock.advance(8 * DAY_MS)
    assert alerting.told(sent) == [("duplicate_identity", "home-1")] * 2


@pytest.mark.parametrize("change", [change_secret, revoke])
def test_a_new_secret_ends_it_and_what_was_before_does_not_count_again(
    bridge: Bridge, two: tuple[Board, Board], unit: NewUnit, change: Any
) -> None:
    take_turns(two, TURNS + 1)
    assert since(bridge) is not None
    with bridge.app_state.database.writing() as connection:
        change(connection, "home-1", bridge.clock.now_ms())
        secret = change_secret(connection, "home-1", bridge.clock.now_ms())
    assert since(bridge) is None
    kept = Board(bridge, unit._replace(secret=secret), boot=17, sequence=50)  # its turn is a return, the last one
    bridge.clock.advance(MINUTE_MS)
    for _ in range(3):
        kept.turn()
    assert since(bridge) is None
    take_turns((Board(bridge, unit._replace(secret=secret), boot=4, sequence=50), kept), 4)
    assert since(bridge) is not None, "the new secret was copied as well"


def test_it_outlives_a_restart_and_ends_a_day_after_the_last_return(tmp_path: Path) -> None:
    with running_bridge(tmp_path) as bridge:
        new = bridge.add_unit("home-1")
        take_turns((Board(bridge, new, 17), Board(bridge, new, 4)))
        began, clock = since(bridge), bridge.clock
        assert began is not None
    with running_bridge(tmp_path, clock) as bridge:
        assert since(bridge) == began
        clock.advance(DAY_MS - HOUR_MS)
        assert since(bridge) == began
        take_turns((Board(bridge, new, 17, 100), Board(bridge, new, 4, 100)), TURNS + 2)
        assert since(bridge) == began, "it has lasted since"
        clock.advance(DAY_MS)
        assert since(bridge) is None


@pytest.mark.parametrize("by_ms", [12 * HOUR_MS, 400 * DAY_MS])
def test_a_clock_that_was_ahead_hides_nothing_and_keeps_nothing_for_ever(tmp_path: Path, by_ms: int) -> None:
    machine = Machine()
    with running_bridge(tmp_path, clock_from=machine.clock) as bridge:
        new = bridge.add_unit("home-1")
        boards = Board(bridge, new, 17, machine=machine), Board(bridge, new, 4, machine=machine)
        machine.set_by(by_ms)
        take_turns(boards)
        assert since(bridge) is not None
        machine.set_by(-by_ms)
        boards[1].turn()
        assert since(bridge) == iso_utc(START_MS + 2 * MINUTE_MS), "it moves with the clock"
        machine.set_by(by_ms)
        boards[0].turn()
    machine.set_by(-by_ms)
    with running_bridge(tmp_path, clock_from=machine.clock) as bridge:
        bridge.send_canary()
        assert since(bridge) is None, "a stamp of the future shows nothing"
        take_turns((Board(bridge, new, 17, 50, machine), Board(bridge, new, 4, 50, machine)), TURNS)
        assert since(bridge) == iso_utc(START_MS + 9 * MINUTE_MS)
        machine.advance(2 * DAY_MS)
        bridge.send_canary()
        assert since(bridge) is None


def test_a_new_owner_is_told_of_what_lasts_and_of_nothing_before(
    bridge: Bridge, unit: NewUnit, two: tuple[Board, Board]
) -> None:
    """Not even that it was so: that is from before their time."""
    take_turns(two)
    bridge.add_person("ben", PASSWORD, Role.DRIVER)
    with bridge.app_state.database.writing() as connection:
        release(connection, "home-1", now_ms=bridge.clock.now_ms())
    bridge.clock.advance(MINUTE_MS)
    give(bridge, unit.claim_code, "ben")
    ben = Visitor(bridge, "ben")
    assert TITLE not in ben.read("/")
    assert TITLE in Visitor(bridge, "sue", Role.SUPPORT).read("/charge-points/home-1")
    two[1].turn()
    assert TITLE in ben.read("/")


def test_a_notification_of_it_can_be_asked_for(bridge: Bridge, unit: NewUnit) -> None:
    page = "/account/notifications"
    driver = Visitor(bridge, "dora")
    driver.post(page, about="duplicate_identity", via="webhook", target=alerting.HOOK)
    assert f"{TITLE} Webhook" in driver.read(page)


def test_behind_an_outside_broker_the_counts_alone_show_it(tmp_path: Path) -> None:
    """It does not report take-overs. The backlog from our downtime is no evidence."""
    with outside_bridge(tmp_path) as bridge:
        bridge.add_unit("home-1")

        def deliver(number: int, boot: int, sequence: int) -> None:
            payload = b'{"n":%d,"b":%d}' % (sequence, boot)
            bridge.broker.deliver("cp/home-1/heartbeat", payload, number)
            bridge.until_acknowledged(number)
            bridge.clock.advance(MINUTE_MS)

        def rows() -> list[Any]:
            with bridge.app_state.database.reading() as connection:
                return list(connection.execute(select(duplicate_identities)))

        for number in range(1, 8):
            deliver(number, 17 if number % 2 else 4, number)
        assert rows() == [], "five returns"
        deliver(8, 4, 8)
        (row,) = rows()
        assert (row.unit_id, row.boot, row.other_boot) == ("home-1", 4, 17)
        assert (row.since_ms, row.last_ms) == (START_MS + 2 * MINUTE_MS, START_MS + 7 * MINUTE_MS)
