"""Messages between drivers and support: one conversation for each charge point, and one about everything else.

A conversation belongs to the person, not to the charge point: the next owner cannot read what the previous one wrote.
Support and operators see all conversations, installers none.

An answer is unread until its person has opened the conversation (`mark_read`) on any device. Reading by support is not
recorded: a conversation waits until it is answered.
"""

from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Select, String, bindparam, func, insert, select, true, update

from cloud_bridge.store.access import SEE_ALL, Asker, Person, Scope, may
from cloud_bridge.store.paging import Part, part_of
from cloud_bridge.store.readable import Rows, readable
from cloud_bridge.store.tables import conversations, messages, people
from cloud_bridge.store.upsert import insert_one
from cloud_bridge.words import N_

MAX_TEXT = 4000  # characters of one message
MAX_LISTED = 200
READY_MADE = N_("My charger does not come back, or drops out again. Please help.")  # for a driver who writes nothing

_AUTHOR = Column("name", String, nullable=True)  # null if the account was deleted
_COLUMNS = (  # in the order of `Conversation`
    conversations.c.id,
    conversations.c.person_id,
    people.c.name,
    conversations.c.unit_id,
    conversations.c.newest_ms,
    conversations.c.waiting,
    conversations.c.read_id,
)


class Conversation(NamedTuple):
    id: int
    person_id: int
    person: str
    unit_id: str | None
    newest_ms: int
    waiting: bool  # for an answer of support
    read_id: int  # id of the newest message that its person has read


class Unread(NamedTuple):
    """A person's unread answers of support, in all of their conversations."""

    answers: int
    conversation_id: int  # of the newest answer
    newest_ms: int


class Message(NamedTuple):
    id: int
    author: str | None  # None if the account was deleted
    from_support: bool
    sent_ms: int
    text: str
    facts: str | None  # of the unit at that moment, JSON


def conversations_of(connection: Connection, asker: Person) -> list[Conversation]:
    """Return the conversations that the asker may read, newest first. For support, those that wait for an answer come
    first, longest waiting first."""
    newest_ms, waiting = conversations.c.newest_ms, conversations.c.waiting
    query = _conversations().where(_readable(asker))
    if asker.role not in SEE_ALL:
        rows = list(connection.execute(query.order_by(newest_ms.desc()).limit(MAX_LISTED)))
    else:  # two queries, each of which can use the index
        rows = list(connection.execute(query.where(waiting).order_by(newest_ms).limit(MAX_LISTED)))
        others = query.where(~waiting).order_by(newest_ms.desc()).limit(MAX_LISTED - len(rows))
        rows += connection.execute(others)
    return [Conversation(*row) for row in rows]


def conversations_after(connection: Connection, asker: Asker, after: int, limit: int) -> Part[Conversation]:
    """Return a page of the conversations that the asker may read, by id. A token needs the scope `support` for those of
    other people."""
    query = _conversations().where(_readable(asker) if may(asker, Scope.SUPPORT) else _own(asker))
    found, next_after = part_of(connection, query, _COLUMNS, after, limit)
    return Part(Rows((Conversation(*row) for row in found), found.unreadable), next_after)


def find_conversation(connection: Connection, asker: Asker, conversation_id: int) -> Conversation | None:
    """Return a conversation, or None if it does not exist or the asker may not read it."""
    query = _conversations().where(conversations.c.id == conversation_id, _readable(asker))
    row = connection.execute(query).one_or_none()
    return None if row is None else Conversation(*row)


def conversation_about(connection: Connection, person: Person, unit_id: str | None, now_ms: int) -> int:
    """Return the id of the person's conversation about the unit, creating it if necessary."""
    query = select(conversations.c.id).where(
        conversations.c.person_id == person.id, conversations.c.unit_id.is_not_distinct_from(unit_id)
    )
    found = connection.execute(query).scalars().first()
    if found is not None:
        return int(found)
    row = {"person_id": person.id, "unit_id": unit_id, "opened_ms": now_ms, "newest_ms": now_ms, "waiting": False}
    made: int = connection.execute(insert(conversations).returning(conversations.c.id), row).scalar_one()
    return made


def read_messages(connection: Connection, conversation: Conversation, after_id: int = 0) -> Rows[Message]:
    """Return the messages after `after_id`, oldest first."""
    own = (messages.c.from_support, messages.c.sent_ms, messages.c.text, messages.c.facts)
    query = (
        select(messages.c.id, people.c.name, *own)
        .outerjoin(people, people.c.id == messages.c.author_id)
        .where(messages.c.conversation_id == conversation.id, messages.c.id > after_id)
        .order_by(messages.c.id)
    )
    found = readable((messages.c.id, _AUTHOR, *own), connection.execute(query))
    return Rows((Message(*row) for row in found), found.unreadable)


