"""Does a member see the charger's rows from the day they joined until the day they leave, and no others?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, insert, select, text

from cloud_bridge.alerts.detection import notice, notice_weak_signal
from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.store import history, personal
from cloud_bridge.store.access import Person, Role, Scope, token_for
from cloud_bridge.store.alerts import name_for
from cloud_bridge.store.claims import claim, release
from cloud_bridge.store.commands import NewCommand, add_command
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.members import (
    INVITATION_MS,
    MOST_INVITATIONS,
    MOST_MEMBERS,
    InvitationRefused,
    end_membership,
    invite,
    invited_to,
    join,
    members_of,
    open_invitations,
    withdraw_invitation,
)
from cloud_bridge.store.ownership import household_period
from cloud_bridge.store.people import add_person, find_person, remove_person
from cloud_bridge.store.record import record
from cloud_bridge.store.schedules import schedule_in_force
from cloud_bridge.store.secrets import hash_of
from cloud_bridge.store.sites import describe_site
from cloud_bridge.store.subscriptions import Via, add_subscription
from cloud_bridge.store.tables import (
    alert_wishes,
    alerts,
    commands,
    member_invitations,
    members,
    people,
    signal,
    signal_5min,
)
from cloud_bridge.store.units import Unit, add_unit, visible_unit, visible_units
from cloud_bridge.store.upsert import insert_new
from tests.cloud_bridge.alerting import no_bad_row
from tests.cloud_bridge.recording import inbound
from tests.cloud_bridge.running import START_MS, store_at

CLAIMED_MS, JOINED_MS, PARTED_MS, NOW_MS = (START_MS + days * DAY_MS for days in (1, 10, 15, 20))
ALL_MS = (0, NOW_MS + 1000 * DAY_MS)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Ann has the unit `wall`; ben, cat and one person of each other role have nothing."""
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        for role in Role:
            add_person(connection, role.value, "a hash", role, START_MS)
        for name in ("ann", "ben", "cat"):
            add_person(connection, name, "a hash", Role.DRIVER, START_MS)
        new = add_unit(connection, "wall", START_MS)
        claim(connection, person(connection, "ann"), new.claim_code, CLAIMED_MS)
    yield database
    database.close()


def person(connection: Connection, name: str) -> Person:
    return find_person(connection, name)


def let_in(connection: Connection, name: str, at_ms: int = JOINED_MS) -> None:
    assert join(connection, person(connection, name), invite(connection, "wall", at_ms), at_ms, at_ms) == "wall"


def say(connection: Connection, kind: str, at_ms: int, **said: Any) -> None:
    record(connection, [inbound("wall", at_ms, kind=kind, payload=json.dumps(said, separators=(",", ":")).encode())])


def seen(connection: Connection, name: str) -> Unit | None:
    return visible_unit(connection, person(connection, name), "wall")


def reasons(connection: Connection, name: str) -> list[str]:
    """Return the reasons of the sessions that a person is shown."""
    unit = seen(connection, name)
    return [] if unit is None else [row["reason"] for row in history.unit_sessions(connection, unit.period, *ALL_MS)]


def exported(connection: Connection, name: str) -> dict[str, list[dict[str, Any]]]:
    return personal.export(connection, person(connection, name))


# --- the invitation ---------------------------------------------------------------------------------------------------


def test_a_code_counts_once_and_is_kept_as_a_hash(database: Database) -> None:
    with database.writing() as connection:
        code = invite(connection, "wall", JOINED_MS)
        assert code not in str(connection.execute(select(member_invitations)).all())
        assert invited_to(connection, code, JOINED_MS) == ("wall", "")
        join(connection, person(connection, "ben"), code, JOINED_MS, JOINED_MS)
        assert invited_to(connection, code, JOINED_MS) is None
        with pytest.raises(InvitationRefused, match="was used or withdrawn"):
            join(connection, person(connection, "cat"), code, JOINED_MS, JOINED_MS)
        assert seen(connection, "ben") and seen(connection, "cat") is None


