"""Browsers in which a person has logged in, which are not locked out by failed logins from elsewhere.

Each has its own cookie, which is replaced with every login and stored as a hash. It grants no access: it only selects
the rate limit (web/security/attempts.py).
"""

from sqlalchemy import Connection, delete, select

from cloud_bridge.store.names import folded
from cloud_bridge.store.push_browsers import follow_device
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.tables import known_devices, people

DEVICES_MAX = 10  # of one account; the one with the oldest login is removed
DEVICE_DAYS = 400  # as long as browsers keep a cookie (RFC 6265bis 5.5)


def remember_device(connection: Connection, person_id: int, now_ms: int, before: str) -> str:
    """Add the browser, and return the new value of its cookie. `before` is the previous value, or ""."""
    token = new_secret()
    token_hash = hash_of(token)
    values = {"token_hash": token_hash, "person_id": person_id, "since_ms": now_ms}
    connection.execute(known_devices.insert(), values)
    follow_device(connection, person_id, hash_of(before), token_hash)
    _forget(connection, person_id, hash_of(before))
    query = select(known_devices.c.token_hash).where(known_devices.c.person_id == person_id)
    newest = known_devices.c.since_ms.desc(), known_devices.c.token_hash == token_hash
    for oldest_hash in connection.execute(query.order_by(newest[0], newest[1].desc()).offset(DEVICES_MAX)).scalars():
        _forget(connection, person_id, oldest_hash)
    return token


def device_of(connection: Connection, token: str, name: str) -> str | None:
    """Return the key for the rate limit of this browser if the person with this name has logged in there, else None."""
    query = (
        select(known_devices.c.token_hash)
        .join(people, people.c.id == known_devices.c.person_id)
        .where(
            known_devices.c.token_hash == hash_of(token),
            (people.c.name == name) | (people.c.name_folded == folded(name)),
        )
    )
    return connection.execute(query).scalars().first()


def forget_devices(connection: Connection, person_id: int, but: str | None = None) -> None:
    """Remove all of the person's browsers, except the one with the hash `but`."""
    theirs = known_devices.c.person_id == person_id
    connection.execute(delete(known_devices).where(theirs, known_devices.c.token_hash != (but or "")))


def _forget(connection: Connection, person_id: int, token_hash: str) -> None:
    theirs = known_devices.c.person_id == person_id
    connection.execute(delete(known_devices).where(theirs, known_devices.c.token_hash == token_hash))
