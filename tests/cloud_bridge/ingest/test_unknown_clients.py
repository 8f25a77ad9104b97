"""Does every process show an unknown client, and do many of them fill neither memory nor database, nor its time?"""

import threading

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from cloud_bridge.ingest.unknown_clients import WRITTEN_AT_ONCE, UnknownClients
from cloud_bridge.store.database import Database
from cloud_bridge.store.tables import unknown_clients
from cloud_bridge.store.units import add_unit
from cloud_bridge.store.unknown_clients import KEPT, UnknownClient, read_unknown_clients
from tests.cloud_bridge.running import DEADLINE_S, START_MS

ROUNDS = 60


def shown(database: Database) -> list[UnknownClient]:
    with database.reading() as connection:
        return read_unknown_clients(connection)


def rows(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(unknown_clients)).scalar_one())


def test_what_several_processes_have_heard_of_one_id_is_one_row(database: Database) -> None:
    one, other = UnknownClients(database), UnknownClients(database)
    for number, process in enumerate((one, other, one)):
        process.saw("nobody", START_MS + number)
    one.write()
    other.write()
    assert shown(database) == [UnknownClient("nobody", START_MS, START_MS + 1, 3)]


def test_what_is_heard_last_is_last_and_what_became_a_unit_is_left_out(database: Database) -> None:
    strangers = UnknownClients(database)
    for number, name in enumerate(("b", "a", "new", "b")):
        strangers.saw(name, START_MS + number)
    strangers.write()
    with database.writing() as connection:
        add_unit(connection, "new", START_MS)
    assert [one.id for one in shown(database)] == ["a", "b"]


@pytest.mark.parametrize("name", ["", "x" * 500, "\0", "\ud800" * 50, "\U0001f50c" * 40, "'; DROP TABLE units; --"])
def test_any_text_is_stored_and_bounded(database: Database, name: str) -> None:
    strangers = UnknownClients(database)
    strangers.saw(name, START_MS)
    strangers.write()
    (one,) = shown(database)
    assert len(one.id) <= 36


def test_many_wait_in_bounds_and_the_newest_are_kept(database: Database) -> None:
    strangers = UnknownClients(database)
    for number in range(2 * KEPT):
        strangers.saw(f"id-{number}", START_MS + number)
        if number % WRITTEN_AT_ONCE == WRITTEN_AT_ONCE - 1:
            strangers.write()
    assert rows(database) == KEPT
    assert [one.id for one in shown(database)] == [f"id-{number}" for number in range(KEPT, 2 * KEPT)]
    for number in range(10 * KEPT):
        strangers.saw(f"flood-{number}", START_MS + 2 * KEPT + number)
    strangers.write()
    assert sum(one.id.startswith("flood") for one in shown(database)) == WRITTEN_AT_ONCE, "of one turn"


def test_what_the_database_did_not_take_waits(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    strangers = UnknownClients(database)
    strangers.saw("nobody", START_MS)

    def refuse(*_: object) -> None:
        strangers.saw("nobody", START_MS + 1)  # meanwhile
        raise OperationalError("INSERT", {}, Exception("disk I/O error"))

    with monkeypatch.context() as patched:
        patched.setattr("cloud_bridge.ingest.unknown_clients.record_unknown_clients", refuse)
        with pytest.raises(OperationalError):
            strangers.write()
    strangers.write()
    assert shown(database) == [UnknownClient("nobody", START_MS, START_MS + 1, 2)]


def test_processes_that_write_at_once_neither_wait_for_each_other_nor_lose_any(database: Database) -> None:
    failed: list[Exception] = []

    def flood(own: int) -> None:
        strangers = UnknownClients(database)
        try:
            for turn in range(ROUNDS):
                for number in range(WRITTEN_AT_ONCE):
                    strangers.saw(f"{(own + number * 7) % 9}-{turn}-{number % 50}", START_MS + turn)
                strangers.write()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=flood, args=(own,)) for own in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert not failed
    strangers = UnknownClients(database)
    strangers.saw("last", START_MS + ROUNDS)
    strangers.write()
    assert rows(database) == KEPT
