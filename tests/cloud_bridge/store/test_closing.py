"""Is every connection closed with its database, also one in use at that moment?"""

import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from cloud_bridge.errors import StoreUnusable
from cloud_bridge.store.database import Database, open_database
from tests.cloud_bridge.running import DEADLINE_S, store_at


def test_a_connection_in_use_is_closed_when_it_comes_back(tmp_path: Path) -> None:
    database = open_database(store_at(tmp_path))
    in_use, go_on = threading.Event(), threading.Event()
    driver = []

    def work() -> None:
        with database.reading() as connection:
            connection.execute(text("SELECT 1"))
            driver.append(connection.connection.dbapi_connection)
            in_use.set()
            go_on.wait(DEADLINE_S)

    thread = threading.Thread(target=work)
    thread.start()
    assert in_use.wait(DEADLINE_S)
    database.close()
    go_on.set()
    thread.join(DEADLINE_S)
    assert is_closed(driver[0])


def test_a_database_that_is_not_opened_leaves_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For instance because a newer version has written it."""
    where = store_at(tmp_path)
    database = open_database(where)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    closed: list[Database] = []
    close = Database.close

    def noted(self: Database) -> None:
        closed.append(self)
        close(self)

    monkeypatch.setattr(Database, "close", noted)
    with pytest.raises(StoreUnusable, match="newer version"):
        open_database(where)
    assert closed


def is_closed(connection: object) -> bool:
    if hasattr(connection, "closed"):
        return bool(connection.closed)  # psycopg
    try:
        connection.total_changes  # type: ignore[attr-defined]  # noqa: B018
    except Exception as error:
        return "closed" in str(error)
    return False
