"""Is every security event logged without a secret, and does a flood harm neither store nor log?"""

import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from cloud_bridge import command_line, security_log
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.security_log import EACH, OTHERS, SOURCES_MAX, WAITING_MAX, SecurityLog
from cloud_bridge.store.access import Role
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.security_events import Kind, SecurityEvent, newest_security_events
from cloud_bridge.store.tables import security_events
from cloud_bridge.verified_time import clocks_of
from tests.cloud_bridge.people import PASSWORD, Visitor, unit_of
from tests.cloud_bridge.running import Bridge, Machine, Unit
from tests.cloud_bridge.web.test_pages import log_in

NO_STORE: Any = None  # where nothing is written


class Site:
    """A log on a store, and the machine's clock."""

    def __init__(self, database: Database) -> None:
        self.machine = Machine()
        clock = self.machine.clock()
        self.database = database
        self.log = SecurityLog(database, clocks_of(clock))

    def stored(self) -> list[SecurityEvent]:
        """Return the stored events, oldest first."""
        self.log.write()
        with self.database.reading() as connection:
            rows = connection.execute(select(security_events).order_by(security_events.c.id)).all()
        return [SecurityEvent(*row[1:]) for row in rows]


@pytest.fixture
def site(database: Database) -> Site:
    return Site(database)


def stored(bridge: Bridge) -> list[tuple[str, str | None, str]]:
    """Return (kind, name, subject) of the events, oldest first."""
    bridge.app_state.security_log.write()
    with bridge.app_state.database.reading() as connection:
        return [(row.kind, row.name, row.about) for row in reversed(newest_security_events(connection))]


def test_nine_wrong_passwords_leave_nine_traces_and_none_of_them_names_what_was_typed(bridge: Bridge) -> None:
    """[S1-10]"""
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    client = bridge.stranger()
    assert [log_in(client, "typed-in-the-wrong-field", "guess") for _ in range(8)] == [401] * 8
    assert log_in(client, "typed-in-the-wrong-field", "guess") == 429
    events = stored(bridge)
    assert [kind for kind, _, _ in events] == [Kind.WRONG_PASSWORD] * 8 + [Kind.TOO_MANY_PASSWORDS]
    assert "typed" not in str(events) and "guess" not in str(events)


def test_what_a_person_does_is_there_with_their_name(bridge: Bridge) -> None:
    unit = unit_of(bridge, "ann")
    unit.subscribe("cp/home-1/command")
    ann = Visitor(bridge, "ann")
    ann.post("/account/units", code="0000-0000-0000-0000")
    ann.post("/charge-points/home-1/charging/pause", "/charge-points/home-1/charging", hours="2")
    ann.post("/account/data/export", "/account/data")
    ann.post("/account/password", old="wrong", new="four other words of mine")
    ann.post("/account/units/home-1/release", "/account/units/home-1")
    new = "nine purple teapots sing"
    ann.post("/account/password", old=PASSWORD, new=new)
    events = stored(bridge)
    assert events == [
        (Kind.LOGGED_IN, "ann", ""),
        (Kind.WRONG_CLAIM_CODE, "ann", ""),
        (Kind.COMMAND, "ann", "pause to home-1"),
        (Kind.EXPORTED, "ann", ""),
        (Kind.WRONG_PASSWORD, "ann", "to change it"),
        (Kind.RELEASED, "ann", "home-1"),
        (Kind.PASSWORD_CHANGED, "ann", ""),
    ]
    assert PASSWORD not in str(events) and new not in str(events)


def test_an_erased_account_is_a_number_that_is_nobodys(bridge: Bridge) -> None:
    ann = Visitor(bridge, "ann", Role.DRIVER)
    ann.post("/account/data/erase", "/account/data", password=PASSWORD)
    assert [(kind, name) for kind, name, _ in stored(bridge)] == [(Kind.LOGGED_IN, None), (Kind.ERASED, None)]
    page = Visitor(bridge, "olga", Role.OPERATOR).read("/security")
    assert "Account erased" in page and "ann" not in page.replace("channel", "")


def test_a_wrong_token_is_there_and_the_right_one_is_not(bridge: Bridge) -> None:
    for token in ("wrong", "also wrong"):
        assert (
            bridge.stranger().get("/api/charge-points", headers={"Authorization": f"Bearer {token}"}).status_code == 401
        )
    assert bridge.client.get("/api/charge-points").status_code == 200
    assert [kind for kind, _, _ in stored(bridge)] == [Kind.WRONG_TOKEN] * 2


def test_a_unit_that_the_broker_refuses_is_there(bridge: Bridge) -> None:
    bridge.add_unit("home-1")
    for unit_id, secret in (("home-1", "guess"), ("nobody-1", "guess")):
        assert Unit(bridge, unit_id, secret).connect().refusal is not None
    assert {(kind, about) for kind, _, about in stored(bridge)} == {
        (Kind.UNIT_REFUSED, "wrong secret for home-1"),
        (Kind.UNIT_REFUSED, "not a charger of ours"),
    }


