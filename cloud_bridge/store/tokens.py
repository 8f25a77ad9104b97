"""API tokens: kept as hashes, told once, with scopes, each the operator's or one person's."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, select

from cloud_bridge.store.access import Person, Role, Scope, Token, token_for
from cloud_bridge.store.secrets import hash_of, matches, new_secret
from cloud_bridge.store.tables import people, tokens


def add_token(
    connection: Connection,
    now_ms: int,
    scopes: Iterable[Scope] = (Scope.READ,),
    name: str = "",
    person_id: int | None = None,
) -> str:
    """A new token; told once."""
    token = new_secret()
    values = {
        "token_hash": hash_of(token),
        "created_ms": now_ms,
        "name": name,
        "scopes": " ".join(sorted(scopes)),
        "person_id": person_id,
    }
    connection.execute(tokens.insert(), values)
    return token


def find_token(connection: Connection, token: str) -> Token | None:
    """Found by its hash, which a caller cannot steer, and compared again in constant time."""
    query = (
        select(tokens.c.token_hash, tokens.c.scopes, tokens.c.person_id, people.c.name, people.c.role)
        .outerjoin(people, people.c.id == tokens.c.person_id)
        .where(tokens.c.token_hash == hash_of(token))
    )
    row = connection.execute(query).one_or_none()
    if row is None or not matches(token, row.token_hash):
        return None
    person = None if row.person_id is None else Person(row.person_id, row.name, Role(row.role))
    return token_for(person, frozenset(Scope(scope) for scope in row.scopes.split()))


def list_tokens(connection: Connection) -> list[dict[str, Any]]:
    """Everything but the tokens themselves, which nobody knows."""
    query = (
        select(tokens.c.id, tokens.c.name, tokens.c.scopes, people.c.name.label("user"))
        .outerjoin(people, people.c.id == tokens.c.person_id)
        .order_by(tokens.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def remove_token(connection: Connection, token_id: int) -> bool:
    """False: there was no such token."""
    return connection.execute(delete(tokens).where(tokens.c.id == token_id)).rowcount == 1
