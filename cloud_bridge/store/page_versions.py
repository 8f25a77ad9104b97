"""Detect that the content of an open page may have changed, whichever process stored the change. For live streams,
which check it twice a second (web/pages/driver/store_looks.py), and for Home Assistant (home/door.py).

A version has a few columns of the rows that the page shows or that give its viewer access. Equal versions mean that
nothing has changed; their content has no other meaning. All are found by an index, so a check costs the same with a
million charge points as with ten.
"""

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select

from cloud_bridge.store.secrets import hash_of
from cloud_bridge.store.tables import (
    contacts,
    conversations,
    duplicate_identities,
    heartbeats,
    jobs,
    members,
    people,
    tokens,
    unit_installers,
    units,
    web_sessions,
)
from cloud_bridge.store.vehicle_tables import ready_plans, vehicles

AT_ONCE = 500  # charge points or sessions in one statement

Version = tuple[Any, ...]


class Versions(NamedTuple):
    """The versions of one page. None if there is no such charge point or session any more."""

    unit: Version | None = None
    viewer: Version | None = None


def unit_versions(connection: Connection, unit_ids: Collection[str]) -> dict[str, Version]:
    """Return versions by unit id: contact, heartbeat, ownership, access, jobs, and the next departure."""
    return {row[0]: tuple(row[1:]) for row in _in_batches(connection, _units(), unit_ids)}


def viewer_versions(connection: Connection, sessions: Collection[str], now_ms: int) -> dict[str, Version]:
    """Return versions by session cookie: the person, their vehicles and conversations. Sessions that have expired by
    `now_ms`, in verified time, are left out."""
    by_hash = {hash_of(session): session for session in sessions}
    rows = _in_batches(connection, _viewers(), by_hash, now_ms=now_ms)
    return {by_hash[row[0]]: tuple(row[1:]) for row in rows}


def token_versions(connection: Connection, tokens_used: Collection[str], now_ms: int) -> dict[str, Version]:
    """Return versions by API token: its scopes, its person, and the units that they own or share. Tokens that are
    deleted or have expired by `now_ms`, in verified time, are left out."""
    by_hash = {hash_of(token): token for token in tokens_used}
    rows = _in_batches(connection, _tokens(), by_hash, now_ms=now_ms)
    return {by_hash[row[0]]: tuple(row[1:]) for row in rows}


def versions_of(connection: Connection, unit_id: str, session: str, now_ms: int) -> Versions:
    """Return the versions of one page, in the same transaction in which it is read."""
    by_unit, by_viewer = unit_versions(connection, [unit_id]), viewer_versions(connection, [session], now_ms)
    return Versions(by_unit.get(unit_id), by_viewer.get(session))


def _in_batches(connection: Connection, query: Select[Any], keys: Collection[str], **parameters: int) -> Iterator[Any]:
    in_order = sorted(keys)
    for at in range(0, len(in_order), AT_ONCE):
        yield from connection.execute(query, {**parameters, "keys": in_order[at : at + AT_ONCE]})


_KEYS: Any = bindparam("keys", expanding=True)


@cache
def _units() -> Select[Any]:
    let_in = _alone(members.c.unit_id == units.c.id, func.count(), func.max(members.c.from_ms))
    is_at_work = (unit_installers.c.unit_id == units.c.id) & unit_installers.c.until_ms.is_(None)
    at_work = _alone(is_at_work, func.count(), func.max(unit_installers.c.since_ms))
    of_jobs = _alone(jobs.c.unit_id == units.c.id, func.count(), func.sum(jobs.c.moves))
    found = duplicate_identities.c
    return (
        select(
            units.c.id,
            *(units.c.owner_id, units.c.owned_from_ms, units.c.name, units.c.time_zone, units.c.silent_after_ms),
            *(contacts.c.last_contact_ms, heartbeats.c.received_ms, found.since_ms, found.last_ms),
            *(*let_in, *at_work, *of_jobs),
            *(ready_plans.c.set_ms, ready_plans.c.verdict, ready_plans.c.reason),
        )
        .outerjoin(contacts, contacts.c.unit_id == units.c.id)
        .outerjoin(heartbeats, heartbeats.c.unit_id == units.c.id)
        .outerjoin(duplicate_identities, found.unit_id == units.c.id)
        .outerjoin(ready_plans, ready_plans.c.unit_id == units.c.id)
        .where(units.c.id.in_(_KEYS))
    )


@cache
def _viewers() -> Select[Any]:
    theirs = conversations.c.person_id == people.c.id
    of_conversations = _alone(theirs, func.max(conversations.c.newest_ms), func.sum(conversations.c.read_id))
    times = (func.count(), func.sum(vehicles.c.since_ms), func.sum(vehicles.c.seen_ms))
    of_vehicles = _alone(vehicles.c.person_id == people.c.id, *times)
    session = web_sessions.c
    return (
        select(session.token_hash, people.c.id, people.c.role, *of_conversations, *of_vehicles)
        .join(people, people.c.id == session.person_id)
        .where(session.token_hash.in_(_KEYS), session.expires_ms > bindparam("now_ms"))
    )


@cache
def _tokens() -> Select[Any]:
    token, times = tokens.c, (func.count(), func.max(units.c.owned_from_ms))
    owned = _alone(units.c.owner_id == token.person_id, *times)
    shared = _alone(members.c.person_id == token.person_id, func.count(), func.max(members.c.from_ms))
    return (
        select(token.token_hash, token.id, token.scopes, people.c.role, *owned, *shared)
        .outerjoin(people, people.c.id == token.person_id)
        .where(token.token_hash.in_(_KEYS), (token.expires_ms > bindparam("now_ms")) | token.expires_ms.is_(None))
    )


def _alone(condition: ColumnElement[bool], *values: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Return a scalar subquery for each value, over the rows that belong to a row of the outer query."""
    return [select(value).where(condition).scalar_subquery() for value in values]
