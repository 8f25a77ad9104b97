"""API tokens: kept as hashes, shown once, with scopes; each belongs to the operator or to one person."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select, update

from cloud_bridge.store.access import Person, Role, Scope, Token, token_for
from cloud_bridge.store.secrets import hash_of, matches, new_secret
from cloud_bridge.store.tables import people, tokens


class FoundToken(NamedTuple):
    """A valid token."""

    id: int
    token: Token
    used_ms: int | None  # when it was last used, as far as that is stored


def add_token(
    connection: Connection,
    now_ms: int,
    scopes: Iterable[Scope] = (Scope.READ,),
    name: str = "",
    person_id: int | None = None,
    expires_ms: int | None = None,
) -> str:
    """Create a token and return it; it cannot be read again later."""
    token = new_secret()
    values = {
        "token_hash": hash_of(token),
        "created_ms": now_ms,
        "name": name,
        "scopes": " ".join(sorted(scopes)),
        "person_id": person_id,
        "expires_ms": expires_ms,
    }
    connection.execute(tokens.insert(), values)
    return token


def find_token(connection: Connection, token: str, now_ms: int) -> FoundToken | None:
    """Find a token by its hash, which a caller cannot control, and compare it again in constant time. `now_ms` is
    verified time."""
    query = (
        select(tokens, people.c.name.label("user"), people.c.role)
        .outerjoin(people, people.c.id == tokens.c.person_id)
        .where(tokens.c.token_hash == hash_of(token))
    )
    row = connection.execute(query).one_or_none()
    if row is None or not matches(token, row.token_hash):
        return None
    if row.expires_ms is not None and now_ms >= row.expires_ms:
        return None
    person = None if row.person_id is None else Person(row.person_id, row.user, Role(row.role))
    scopes = frozenset(Scope(scope) for scope in row.scopes.split())
    return FoundToken(row.id, token_for(person, scopes), row.used_ms)


def mark_used(connection: Connection, token_id: int, now_ms: int) -> None:
    """Store when the token was used."""
    connection.execute(update(tokens).where(tokens.c.id == token_id).values(used_ms=now_ms))


def list_tokens(connection: Connection) -> list[dict[str, Any]]:
    """All tokens, without the secret values, which are not stored."""
    query = (
        select(
            tokens.c.id,
            tokens.c.name,
            tokens.c.scopes,
            people.c.name.label("user"),
            tokens.c.created_ms,
            tokens.c.expires_ms,
            tokens.c.used_ms,
        )
        .outerjoin(people, people.c.id == tokens.c.person_id)
        .order_by(tokens.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def remove_token(connection: Connection, token_id: int) -> bool:
    """Remove a token. False: there was no such token."""
    return connection.execute(delete(tokens).where(tokens.c.id == token_id)).rowcount == 1
