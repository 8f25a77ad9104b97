"""Are erased data gone from the files while the bridge runs? The test searches the raw bytes, not the tables."""

import random
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from cloud_bridge import command_line
from cloud_bridge.durations import DAY_MS
from cloud_bridge.errors import StoreUnusable
from cloud_bridge.store import database as store
from cloud_bridge.store.access import Role, Scope
from cloud_bridge.store.database import FILE_NAME, open_database
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.subscriptions import Via
from cloud_bridge.store.tables import alerts, heartbeats, people, rejected_messages, units, web_sessions
from cloud_bridge.store.tokens import add_token
from cloud_bridge.store.units import change_secret
from tests.cloud_bridge.people import PASSWORD, Visitor, give
from tests.cloud_bridge.running import DEADLINE_S, Bridge, Unit, store_at

pytestmark = pytest.mark.store("sqlite")  # PostgreSQL: test_personal.py
SEED = random.randrange(10**6)


def left_in(files: Iterable[Path], traces: Iterable[str]) -> list[str]:
    raw = b"".join(file.read_bytes() for file in files)
    return [trace for trace in traces if trace.encode() in raw]


def files_of(folder: Path) -> list[Path]:
    found = sorted(folder.glob(f"{FILE_NAME}*"))
    assert {file.name for file in found} >= {FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"}, "the bridge runs"
    return found


def live(bridge: Bridge, name: str) -> list[str]:
    """Add a driver with all possible data. Return the texts that must not be found afterwards."""
    traces = {
        part: f"{name}-{part}-7f3a9" for part in ("name", "mail", "phone", "push", "text", "unit", "why", "token")
    }
    new = bridge.add_unit(f"of-{name}")
    visitor = Visitor(bridge, traces["name"], Role.DRIVER)
    give(bridge, new.claim_code, traces["name"])
    with bridge.app_state.database.writing() as connection:
        person = find_person(connection, traces["name"])
        connection.execute(update(people).where(people.c.id == person.id).values(email=f"{traces['mail']}@example.org"))
        add_token(connection, 0, [Scope.READ], traces["token"], person.id)
        query = select(web_sessions.c.token_hash).where(web_sessions.c.person_id == person.id)
        secrets = list(connection.execute(query).scalars())
        secrets += list(connection.execute(select(people.c.password_hash).where(people.c.id == person.id)).scalars())
    traces["phone"] = f"+44 161 {len(name)}739 {sum(name.encode()):04d}"
    traces |= {part: f"{name}-{part}-7f3a9" for part in ("address", "notes")}
    details = {"phone": traces["phone"], "address": traces["address"], "access_notes": traces["notes"]}
    assert visitor.post("/account/details", full_name=traces["name"], **details).status_code == 200
    visitor.post("/account/notifications", about="fault", via=Via.WEBHOOK, target=f"https://{traces['push']}.example/")
    visitor.post(f"/account/units/of-{name}", name=traces["unit"], time_zone="Europe/London", rate="25")
    visitor.post(f"/charge-points/of-{name}/support", text=traces["text"])
    unit = Unit(bridge, new.id, new.secret).connect()
    unit.publish(f"cp/{new.id}/heartbeat", b'{"s":"C2","y":"%s"}' % traces["why"].encode())
    unit.publish(f"cp/{new.id}/session", b'{"n":1,"b":1,"y":"%s"}' % traces["why"].encode())
    unit.publish(f"cp/{new.id}/event", b'{"n":2,"b":1,"k":"fault_raised","d":{"fault":"%s"}}' % traces["why"].encode())
    return [*traces.values(), *secrets]


def crowd(bridge: Bridge, phase: str, count: int = 300) -> None:
    """Add enough people for pages of tables and indexes to be split many times."""
    some = random.Random(f"{phase} {SEED}")
    rows = [
        {"name": f"{some.getrandbits(40):x}", "password_hash": "x" * some.randrange(20, 200), "role": "driver"}
        for _ in range(count)
    ]
    with bridge.app_state.database.writing() as connection:
        for row in rows:
            connection.execute(insert(people), row | {"created_ms": 0, "email": f"{row['name']}@example.org"})


def test_after_an_erasure_on_the_pages_the_files_have_nothing_of_her(bridge: Bridge, tmp_path: Path) -> None:
    print(f"seed {SEED}")
    crowd(bridge, "before")
    traces = live(bridge, "ann")
    others = live(bridge, "ben")
    crowd(bridge, "after")
    folder = bridge.app_state.settings.folder
    assert left_in(files_of(folder), traces) == traces, "they were there"
    bridge.clock.advance(DAY_MS)
    ann = Visitor(bridge, traces[0])
    ann.post("/account/data/erase", "/account/data", password=PASSWORD)
    assert left_in(files_of(folder), traces) == []
    assert left_in(files_of(folder), others) == others, "and nobody else"


def test_after_an_erasure_beside_the_running_bridge_neither_files_nor_backups_have_anything(
    bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = live(bridge, "ann")
    folder = bridge.app_state.settings.folder
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(folder))
    assert command_line.main(["data", "erase", traces[0]]) == 0
    assert command_line.main(["data", "backup", str(tmp_path / "copy.db")]) == 0
    assert left_in([*files_of(folder), tmp_path / "copy.db"], traces) == []


def test_deleting_alone_leaves_traces_and_a_scrub_none(tmp_path: Path) -> None:
    """This is why an erasure rewrites the file: SQLite overwrites what it deletes, but not what it moved before."""
    some = random.Random(2)
    database = open_database(store_at(tmp_path))
    names = [f"{some.getrandbits(40):010x}" for _ in range(3000)]
    for number, name in enumerate(names):
        with database.writing() as connection:
            add_person(connection, name, "x" * some.randrange(9, 90), Role.DRIVER, 0, f"{name}@example.org")
            if number % 10 == 0:
                connection.execute(update(people).where(people.c.name == name).values(password_hash="y" * 150))
    dead = some.sample(names, 1000)
    with database.writing() as connection:
        connection.execute(delete(people).where(people.c.name.in_(dead)))
    database.empty_log()
    before = left_in(tmp_path.glob(f"{FILE_NAME}*"), dead)
    database.scrub()
    assert left_in(tmp_path.glob(f"{FILE_NAME}*"), dead) == []
    print(f"{len(before)} of {len(dead)} were left before it")
    database.close()


def test_what_was_replaced_or_outlived_is_gone_within_the_hour(bridge: Bridge) -> None:
    """A unit's old secret, an overwritten heartbeat, and data with a retention time."""
    new = bridge.add_unit("home-1")
    unit = Unit(bridge, "home-1", new.secret).connect()
    unit.publish("cp/home-1/heartbeat", b'{"s":"A1","y":"the first word"}')
    unit.publish("cp/home-1/heartbeat", b'{"s":"A1","y":"a second one"}')
    database, now_ms = bridge.app_state.database, bridge.clock.now_ms()
    with database.writing() as connection:
        old = connection.execute(select(units.c.secret_hash, units.c.broker_hash)).one()
        change_secret(connection, "home-1", now_ms)
        aside = {"unit_id": "home-1", "kind": "event", "payload": b"what was refused", "reason": ""}
        connection.execute(insert(rejected_messages), aside | {"received_ms": now_ms - 91 * DAY_MS})
        assert connection.execute(select(heartbeats.c.payload)).scalar_one().count("second")
        assert connection.execute(select(alerts)).all() == []
    traces = [*old, "the first word", "what was refused"]
    folder = bridge.app_state.settings.folder
    assert left_in(files_of(folder), traces) == traces
    bridge.app_state.upkeep.forget()
    assert left_in(files_of(folder), traces) == []
    assert left_in(files_of(folder), ["a second one"])


def test_a_database_that_others_keep_busy_is_said_and_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SCRUB_WITHIN_S", 0.0)
    monkeypatch.setattr(store, "BUSY_MS", 10)
    database = open_database(store_at(tmp_path))
    other = database.separate(1)
    with other.reading() as reader:
        reader.execute(select(people)).all()
        with database.writing() as connection:
            add_person(connection, "ann", "a hash", Role.DRIVER, 0)
        with pytest.raises(StoreUnusable, match="data scrub"):
            database.empty_log()
    database.scrub()
    other.close()
    database.close()


def test_who_reads_a_large_table_while_the_log_is_emptied_keeps_no_writer_waiting(tmp_path: Path) -> None:
    """The log was once emptied in a writer's turn, which lasted as long as the reader: seconds after a start."""
    database, other = open_database(tmp_path), open_database(tmp_path)
    queue = database._writer_queue
    assert queue is not None
    queue._within_s = 4.0  # less than SQLite's own timeout (BUSY_MS)
    emptying = threading.Thread(target=database.empty_log)
    with other.reading() as reader:
        reader.execute(select(people)).all()
        with database.writing() as connection:
            add_person(connection, "ann", "a hash", Role.DRIVER, 0)
        emptying.start()
        for number in range(20):
            with database.writing() as connection:
                add_person(connection, f"ann {number}", "a hash", Role.DRIVER, 0)
            emptying.join(0.02)
        assert emptying.is_alive(), "the reader keeps it from that"
    emptying.join(DEADLINE_S)
    assert not emptying.is_alive()
    other.close()
    database.close()
