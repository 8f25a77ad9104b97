"""Does every row belong to a person for the time of their ownership, with any clock, and has every reader its rule?"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text

from cloud_bridge.durations import DAY_MS, HOUR_MS
from cloud_bridge.store import history, personal
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.claims import claim, release
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.ownership import HAPPENED
from cloud_bridge.store.people import add_person, find_person, remove_person
from cloud_bridge.store.record import record
from cloud_bridge.store.sites import Tariff, describe_site, set_tariff, tariff_of
from cloud_bridge.store.tables import (
    contact_gaps,
    conversations,
    jobs,
    messages,
    metadata,
    ownerships,
    signal,
    units,
)
from cloud_bridge.store.units import Unit, add_unit, visible_unit
from cloud_bridge.store.upsert import insert_new
from cloud_bridge.wire import EARLIEST_S, LATEST_S
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.recording import inbound
from tests.cloud_bridge.running import START_MS, store_at

ROOT = Path(__file__).parents[3]
CLAIMED_MS, SOLD_MS, BOUGHT_MS, NOW_MS = (START_MS + days * DAY_MS for days in (1, 10, 11, 20))
ALL_MS = (0, NOW_MS + 1000 * DAY_MS)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """The unit `wall`, added at START_MS, without an owner; ann, ben, and one person of each other role."""
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        for role in Role:
            add_person(connection, role.value, "a hash", role, START_MS)
        for name in ("ann", "ben"):
            add_person(connection, name, "a hash", Role.DRIVER, START_MS)
        code = add_unit(connection, "wall", START_MS).claim_code
        connection.execute(text("CREATE TABLE codes (code VARCHAR(20))"))
        connection.execute(text("INSERT INTO codes VALUES (:code)"), {"code": code})
    yield database
    database.close()


def person(connection: Connection, name: str) -> Person:
    return find_person(connection, name)


def give(connection: Connection, name: str, at_ms: int) -> None:
    claim(connection, person(connection, name), connection.execute(text("SELECT code FROM codes")).scalar_one(), at_ms)


def take(connection: Connection, at_ms: int) -> None:
    assert release(connection, "wall", now_ms=at_ms)


def say(connection: Connection, kind: str, at_ms: int, **said: Any) -> None:
    """Store a message of the unit that is received at that time."""
    record(connection, [inbound("wall", at_ms, kind=kind, payload=json.dumps(said, separators=(",", ":")).encode())])


def sold(connection: Connection) -> None:
    """Let ann own it from CLAIMED_MS to SOLD_MS, and ben since BOUGHT_MS."""
    give(connection, "ann", CLAIMED_MS)
    take(connection, SOLD_MS)
    give(connection, "ben", BOUGHT_MS)


def seen(connection: Connection, name: str) -> Unit:
    asker = person(connection, name)
    unit = visible_unit(connection, asker, "wall")
    if unit is None:  # for this question, an installer without work there sees it too
        assert asker.role is Role.INSTALLER
        connection.execute(
            text("INSERT INTO unit_installers (unit_id, person_id, since_ms) VALUES ('wall', :id, 0)"), {"id": asker.id}
        )
        unit = visible_unit(connection, asker, "wall")
    assert unit is not None
    return unit


def reasons(connection: Connection, name: str) -> list[str]:
    """Return the reasons of the sessions that a person is shown."""
    period = seen(connection, name).period
    return [row["reason"] for row in history.unit_sessions(connection, period, *ALL_MS)]


def kinds(connection: Connection, name: str) -> list[str]:
    period = seen(connection, name).period
    return [row["kind"] for row in history.unit_events(connection, period, *ALL_MS)]


def exported(connection: Connection, name: str, table: str, column: str) -> list[Any]:
    return [row[column] for row in personal.export(connection, person(connection, name))[table]]


# --- what each asker sees ---------------------------------------------------------------------------------------------


def test_sessions_are_the_owners_of_then_and_evidence_is_the_installers(database: Database) -> None:
    with database.writing() as connection:
        for at_ms, name in ((START_MS, "nobody"), (CLAIMED_MS, "ann"), (SOLD_MS, "gap"), (BOUGHT_MS, "ben")):
            if name == "gap":
                take(connection, at_ms)
            elif name != "nobody":
                give(connection, name, at_ms)
            say(connection, "session", at_ms + HOUR_MS, y=name)
            say(connection, "event", at_ms + HOUR_MS, k="override", d={"refused": name})
            say(connection, "event", at_ms + HOUR_MS, k="network", d={"do": "move", "why": name})
        everything = ["nobody", "ann", "gap", "ben"]
        assert reasons(connection, "ben") == ["ben"]
        assert reasons(connection, "installer") == reasons(connection, "support") == ["ben"]
        assert reasons(connection, "operator") == everything
        assert kinds(connection, "ben") == ["override", "network"]
        assert kinds(connection, "support") == ["network"] * 3 + ["override", "network"]
        assert kinds(connection, "operator") == ["override", "network"] * 4
        assert exported(connection, "ann", "sessions", "reason") == ["ann"]
        assert exported(connection, "ben", "sessions", "reason") == ["ben"]


def test_a_silence_and_a_signal_of_before_are_evidence_and_not_the_new_owners(database: Database) -> None:
    with database.writing() as connection:
        sold(connection)
        for at_ms in (SOLD_MS - HOUR_MS, BOUGHT_MS + HOUR_MS):
            row = {"unit_id": "wall", "received_ms": at_ms, "csq": 9, "operator": "23415"}
            insert_new(connection, signal, [row])
        gap = {"unit_id": "wall", "from_ms": SOLD_MS - DAY_MS, "to_ms": BOUGHT_MS + HOUR_MS}
        connection.execute(insert(contact_gaps), gap)
        ben, support = seen(connection, "ben").period, seen(connection, "support").period
        assert history.unit_gaps(connection, ben, *ALL_MS) == [(BOUGHT_MS, BOUGHT_MS + HOUR_MS)]
        assert history.unit_gaps(connection, support, *ALL_MS) == [(SOLD_MS - DAY_MS, BOUGHT_MS + HOUR_MS)]
        assert len(history.signal_raw(connection, ben, *ALL_MS)) == 1
        assert len(history.signal_raw(connection, support, *ALL_MS)) == 2


def test_what_the_unit_kept_and_delivers_late_belongs_to_whom_it_tells_of(database: Database) -> None:
    with database.writing() as connection:
        sold(connection)
        began_s, late_ms = (SOLD_MS - HOUR_MS) // 1000, BOUGHT_MS + HOUR_MS
        say(connection, "session", late_ms, y="by its beginning", t0=began_s, t1=late_ms // 1000)
        say(connection, "session", late_ms, y="by its end and duration", t1=began_s + 60, s=60)
        say(connection, "session", late_ms, y="by its duration", s=(late_ms - SOLD_MS + HOUR_MS) // 1000)
        say(connection, "event", late_ms, k="override", t=began_s)
        assert reasons(connection, "ben") == kinds(connection, "ben") == []
        assert len(exported(connection, "ann", "sessions", "reason")) == 3
        assert exported(connection, "ann", "events", "kind") == ["override"]
        assert exported(connection, "ben", "sessions", "reason") == []


def test_what_began_before_the_first_claim_is_theirs_in_whose_time_it_ended(
    database: Database,
) -> None:
    """No known person can have a better claim. What arrives late then belongs to nobody."""
    early_s = CLAIMED_MS // 1000 - 3600
    with database.writing() as connection:
        give(connection, "ann", CLAIMED_MS)
        say(connection, "session", CLAIMED_MS + HOUR_MS, y="ann", t0=early_s, t1=early_s + 60)
        assert reasons(connection, "ann") == ["ann"], "she is the first"
        take(connection, SOLD_MS)
        give(connection, "ben", BOUGHT_MS)
        now_s = BOUGHT_MS // 1000 + 60
        say(connection, "session", now_s * 1000, y="ended", t0=early_s, t1=now_s)
        say(connection, "session", now_s * 1000 + 1, y="late", t0=early_s, t1=BOUGHT_MS // 1000 - 2)
        say(connection, "event", BOUGHT_MS + 900, k="in the second of the claim", t=(BOUGHT_MS + 900) // 1000)
        assert reasons(connection, "ben") == ["ended"]
        assert kinds(connection, "ben") == ["in the second of the claim"]
        assert exported(connection, "ann", "sessions", "reason") == ["ann"]
        personal.erase(connection, person(connection, "ann"))
        say(connection, "session", NOW_MS, y="hers, after she is gone", t0=(SOLD_MS - HOUR_MS) // 1000)
        assert reasons(connection, "ben") == ["ended"]


@pytest.mark.parametrize("unit_s", [EARLIEST_S, START_MS // 1000 - 31 * 86_400, NOW_MS // 1000, LATEST_S])
def test_a_unit_time_that_cannot_be_is_not_believed(database: Database, unit_s: int) -> None:
    """Long before the unit was added, or after its receipt: the time of receipt counts."""
    with database.writing() as connection:
        sold(connection)
        say(connection, "session", BOUGHT_MS + HOUR_MS, y="ben", t0=unit_s, t1=unit_s, s=2**53 - 1)
        assert reasons(connection, "ben") == ["ben"]
        assert exported(connection, "ann", "sessions", "reason") == []


@pytest.mark.parametrize("wrong_ms", [-400 * DAY_MS, -12 * HOUR_MS, -1, 0])
def test_a_clock_that_was_set_back_gives_the_new_owner_nothing_of_the_old_one(
    database: Database, wrong_ms: int
) -> None:
    with database.writing() as connection:
        give(connection, "ann", CLAIMED_MS)
        say(connection, "session", SOLD_MS, y="ann")
        take(connection, SOLD_MS + wrong_ms)
        give(connection, "ben", SOLD_MS + wrong_ms)
        say(connection, "session", BOUGHT_MS, y="ben")
        assert reasons(connection, "ben") == ["ben"]
        assert exported(connection, "ann", "sessions", "reason") == ["ann"]
        periods = connection.execute(select(ownerships).order_by(ownerships.c.id)).all()
    assert periods[0].until_ms <= periods[1].from_ms


def test_after_a_clock_was_set_back_the_former_owner_gets_and_erases_nothing_of_the_new_one(database: Database) -> None:
    """Ann's time ends after her last row, which was stamped by a clock ten days ahead. Ben's rows of those days are his."""
    with database.writing() as connection:
        give(connection, "ann", CLAIMED_MS)
        say(connection, "session", NOW_MS, y="ann")
        take(connection, SOLD_MS)
        give(connection, "ben", SOLD_MS)
        say(connection, "session", BOUGHT_MS, y="ben")
        say(connection, "event", BOUGHT_MS, k="ben")
        assert exported(connection, "ann", "sessions", "reason") == ["ann"]
        assert exported(connection, "ann", "events", "kind") == []
        personal.erase(connection, person(connection, "ann"))
        assert reasons(connection, "operator") == ["ben"]
        assert kinds(connection, "operator") == ["ben"]


def test_after_a_clock_was_set_back_into_the_time_of_the_former_owner_nothing_new_is_hers(database: Database) -> None:
    """Ann's time was ended by a correct clock, which is then set back into it. What the unit stored and reports late is
    still hers."""
    with database.writing() as connection:
        give(connection, "ann", CLAIMED_MS)
        say(connection, "session", CLAIMED_MS + HOUR_MS, y="ann")
        say(connection, "heartbeat", CLAIMED_MS + HOUR_MS, q=9, s="A1")
        take(connection, SOLD_MS)
        assert len(exported(connection, "ann", "heartbeats", "payload")) == 1
        say(connection, "session", CLAIMED_MS + 2 * HOUR_MS, y="nobody")
        say(connection, "event", CLAIMED_MS + 2 * HOUR_MS, k="nobody")
        say(connection, "heartbeat", CLAIMED_MS + 2 * HOUR_MS, q=9, s="C2")
        began_s = (CLAIMED_MS + HOUR_MS) // 1000
        say(connection, "session", SOLD_MS + HOUR_MS, y="late", t0=began_s, t1=began_s + 60, s=60)
        assert exported(connection, "ann", "sessions", "reason") == ["ann", "late"]
        assert exported(connection, "ann", "events", "kind") == []
        assert exported(connection, "ann", "heartbeats", "payload") == []
        assert exported(connection, "ann", "contacts", "last_kind") == []
        personal.erase(connection, person(connection, "ann"))
        assert reasons(connection, "operator") == ["nobody"]
        assert kinds(connection, "operator") == ["nobody"]


# --- release, removal, erasure ----------------------------------------------------------------------------------------


def test_name_zone_and_tariff_go_with_the_owner(database: Database) -> None:
    with database.writing() as connection:
        give(connection, "ann", CLAIMED_MS)
        describe_site(connection, "wall", "Ann's garage", "Europe/Madrid")
        set_tariff(connection, "wall", Tariff(2500))
        take(connection, SOLD_MS)
        give(connection, "ben", BOUGHT_MS)
        unit = seen(connection, "ben")
        assert (unit.name, unit.time_zone, tariff_of(connection, "wall")) == ("", "Europe/London", None)


@pytest.mark.parametrize("how", [remove_person, personal.erase])
def test_the_unit_of_a_person_who_goes_is_the_next_ones_from_the_claim_on(database: Database, how: Any) -> None:
    with database.writing() as connection:
        give(connection, "ann", CLAIMED_MS)
        describe_site(connection, "wall", "Ann's garage", "Europe/Madrid")
        say(connection, "session", CLAIMED_MS + HOUR_MS, y="ann")
        how(connection, person(connection, "ann"))
        assert reasons(connection, "support") == []
        give(connection, "ben", CLAIMED_MS + HOUR_MS)
        say(connection, "session", BOUGHT_MS, y="ben")
        assert reasons(connection, "ben") == ["ben"]
        assert seen(connection, "ben").name == ""
        assert len(connection.execute(select(ownerships)).all()) == 1


def test_a_former_owner_erases_hers_and_nothing_of_the_present_one(database: Database) -> None:
    with database.writing() as connection:
        for at_ms, name in ((CLAIMED_MS, "ann"), (BOUGHT_MS, "ben")):
            if name == "ben":
                take(connection, SOLD_MS)
            give(connection, name, at_ms)
            say(connection, "session", at_ms + HOUR_MS, y=name)
            say(connection, "event", at_ms + HOUR_MS, k=name)
            row = {"person_id": person(connection, name).id, "unit_id": "wall", "opened_ms": at_ms, "newest_ms": at_ms}
            made = connection.execute(insert(conversations).returning(conversations.c.id), row | {"waiting": False})
            words = {"conversation_id": made.scalar_one(), "sent_ms": at_ms, "text": name, "once": name}
            support = person(connection, "support").id
            connection.execute(insert(messages), words | {"author_id": support, "from_support": True})
        assert exported(connection, "ann", "messages", "text") == ["ann"], "answers of support too"
        assert exported(connection, "ben", "messages", "text") == ["ben"], "and nothing of hers"
        gone = personal.erase(connection, person(connection, "ann"))
        assert (gone["sessions"], gone["events"], gone["messages"], gone["ownerships"]) == (1, 1, 1, 1)
        assert reasons(connection, "operator") == reasons(connection, "ben") == ["ben"]
        assert connection.execute(select(units.c.owner_id)).scalar() == person(connection, "ben").id


@pytest.mark.parametrize("is_open", [True, False])
def test_evidence_outlives_an_erasure_while_a_job_needs_it_and_without_words(database: Database, is_open: bool) -> None:
    with database.writing() as connection:
        give(connection, "ann", CLAIMED_MS)
        row = {"unit_id": "wall", "raised_ms": CLAIMED_MS + HOUR_MS, "reason": "Ann says it drops out", "once": "x"}
        closed = {"closed_ms": None if is_open else SOLD_MS}
        connection.execute(insert(jobs), row | closed | {"report": "of Ann's garage", "report_name": "ann.txt"})
        say(connection, "heartbeat", CLAIMED_MS + HOUR_MS, q=9, o="23415")
        take(connection, SOLD_MS)
        give(connection, "ben", BOUGHT_MS)
        personal.erase(connection, person(connection, "ann"))
        kept = [(job.reason, job.report, job.report_name) for job in connection.execute(select(jobs))]
        assert kept == ([("", None, None)] if is_open else [])
        assert len(connection.execute(select(signal)).all()) == is_open


def test_what_was_erased_may_be_scrubbed_from_either_database(database: Database) -> None:
    with database.writing() as connection:
        sold(connection)
        gone = personal.erase(connection, person(connection, "ann"))
    database.scrub(table for table, rows in gone.items() if rows)
    with database.reading() as connection:
        assert seen(connection, "ben").owner_id == person(connection, "ben").id


# --- every table and every reader has a rule --------------------------------------------------------------------------


def test_every_table_has_a_rule_of_whose_its_rows_are() -> None:
    assert set(personal.RULES) == set(metadata.tables.values()), "say in RULES whose the rows of a new table are"
    for table in metadata.tables.values():
        if "unit_id" in table.columns and table not in HAPPENED:
            assert table.name in WITHOUT_TIME, f"say in HAPPENED when a row of {table.name} happened"


WITHOUT_TIME = {
    "ownerships": "the periods themselves",
    "unit_installers": "who has work there now",
    "ready_plans": "of the present owner or a member; deleted when they leave and when the unit is released",
    "tariffs": "of the present owner; deleted when the unit is released",
    "conversations": "they name their person",
    "members": "who uses it now; deleted when they leave and when the unit is released",
    "member_invitations": "of the present owner; deleted when the unit is released",
    "northbound": "of the present owner; deleted when the unit is released",
    "presence": "of this moment",
    "over_quota": "of the last hour, a fact of the charge point",
    "commissionings": "of the circuit that it is on, a fact of the charge point",
    "ocpp_lines": "of this moment, a fact of the charge point",
    "ocpp_settings": "of this moment, facts of the charge point",
    "roll_out_units": "of its firmware, a fact of the charge point",
    "update_bytes": "of its firmware, a fact of the charge point",
}

READS_ALL = {  # functions that read rows of any time, and why they may
    "store.duplicates:forget_duplicate": "writes",
    "store.duplicates:in_force": "numbers and the list for the operator and support",
    "store.duplicates:record_duplicates": "writes",
    "store.firmware:_last": "modem and contactor are facts of the charge point",
    "store.gaps:locked_last_contacts": "writes",
    "store.gaps:paths_before": "the path of contacts, while gaps are written",
    "store.gaps:record_gaps": "writes",
    "store.fleet:_rows": "contact, and the newest heartbeat, which view.charge_point restricts",
    "store.fleet:page_of": "contact, of those that _rows joins",
    "store.page_versions:_units": "only whether they have changed; what is shown is read by visible_unit",
    "store.fleet:_silent_by_minute": "contact",
    "store.fleet:silent_by_minute": "contact",
    "store.fleet:silent_by_site": "contact",
    "store.paths:adopt_strays": "writes",
    "store.ready_plans:_drop_unsent": "writes",
    "store.ready_plans:due_plans": "contact and the newest heartbeat, for plans that end with their person's sight",
    "store.record:adopt": "writes",
    "store.record:reject": "writes",
    "store.record:_add_contacts": "writes",
    "store.record:_newest_heartbeats": "writes",
    "store.record:_new_signal": "writes",
    "store.record:_new_power": "writes",
    "store.report_readers:untold_reports": "of the alerts of one subscription",
    "store.roll_out_health:_count": "numbers for the operator",
    "store.roll_out_health:_fell_silent": "numbers for the operator",
    "store.roll_out_health:_has_lost": "numbers for the operator",
    "store.roll_out_health:_is_reset_between": "numbers for the operator",
    "store.roll_out_orders:due": "contact, of those to whom an order is sent",
    "store.roll_out_start:_count": "contact, and no more than whether it was lately",
    "store.roll_out_start:_first": "contact, and no more than whether it was lately",
    "store.roll_out_start:_is_chosen": "the network, to choose by it",
    "store.roll_out_start:_is_heard": "contact, and no more than whether it was lately",
    "store.transitions:_locked": "locks what its callers write",
    "store.transitions:_overdue": "contact",
    "store.transitions:_back": "contact",
    "store.transitions:mark_silent": "contact",
    "store.transitions:mark_back": "contact",
    "store.transitions:_noted": "contact",
    "store.troubles:heartbeats_with_trouble": "store.alerts.name_for asks for each person",
    "store.troubles:count_troubled": "numbers for the operator",
    "store.unit_clock:unit_clock": "the time that the charge point has, for the end of a command",
    "store.units:listed": "contact, for the operator at the command line",
    "store.units:newest_heartbeat": "its own door, for which it goes on",
    "store.unsettled:settle": "writes",
    "store.unsettled:unsettled_sessions": "writes beside each session what was found of it",
    "store.units:_units": "contact, and the newest heartbeat, which view.charge_point restricts",
    "store.signal_averages:_make_hours": "makes signal_hourly",
    "store.signal_averages:next_hour": "makes signal_hourly",
    "store.signal_averages:roll_up_signal": "makes signal_5min",
    "store.signal_averages:units_averaged": "makes signal_hourly",
    "store.signal_averages:units_read": "makes signal_5min",
    "store.upkeep:five_minutes_since": "its name",
    "store.upkeep:may_go_until": "their names",
    "store.northbound:_untold": "of the present owner, who has agreed to it",
    "store.northbound:newest_end_ms": "a time before which the session that goes on did not begin",
    "store.northbound:show": "the number of the newest session, to tell none that was before",
    "store.northbound:shown_units": "of the present owner, who has agreed to it; contact",
    "store.ocpp_frames:record_frames": "their numbers, while it writes",
    "store.personal:erase": "the person's own, by RULES",
    "store.personal:_commanded": "a condition of RULES",
    "store.alerts:_alerted": "of the alerts of one subscription",
    "store.alerts:_newest_id": "of the alerts of one subscription",
    "store.alerts:details_between": "of the alerts of one subscription",
    "store.alerts:next_due": "each alert goes to the person who wished for it, and was made for what they may see",
    "store.alerts:fault_changes": "name_for asks for each person",
    "store.alerts:hold_downs": "of alerts; name_for asks for each person",
    "store.alerts:newest_alert_id": "of the alerts of one subscription",
    "store.alerts:newest_alert_id_of_person": "of the alerts of one person",
    "store.alerts:newest_heartbeat": "name_for asks for each person",
    "store.alerts:claim_alert": "updates an alert of the person whom it goes to",
    "store.alerts:hold_back": "of the alerts of one subscription",
    "store.alerts:newest_outcomes": "of the alerts of one person",
    "store.alerts:waiting_by_person": "numbers of alerts",
    "store.alerts:queue": "writes",
    "store.alerts:record_outcome": "updates an alert of the person whom it goes to",
    "store.alerts:silent_since": "name_for asks for each person",
    "store.alerts:take_duplicates": "name_for asks for each person",
    "store.alerts:take_events": "name_for asks for each person",
    "store.alerts:take_transitions": "name_for asks for each person",
    "store.alerts:units_silent_between": "a number for the operator",
    "store.alerts:weak_signals": "is_owners: of the present time of ownership",
    "store.authorities:_refusal": "why a unit refused an order of the operator's",
    "store.authorities:lacking": "whom the bridge sends an order",
    "store.commands:_commands": "newest_command restricts it",
    "store.commands:_newest": "its callers restrict it",
    "store.commands:add_command": "writes",
    "store.commands:mark_sent": "writes",
    "store.commands:newest_commissioning": "of the installer who has ordered it",
    "store.idle_vehicles:idle_vehicles": "store.alerts.name_for asks for each person",
    "store.idle_vehicles:owners_power": "is_owners: of the present time of ownership",
    "store.alerts:take_job_moves": "of the job's own installer and the unit's owner; name_for asks for each person",
    "store.job_customers:_shown": "a condition: of the present owner alone",
    "store.job_customers:customers": "_shown: of the present owner alone",
    "store.job_customers:forget_customers": "writes",
    "store.job_photos:_photos": "of the present owner's time: to them, the open job's installer, support",
    "store.job_photos:_shown": "a condition: what _photos restricts",
    "store.job_photos:add_photo": "writes",
    "store.job_photos:forget_photos": "writes",
    "store.job_moves:_change_open": "writes",
    "store.job_moves:give_back_open": "writes",
    "store.job_moves:move_job": "writes",
    "store.job_moves:reassign_open": "writes",
    "store.jobs:_cancel_former": "writes",
    "store.jobs:_open_ids": "of the present time of ownership, for support",
    "store.jobs:job_of_owner": "of the present owner's own time",
    "store.jobs:open_job": "of the present time of ownership, for support",
    "store.jobs:_jobs": "for support and the job's installer",
    "store.jobs:_visible": "for support and the job's installer",
    "store.jobs:attach_report": "writes",
    "store.jobs:find_job": "for support and the job's installer",
    "store.jobs:jobs_of": "for support and the job's installer; no driver sees a job",
    "store.jobs:raise_job": "the open job of the unit, for support",
    "store.record:record_clock_set": "writes",
    "store.units:count_silent": "a number for the operator",
    "store.upkeep:told_the_time": "which units have their time from us",
}


def readers() -> Iterator[tuple[str, bool]]:
    """Return every function that uses a table of HAPPENED, and whether it gets a Period, or an Extent with its condition,
    in a statement that is built once."""
    tables = {table.name for table in HAPPENED}
    for path in sorted((ROOT / "cloud_bridge").rglob("*.py")):
        if "node_modules" in path.parts or "versions" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        names = {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module == "cloud_bridge.store.tables"
            for alias in node.names
            if alias.name in tables
        }
        module = ".".join(path.relative_to(ROOT / "cloud_bridge").with_suffix("").parts)
        for outer in tree.body:
            inner = outer.body if isinstance(outer, ast.ClassDef) else [outer]
            for node in inner:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} & names
                    within = f"{outer.name}." if isinstance(outer, ast.ClassDef) else ""
                    given = {ast.unparse(one.annotation or ast.Name("")) for one in node.args.args}
                    restricts = any(isinstance(one, ast.Name) and one.id == "within_any" for one in ast.walk(node))
                    if used:
                        yield f"{module}:{within}{node.name}", "Period" in given or ("Extent" in given and restricts)


def test_every_reader_takes_a_period_or_says_why_not() -> None:
    found = dict(readers())
    assert len(found) > 30
    free = {name for name, takes_period in found.items() if not takes_period}
    restricting = {name for name in free if name.startswith("store.ownership:")}  # it builds the conditions
    assert free - restricting - set(READS_ALL) == set(), "a reader of rows takes a Period: store/ownership.py"
    assert set(READS_ALL) - free == set(), "it reads none of those tables any more"


# --- the migration ----------------------------------------------------------------------------------------------------


def test_what_is_known_of_ownership_today_is_kept(tmp_path: Path) -> None:
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0011")
    with before.writing() as connection:
        person_row = {"name": "ann", "password_hash": "x", "role": "driver", "created_ms": 0}
        columns = ", ".join(person_row)
        values = ", ".join(f":{name}" for name in person_row)
        connection.execute(text(f"INSERT INTO people ({columns}) VALUES ({values})"), person_row)
        for number, (owner, claimed_ms) in enumerate(((1, CLAIMED_MS), (1, None), (None, None))):
            row = {"id": f"u{number}", "owner": owner, "claimed": claimed_ms, "created": START_MS}
            connection.execute(
                text(
                    "INSERT INTO units (id, secret_hash, claim_hash, owner_id, created_ms, claimed_ms) "
                    "VALUES (:id, 'x', :id, :owner, :created, :claimed)"
                ),
                row,
            )
    before.close()
    now = open_database(where)
    with now.reading() as connection:
        kept = connection.execute(select(ownerships.c.unit_id, ownerships.c.from_ms, ownerships.c.until_ms)).all()
        since = dict(tuple(row) for row in connection.execute(select(units.c.id, units.c.owned_from_ms)))
    assert sorted(kept) == [("u0", CLAIMED_MS, None), ("u1", START_MS, None)]
    assert since == {"u0": CLAIMED_MS, "u1": START_MS, "u2": 0}
    now.close()
