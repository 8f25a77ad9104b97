"""Does either database report whether a row is new?"""

from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.commands import NewCommand, add_command
from cloud_bridge.store.conversations import conversation_about, send
from cloud_bridge.store.database import Database
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.tables import messages
from tests.cloud_bridge.recording import rows


def test_a_command_is_new_once(database: Database) -> None:
    """On PostgreSQL, no command was once reported as new, so none was sent."""
    command = NewCommand("c-1", "cp-1", None, 1, 2, "pause", "{}")
    with database.writing() as connection:
        assert add_command(connection, command)
        assert not add_command(connection, command)
        assert add_command(connection, command._replace(id="c-2"))


def test_a_form_that_is_sent_twice_is_one_message(database: Database) -> None:
    with database.writing() as connection:
        add_person(connection, "ann", "a hash", Role.DRIVER, 0)
        ann: Person = find_person(connection, "ann")
        about = conversation_about(connection, ann, None, 0)
        assert send(connection, about, ann, "Hello.", None, "once", 1)
        assert not send(connection, about, ann, "Hello.", None, "once", 2)
    assert [row.sent_ms for row in rows(database, messages)] == [1]
