"""API tokens: made by the operator, kept as hashes."""

from sqlalchemy import Connection, select

from cloud_bridge.store.secrets import hash_of, matches, new_secret
from cloud_bridge.store.tables import tokens


def add_token(connection: Connection, now_ms: int) -> str:
    """A new token; told once."""
    token = new_secret()
    connection.execute(tokens.insert(), {"token_hash": hash_of(token), "created_ms": now_ms})
    return token


def is_token(connection: Connection, token: str) -> bool:
    """Found by its hash, which a caller cannot steer, and compared again in constant time."""
    kept = connection.execute(select(tokens.c.token_hash).where(tokens.c.token_hash == hash_of(token))).scalar()
    return matches(token, kept)