@pytest.mark.parametrize("late_ms, counts", [(INVITATION_MS - 1, True), (INVITATION_MS, False), (400 * DAY_MS, False)])
def test_an_invitation_ends_after_a_week_of_verified_time(database: Database, late_ms: int, counts: bool) -> None:
    with database.writing() as connection:
        code = invite(connection, "wall", JOINED_MS)
        assert (invited_to(connection, code, JOINED_MS + late_ms) is not None) == counts
        assert bool(open_invitations(connection, "wall", JOINED_MS + late_ms)) == counts
        if not counts:
            with pytest.raises(InvitationRefused):
                join(connection, person(connection, "ben"), code, JOINED_MS, JOINED_MS + late_ms)


def test_a_withdrawn_invitation_counts_no_more_and_only_its_own_unit_withdraws_it(database: Database) -> None:
    with database.writing() as connection:
        add_unit(connection, "other", START_MS)
        code = invite(connection, "wall", JOINED_MS)
        number = open_invitations(connection, "wall", JOINED_MS)[0].id
        assert not withdraw_invitation(connection, "other", number)
        assert withdraw_invitation(connection, "wall", number)
        assert not withdraw_invitation(connection, "wall", number)
        assert invited_to(connection, code, JOINED_MS) is None


def test_there_is_a_number_of_invitations_and_of_people(database: Database) -> None:
    with database.writing() as connection:
        codes = [invite(connection, "wall", JOINED_MS) for _ in range(MOST_INVITATIONS)]
        with pytest.raises(InvitationRefused, match="withdraw one first"):
            invite(connection, "wall", JOINED_MS)
        for number, code in enumerate(codes):
            add_person(connection, f"guest {number}", "a hash", Role.DRIVER, START_MS)
            join(connection, person(connection, f"guest {number}"), code, JOINED_MS, JOINED_MS)
        assert len(members_of(connection, "wall")) == MOST_MEMBERS
        with pytest.raises(InvitationRefused, match="remove one first"):
            invite(connection, "wall", JOINED_MS)
        row = {"unit_id": "wall", "code_hash": "x", "expires_ms": NOW_MS}
        connection.execute(insert(member_invitations), row | {"code_hash": hash_of("late")})
        with pytest.raises(InvitationRefused, match="5 people share"):
            join(connection, person(connection, "ben"), "late", JOINED_MS, JOINED_MS)


@pytest.mark.parametrize("name", ["ann", "ben", "installer", "support", "operator"])
def test_whom_an_invitation_is_not_for_leaves_it_unused(database: Database, name: str) -> None:
    """The owner, a member, and a person who is not a driver."""
    with database.writing() as connection:
        let_in(connection, "ben")
        code = invite(connection, "wall", JOINED_MS)
        with pytest.raises(InvitationRefused):
            join(connection, person(connection, name), code, JOINED_MS, JOINED_MS)
        assert join(connection, person(connection, "cat"), code, JOINED_MS, JOINED_MS) == "wall"


# --- what a member sees -----------------------------------------------------------------------------------------------


def test_a_member_sees_what_was_since_they_joined_and_the_owner_all_of_hers(database: Database) -> None:
    with database.writing() as connection:
        say(connection, "session", JOINED_MS - HOUR_MS, y="before")
        say(connection, "heartbeat", JOINED_MS - HOUR_MS, q=9, o="23415", s="A1", w=7000)
        let_in(connection, "ben")
        assert visible_units(connection, person(connection, "ben")) == [seen(connection, "ben")]
        say(connection, "session", JOINED_MS + HOUR_MS, y="since")
        say(connection, "heartbeat", JOINED_MS + HOUR_MS, q=9, o="23415", s="A1")
        assert reasons(connection, "ben") == ["since"]
        assert reasons(connection, "ann") == ["before", "since"]
        unit = seen(connection, "ben")
        assert unit and len(history.signal_raw(connection, unit.period, *ALL_MS)) == 1
        assert end_membership(connection, "wall", person(connection, "ben").id)
        assert not end_membership(connection, "wall", person(connection, "ben").id)
        assert seen(connection, "ben") is None
        say(connection, "session", NOW_MS, y="after")
        let_in(connection, "ben", NOW_MS + HOUR_MS)
        assert reasons(connection, "ben") == [], "nor what was before they came back"


