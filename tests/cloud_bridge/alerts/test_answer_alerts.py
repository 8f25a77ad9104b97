"""Is a driver alerted once to an answer unless they have read it, without the answer's text in the alert?"""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from cloud_bridge.alerts.kinds import UNREAD_AFTER_MS, AlertKind
from cloud_bridge.durations import DAY_MS
from cloud_bridge.store import conversations
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.database import open_database
from cloud_bridge.store.people import add_person, find_person
from cloud_bridge.store.tables import messages
from tests.cloud_bridge.alerting import driver, look, told, webhooks
from tests.cloud_bridge.old_store import open_at
from tests.cloud_bridge.running import Bridge, store_at

ANSWER = ("answer", None)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    return webhooks(monkeypatch)


class Talk:
    """A conversation of Ann with support. Ben also subscribes to answers, and has a conversation of his own."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.ann, self.ben = (driver(bridge, name, (AlertKind.ANSWER,)) for name in ("ann", "ben"))
        with bridge.app_state.database.writing() as connection:
            add_person(connection, "sue", "a hash", Role.SUPPORT, 0)
            self.sue = find_person(connection, "sue")
        self._sent = 0
        self.says(self.ann)
        self.says(self.ben)

    def says(self, author: Person, about: Person | None = None) -> None:
        """Add a message to the conversation of the author, or of the person it is about."""
        self._sent += 1
        now_ms = self.bridge.clock.now_ms()
        with self.bridge.app_state.database.writing() as connection:
            number = conversations.conversation_about(connection, about or author, None, now_ms)
            conversations.send(connection, number, author, "The code is 4711.", None, f"{self._sent:032}", now_ms)

    def answers(self) -> None:
        self.says(self.sue, self.ann)

    def reads(self) -> None:
        with self.bridge.app_state.database.writing() as connection:
            [own] = conversations.conversations_of(connection, self.ann)
            conversations.mark_read(connection, own, conversations.newest_message_id(connection, own))

    def time_passes(self, ms: int = UNREAD_AFTER_MS) -> None:
        self.bridge.clock.advance(ms)
        look(self.bridge)


@pytest.fixture
def talk(bridge: Bridge) -> Talk:
    return Talk(bridge)


def test_an_answer_is_alerted_after_a_minute_once_to_its_driver_alone(talk: Talk, sent: list[dict[str, Any]]) -> None:
    talk.answers()
    talk.time_passes(UNREAD_AFTER_MS - 1)
    assert sent == [], "they may be reading it"
    talk.time_passes(1)
    talk.time_passes()
    assert told(sent) == [ANSWER]
    assert "4711" not in sent[0]["words"] and "Support has answered you" in sent[0]["words"]


def test_who_has_read_it_by_then_is_not_alerted(talk: Talk, sent: list[dict[str, Any]]) -> None:
    talk.answers()
    talk.reads()
    talk.time_passes()
    talk.time_passes(DAY_MS)
    assert sent == []


def test_more_answers_are_one_alert_until_the_first_is_read(talk: Talk, sent: list[dict[str, Any]]) -> None:
    for _ in range(3):
        talk.answers()
        talk.time_passes()
    assert told(sent) == [ANSWER]
    talk.reads()
    talk.answers()
    talk.time_passes()
    assert told(sent) == [ANSWER, ANSWER]


def test_an_answer_of_a_clock_that_was_ahead_holds_nobody_elses_up(talk: Talk, sent: list[dict[str, Any]]) -> None:
    talk.answers()
    with talk.bridge.app_state.database.writing() as connection:
        newest = select(messages.c.id).order_by(messages.c.id.desc()).limit(1).scalar_subquery()
        ahead_ms = talk.bridge.clock.now_ms() + 400 * DAY_MS
        connection.execute(update(messages).where(messages.c.id == newest).values(sent_ms=ahead_ms))
    talk.says(talk.sue, talk.ben)
    talk.time_passes()
    assert told(sent) == [ANSWER, ANSWER]


def test_what_was_answered_before_there_were_marks_is_read(tmp_path: Path) -> None:
    where = store_at(tmp_path, empty=True)
    before = open_at(where, "0026")
    with before.writing() as connection:
        for statement in (
            "INSERT INTO people (name, password_hash, role, created_ms) VALUES ('ann', 'x', 'driver', 0)",
            "INSERT INTO conversations (person_id, opened_ms, newest_ms, waiting) VALUES (1, 0, 1, false)",
            "INSERT INTO conversations (person_id, opened_ms, newest_ms, waiting) VALUES (1, 0, 1, false)",
            "INSERT INTO messages (conversation_id, author_id, from_support, sent_ms, text, once) "
            "VALUES (1, 1, true, 1, 'Hello', 'x')",
        ):
            connection.execute(text(statement))
    before.close()
    now = open_database(where)
    with now.reading() as connection:
        ann = find_person(connection, "ann")
        assert conversations.count_news(connection, ann) == 0
        assert conversations.unread_answers(connection, ann) is None
    now.close()