def test_operators_read_it_page_by_page_and_by_kind(bridge: Bridge) -> None:
    log = bridge.app_state.security_log
    for number in range(150):
        log.note(Kind.CLAIMED if number % 2 else Kind.RELEASED, f"192.0.2.{number}", about=f"unit-{number:03d}")
    log.write()
    olga = Visitor(bridge, "olga", Role.OPERATOR)
    log.write()
    first = olga.get("/security")
    assert "unit-149" in first and "unit-040" not in first
    older = first.split('href="/security?')[1].split('"')[0].replace("&amp;", "&")
    assert "unit-040" in olga.get(f"/security?{older}")
    claims = olga.get("/security?kind=claimed")
    assert "unit-149" in claims and "unit-148" not in claims
    for role in (Role.DRIVER, Role.INSTALLER, Role.SUPPORT):
        assert Visitor(bridge, role.value, role).client.get("/security").status_code == 404


def test_of_a_flood_some_are_kept_and_the_rest_are_counted(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, security_log.__name__):
        for _ in range(1000):
            site.log.note(Kind.WRONG_PASSWORD, "2001:db8::1")
        site.log.note(Kind.WRONG_PASSWORD, "192.0.2.1")
        assert len(site.stored()) == EACH + 1
        site.machine.advance(MINUTE_MS)
        events = site.stored()
    assert sum(event.times for event in events) == 1001
    assert events[-1] == SecurityEvent(site.machine.wall_ms, Kind.WRONG_PASSWORD, "2001:db8::/64", times=1000 - EACH)
    assert len(caplog.messages) == EACH + 2


class Away:
    """A store that cannot be written."""

    def writing(self) -> None:
        raise OperationalError("", None, Exception("database is locked"))


def test_what_the_store_does_not_take_waits_within_bounds() -> None:
    away: Any = Away()
    log = SecurityLog(away, clocks_of(Machine().clock()))
    for number in range(WAITING_MAX + 7):
        log.note(Kind.CLAIMED, f"192.0.2.{number}", number)
        if number % 500 == 0:
            with pytest.raises(OperationalError):
                log.write()
    assert log.dropped == 7
    assert [event.person_id for event in log.take()] == list(range(7, WAITING_MAX + 7))


@given(
    st.lists(
        st.tuples(st.sampled_from([Kind.WRONG_TOKEN, Kind.CLAIMED]), st.integers(0, 30), st.integers(0, 90_000)),
        max_size=200,
    )
)
def test_every_one_is_counted_whatever_the_order(happened: list[tuple[Kind, int, int]]) -> None:
    """Before each, the clock advances by the third value, in ms."""
    machine = Machine()
    clock = machine.clock()
    written: list[SecurityEvent] = []
    log = SecurityLog(NO_STORE, clocks_of(clock))
    for kind, address, passed_ms in happened:
        machine.advance(passed_ms)
        log.note(kind, f"192.0.2.{address}")
        written += log.take()
    machine.advance(MINUTE_MS)
    written += log.take()
    for kind in (Kind.WRONG_TOKEN, Kind.CLAIMED):
        assert sum(event.times for event in written if event.kind == kind) == sum(one[0] == kind for one in happened)


def test_more_addresses_than_there_is_room_for_are_counted_together(site: Site) -> None:
    for number in range(SOURCES_MAX + EACH + 5):
        site.log.note(Kind.WRONG_TOKEN, f"10.0.{number // 250}.{number % 250}")
    site.machine.advance(MINUTE_MS)
    events = site.stored()
    assert [event for event in events if event.address == OTHERS and event.times > 1] == [
        SecurityEvent(site.machine.wall_ms, Kind.WRONG_TOKEN, OTHERS, times=5)
    ]


def test_the_command_line_leaves_its_traces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(tmp_path / "data"))
    for line in (
        "user add ann --role driver",
        "user add ida --role installer",
        "user role ann support",
        "user password ann",
        "token add --scope read --user ann",
        "token remove 1",
        "unit add wall",
        "unit assign wall ida",
        "unit withdraw wall ida",
        "unit secret wall",
        "unit revoke wall",
        "data export ann",
        "data erase ann",
        "user remove ida",
    ):
        assert command_line.main(line.split()) == 0, capsys.readouterr().err
    database = open_database(tmp_path / "data")
    with database.reading() as connection:
        rows = list(reversed(newest_security_events(connection)))
    database.close()
    assert [(row.kind, row.about) for row in rows] == [
        ("person_added", "driver"),
        ("person_added", "installer"),
        ("role_changed", "support"),
        ("password_changed", ""),
        ("token_added", "read"),
        ("token_removed", "number 1"),
        ("unit_added", "wall"),
        ("installer_assigned", "wall"),
        ("installer_withdrawn", "wall"),
        ("unit_secret", "wall"),
        ("unit_revoked", "wall"),
        ("exported", ""),
        ("erased", ""),
        ("person_removed", ""),
    ]
    assert {row.address for row in rows} == {None}
