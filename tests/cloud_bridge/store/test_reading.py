"""Is everything that is read together from one moment, on either database?"""

from contextlib import suppress

from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.store.database import Database
from cloud_bridge.store.tables import units
from cloud_bridge.store.units import add_unit


def count(database: Database) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(units)).scalar_one()


def test_a_view_does_not_move_while_others_write(database: Database) -> None:
    """An open page's contents and its version are read one after the other. If the version were newer, the page would stay
    old until its next sign of life."""
    with database.reading() as view:
        before = view.execute(select(func.count()).select_from(units)).scalar_one()
        with database.writing() as connection:
            add_unit(connection, "one", 0)
        assert view.execute(select(func.count()).select_from(units)).scalar_one() == before
    assert count(database) == before + 1


def test_nothing_is_changed_through_a_view(database: Database) -> None:
    with database.writing() as connection:
        add_unit(connection, "one", 0)
    before = count(database)
    with suppress(SQLAlchemyError), database.reading() as view:
        view.execute(delete(units))
    assert count(database) == before


def test_what_writes_next_on_the_same_connection_sees_what_is_new(database: Database) -> None:
    with database.reading() as view:
        view.execute(select(func.count()).select_from(units)).scalar_one()
    with database.writing() as connection:
        before = connection.execute(select(func.count()).select_from(units)).scalar_one()
        add_unit(connection, "one", 0)
        assert connection.execute(select(func.count()).select_from(units)).scalar_one() == before + 1
