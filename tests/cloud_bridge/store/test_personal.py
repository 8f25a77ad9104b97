"""Can one person's data be exported completely without hashes, and erased completely without traces?"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cloud_bridge import command_line
from cloud_bridge.store import personal
from cloud_bridge.store.claims import claim
from cloud_bridge.store.people import Role, add_person, find_person
from cloud_bridge.store.tables import contacts, events, people, sessions, units
from tests.cloud_bridge.running import Bridge, Unit, sample


def live(bridge: Bridge, name: str) -> None:
    """Add a driver with a unit that reports."""
    new = bridge.add_unit(f"of-{name}")
    with bridge.app_state.database.writing() as connection:
        add_person(connection, name, "a hash", Role.DRIVER, 0, f"{name}@example.org")
        claim(connection, find_person(connection, name), new.claim_code, 0)
    unit = Unit(bridge, new.id, new.secret).connect()
    for kind, payload in (("heartbeat", "heartbeat-idle"), ("session", "session"), ("event", "event-fault-raised")):
        unit.publish(f"cp/{new.id}/{kind}", sample(payload))


def test_the_export_has_what_is_theirs_and_no_secret(bridge: Bridge) -> None:
    live(bridge, "ann")
    live(bridge, "ben")
    with bridge.app_state.database.reading() as connection:
        found = personal.export(connection, find_person(connection, "ann"))
    assert [row["email"] for row in found["people"]] == ["ann@example.org"]
    assert [row["id"] for row in found["units"]] == ["of-ann"]
    assert {row["unit_id"] for row in found["sessions"] + found["events"] + found["signal"]} == {"of-ann"}
    text = json.dumps(found)
    assert "of-ben" not in text
    assert "_hash" not in text
    assert "argon2" not in text


def test_after_erasing_there_is_nothing_of_them_and_everything_of_others(bridge: Bridge) -> None:
    live(bridge, "ann")
    live(bridge, "ben")
    with bridge.app_state.database.writing() as connection:
        gone = personal.erase(connection, find_person(connection, "ann"))
        assert gone["sessions"] == gone["events"] == gone["people"] == 1
        for table in (sessions, events, contacts):
            assert list(connection.execute(select(table.c.unit_id)).scalars()) == ["of-ben"]
        assert list(connection.execute(select(people.c.name)).scalars()) == ["ben"]
        owned = select(func.count()).where(units.c.owner_id.is_not(None))
        assert connection.execute(owned).scalar() == 1


@pytest.mark.store("sqlite")  # on PostgreSQL it is pg_dump's work
def test_a_backup_is_taken_while_the_bridge_runs(
    bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(bridge, "ann")
    target = tmp_path / "copy.db"
    monkeypatch.setenv("CHARGEKEEPER_DATA", str(bridge.app_state.settings.folder))
    assert command_line.main(["data", "backup", str(target)]) == 0
    assert command_line.main(["data", "backup", str(target)]) == 1, "nothing is overwritten"
    assert target.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