def test_what_the_unit_tells_late_is_a_members_only_if_it_was_since_they_joined(database: Database) -> None:
    """The first owner gets it by its time of receipt, because it can belong to nobody else."""
    with database.writing() as connection:
        let_in(connection, "ben")
        late_ms, before_s, since_s = JOINED_MS + DAY_MS, (JOINED_MS - DAY_MS) // 1000, (JOINED_MS + HOUR_MS) // 1000
        say(connection, "session", late_ms, y="before", t0=before_s, t1=before_s + 60, s=60)
        say(connection, "session", late_ms, y="over the day", t0=before_s, t1=late_ms // 1000)
        say(connection, "session", late_ms, y="by its duration", s=2 * 86_400)
        say(connection, "session", late_ms, y="since", t0=since_s, t1=since_s + 60, s=60)
        say(connection, "session", late_ms, y="no time", s=60)
        say(connection, "event", late_ms, k="fault_raised", t=before_s, d={"fault": "rcd"})
        say(connection, "event", late_ms, k="override", t=since_s)
        assert reasons(connection, "ben") == ["since", "no time"]
        assert len(reasons(connection, "ann")) == 5
        unit = seen(connection, "ben")
        assert unit and [row["kind"] for row in history.unit_events(connection, unit.period, *ALL_MS)] == ["override"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    began_s=st.integers((CLAIMED_MS - DAY_MS) // 1000, NOW_MS // 1000),
    lasted_s=st.integers(0, 5 * 86_400),
    later_s=st.integers(0, 5 * 86_400),
)
def test_no_session_that_began_before_they_joined_is_theirs(
    database: Database, began_s: int, lasted_s: int, later_s: int
) -> None:
    """Whenever the unit reports it. A session that was reported within two seconds of its beginning has our time."""
    with database.writing() as connection:
        if not members_of(connection, "wall"):
            let_in(connection, "ben")
        connection.execute(text("DELETE FROM sessions"))
        told_ms = max(JOINED_MS, (began_s + lasted_s + later_s) * 1000)
        say(connection, "session", told_ms, y="x", t0=began_s, t1=began_s + lasted_s, s=lasted_s)
        is_theirs = (began_s * 1000 if told_ms - began_s * 1000 >= 2000 else told_ms) >= JOINED_MS
        assert bool(reasons(connection, "ben")) == is_theirs
        assert reasons(connection, "ann") == ["x"]


@pytest.mark.parametrize("wrong_ms", [-400 * DAY_MS, -1, 0])
def test_a_clock_that_was_set_back_shows_a_member_nothing_of_before(database: Database, wrong_ms: int) -> None:
    with database.writing() as connection:
        say(connection, "session", JOINED_MS, y="before")
        code = invite(connection, "wall", JOINED_MS)
        join(connection, person(connection, "ben"), code, JOINED_MS + wrong_ms, JOINED_MS)
        say(connection, "session", NOW_MS, y="since")
        assert reasons(connection, "ben") == ["since"]


def test_an_alert_of_what_began_before_they_joined_goes_to_the_owner_alone(database: Database) -> None:
    with database.writing() as connection:
        let_in(connection, "ben")
        ann, ben = person(connection, "ann"), person(connection, "ben")
        for began_ms, said_ms, told in (
            (JOINED_MS + 1, JOINED_MS + 1, True),
            (JOINED_MS + 1, JOINED_MS - 1, False),
            (JOINED_MS - 1, JOINED_MS - 1, False),
        ):
            assert (name_for(connection, ben, "wall", began_ms, said_ms) is not None) == told
            assert name_for(connection, ann, "wall", began_ms, said_ms) == "wall"
        assert name_for(connection, person(connection, "cat"), "wall", NOW_MS, NOW_MS) is None


def alerted(connection: Connection) -> list[str]:
    """Return the names of those who were alerted, in order."""
    found = select(people.c.name).join(alert_wishes, alert_wishes.c.person_id == people.c.id)
    return sorted(connection.execute(found.join(alerts, alerts.c.wish_id == alert_wishes.c.id)).scalars())


@pytest.mark.parametrize("began_ms, names", [(JOINED_MS - HOUR_MS, ["ann"]), (JOINED_MS + HOUR_MS, ["ann", "ben"])])
def test_a_fault_that_is_told_late_is_alerted_to_those_in_whose_time_it_was(
    database: Database, began_ms: int, names: list[str]
) -> None:
    with database.writing() as connection:
        let_in(connection, "ben")
        for name in ("ann", "ben", "cat"):
            add_subscription(
                connection, person(connection, name), AlertKind.FAULT, Via.WEBHOOK, f"https://x.org/{name}"
            )
        say(connection, "event", PARTED_MS, k="fault_raised", t=began_ms // 1000, d={"fault": "rcd"})
        notice(connection, PARTED_MS, no_bad_row)
        assert alerted(connection) == names
        assert len(exported(connection, "ann")["alerts"]) == 1, (
            "what others were told, and whether it arrived, is theirs"
        )
        assert len(exported(connection, "ben")["alerts"]) == names.count("ben")


@pytest.mark.parametrize("hours, names", [(23, ["ann"]), (25, ["ann", "ben"])])
def test_a_weak_day_is_told_to_a_member_once_it_was_a_day_of_theirs(
    database: Database, hours: int, names: list[str]
) -> None:
    with database.writing() as connection:
        let_in(connection, "ben")
        for name in ("ann", "ben"):
            about = AlertKind.WEAK_SIGNAL
            add_subscription(connection, person(connection, name), about, Via.WEBHOOK, f"https://x.org/{name}")
        now_ms = JOINED_MS + hours * HOUR_MS
        row = {"unit_id": "wall", "operator": "23415", "lowest": 5, "highest": 5, "total": 500, "samples": 100}
        insert_new(connection, signal_5min, [row | {"from_ms": now_ms - HOUR_MS}])
        notice_weak_signal(connection, now_ms, no_bad_row)
        assert alerted(connection) == names


def test_hours_that_are_in_force_are_so_for_whoever_joined_since(database: Database) -> None:
    with database.writing() as connection:
        ann = person(connection, "ann").id
        payload = '{"id":"c1","do":"schedule","hours":"off"}'
        add_command(connection, NewCommand("c1", "wall", ann, CLAIMED_MS, NOW_MS, "schedule", payload))
        say(connection, "result", CLAIMED_MS + HOUR_MS, id="c1", ok=True)
        let_in(connection, "ben")
        unit = seen(connection, "ben")
        assert unit and schedule_in_force(connection, unit.period) is None
        assert schedule_in_force(connection, household_period(unit.period)) == "off"


def test_a_members_token_sees_and_does_what_they_may(database: Database) -> None:
    with database.writing() as connection:
        let_in(connection, "ben")
        token = token_for(person(connection, "ben"), frozenset({Scope.READ, Scope.COMMAND}))
        assert visible_unit(connection, token, "wall") == seen(connection, "ben")
        end_membership(connection, "wall", person(connection, "ben").id)
        assert visible_unit(connection, token, "wall") is None


# --- what ends it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["release", "remove", "erase"])
def test_members_and_invitations_end_with_the_ownership(database: Database, how: str) -> None:
    with database.writing() as connection:
        describe_site(connection, "wall", "Ann's garage", "Europe/Madrid")
        let_in(connection, "ben")
        code = invite(connection, "wall", JOINED_MS)
        if how == "release":
            assert release(connection, "wall", now_ms=PARTED_MS)
        else:
            {"remove": remove_person, "erase": personal.erase}[how](connection, person(connection, "ann"))
        assert seen(connection, "ben") is None
        assert invited_to(connection, code, JOINED_MS) is None
        assert connection.execute(select(members)).all() == connection.execute(select(member_invitations)).all() == []
        claim_code = "7K4M-2QXP-9BCD"
        connection.execute(text("UPDATE units SET claim_hash = :hash"), {"hash": hash_of(claim_code)})
        claim(connection, person(connection, "cat"), claim_code, NOW_MS)
        assert members_of(connection, "wall") == [] and seen(connection, "ben") is None


# --- export and erasure -----------------------------------------------------------------------------------------------


def ordered(connection: Connection, number: str, name: str, at_ms: int) -> None:
    add_command(connection, NewCommand(number, "wall", person(connection, name).id, at_ms, NOW_MS, "pause", "{}"))


def test_the_rows_are_the_owners_to_be_handed_out_and_a_members_are_those_that_name_them(database: Database) -> None:
    with database.writing() as connection:
        let_in(connection, "ben")
        say(connection, "session", JOINED_MS + HOUR_MS, y="since")
        say(connection, "heartbeat", JOINED_MS + HOUR_MS, q=9, o="23415", s="A1")
        invite(connection, "wall", JOINED_MS)
        theirs, hers = exported(connection, "ben"), exported(connection, "ann")
        wall = {table for table, rows in theirs.items() if any("wall" in json.dumps(row) for row in rows)}
        assert wall == {"members"}
        assert (
            len(hers["sessions"]) == len(hers["signal"]) == len(hers["members"]) == len(hers["member_invitations"]) == 1
        )
        assert "code_hash" not in hers["member_invitations"][0]


def test_a_member_who_erases_their_account_takes_nothing_of_the_owners(database: Database) -> None:
    with database.writing() as connection:
        let_in(connection, "ben")
        say(connection, "session", JOINED_MS + HOUR_MS, y="since")
        say(connection, "heartbeat", JOINED_MS + HOUR_MS, q=9, o="23415", s="A1")
        ordered(connection, "c1", "ben", JOINED_MS + HOUR_MS)
        ordered(connection, "c2", "ann", JOINED_MS + HOUR_MS)
        before = exported(connection, "ann")
        gone = personal.erase(connection, person(connection, "ben"))
        assert (gone["members"], gone["people"], gone["sessions"], gone["commands"]) == (1, 1, 0, 0)
        ann = person(connection, "ann").id
        by = select(commands.c.id, commands.c.person_id).order_by(commands.c.id)
        assert connection.execute(by).all() == [("c1", None), ("c2", ann)], "it was said to her charger, by nobody now"
        after = exported(connection, "ann")
        assert {table for table in before if before[table] != after[table]} == {"members", "commands"}


def test_an_owner_who_erases_her_account_takes_what_the_unit_told_a_member_too(database: Database) -> None:
    with database.writing() as connection:
        let_in(connection, "ben")
        say(connection, "session", JOINED_MS + HOUR_MS, y="since")
        say(connection, "heartbeat", JOINED_MS + HOUR_MS, q=9, o="23415", s="A1")
        ordered(connection, "c1", "ben", JOINED_MS + HOUR_MS)
        gone = personal.erase(connection, person(connection, "ann"))
        assert (gone["members"], gone["sessions"], gone["commands"]) == (1, 1, 1)
        assert connection.execute(select(signal)).all() == []
        assert person(connection, "ben")


# --- speed ------------------------------------------------------------------------------------------------------------


@pytest.mark.store("sqlite")  # PostgreSQL scans a table of one row, whatever indexes there are
def test_a_drivers_units_are_found_by_index(database: Database) -> None:
    """A scan of 100,000 units would take all the time that a page may take."""
    with database.reading() as connection:
        ben = person(connection, "ben")
        plans: list[str] = []

        def explained(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            cursor = connection.connection.cursor()
            plans.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())

        event.listen(connection, "before_cursor_execute", explained)
        visible_units(connection, ben)
        visible_unit(connection, ben, "wall")
    assert plans
    assert [line for line in plans if line.startswith("SCAN")] == [], plans