def newest_message_id(connection: Connection, conversation: Conversation) -> int:
    """Return the id of the newest message, or 0 if there is none."""
    query = select(func.max(messages.c.id)).where(messages.c.conversation_id == conversation.id)
    return connection.execute(query).scalar() or 0


def mark_read(connection: Connection, conversation: Conversation, message_id: int) -> None:
    """Mark the messages up to this one as read by the conversation's person. The mark never goes back."""
    is_newer = conversations.c.read_id < message_id
    statement = update(conversations).where(conversations.c.id == conversation.id, is_newer)
    connection.execute(statement.values(read_id=message_id))


def unread_answers(connection: Connection, person: Person) -> Unread | None:
    """Return the person's unread answers, or None if there are none."""
    count, newest_id = connection.execute(_UNREAD, {"person_id": person.id}).one()
    if not count:
        return None
    columns = (messages.c.conversation_id, messages.c.sent_ms)
    newest = readable(columns, connection.execute(select(*columns).where(messages.c.id == newest_id)))
    return Unread(count, *newest[0]) if newest else None


def with_unread_answers(connection: Connection, person: Person) -> set[int]:
    """Return the ids of the person's conversations with unread answers."""
    query = select(conversations.c.id).select_from(_JOINED).where(conversations.c.person_id == person.id, *_IS_UNREAD)
    return set(connection.execute(query.distinct()).scalars())


def count_news(connection: Connection, person: Person) -> int:
    """Return the number of conversations that wait for an answer, for support, or of unread answers, for everybody
    else."""
    if may(person, Scope.SUPPORT):
        return int(connection.execute(_WAITING).scalar_one())
    return int(connection.execute(_UNREAD, {"person_id": person.id}).one()[0])


_WAITING = select(func.count()).select_from(conversations).where(conversations.c.waiting)
_JOINED = conversations.join(messages, messages.c.conversation_id == conversations.c.id)
_IS_UNREAD = (messages.c.from_support, messages.c.id > conversations.c.read_id)
_UNREAD = (
    select(func.count(), func.max(messages.c.id))
    .select_from(_JOINED)
    .where(conversations.c.person_id == bindparam("person_id"), *_IS_UNREAD)
)


def messages_after(connection: Connection, conversation: Conversation, after: int, limit: int) -> Part[Any]:
    """Return a page of messages, oldest first: id, whether it is from support, when it was sent, and its text."""
    columns = (messages.c.id, messages.c.from_support, messages.c.sent_ms, messages.c.text)
    query = select(*columns).where(messages.c.conversation_id == conversation.id)
    return part_of(connection, query, columns, after, limit)


def newest_words(connection: Connection, unit_id: str, owner_id: int | None) -> str | None:
    """Return the owner's last message about the unit, other than READY_MADE, or None. Messages of a former owner are
    not returned."""
    query = (
        select(messages.c.text)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(
            conversations.c.unit_id == unit_id,
            conversations.c.person_id == owner_id,
            messages.c.from_support.is_(False),
            messages.c.text != READY_MADE,
        )
        .order_by(messages.c.id.desc())
        .limit(1)
    )
    found: Rows[Any] = readable((messages.c.text,), connection.execute(query))
    return str(found[0][0]) if found else None


def send(
    connection: Connection, conversation_id: int, author: Person, text: str, facts: str | None, once: str, now_ms: int
) -> bool:
    """Add a message. Return False, and add nothing, if a form with this `once` was sent before.

    `read_id` and open pages rely on messages of a conversation becoming visible in the order of their ids. So the
    conversation's row is locked before the id is assigned (PostgreSQL; SQLite has one writer at a time).
    """
    connection.execute(select(conversations.c.id).where(conversations.c.id == conversation_id).with_for_update())
    from_support = may(author, Scope.SUPPORT)
    row = {
        "conversation_id": conversation_id,
        "author_id": author.id,
        "from_support": from_support,
        "sent_ms": now_ms,
        "text": text,
        "facts": facts,
        "once": once,
    }
    if not insert_one(connection, messages, row):
        return False
    connection.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(newest_ms=now_ms, waiting=not from_support)
    )
    return True


def _conversations() -> Select[Any]:
    return select(*_COLUMNS).join(people, people.c.id == conversations.c.person_id)


def _readable(asker: Asker) -> ColumnElement[bool]:
    return true() if asker.role in SEE_ALL else _own(asker)


def _own(asker: Asker) -> ColumnElement[bool]:
    return conversations.c.person_id == asker.id  # never true for a token without a person
