"""The second factor of people's logins as rows: a sealed secret, recovery codes, and logins that wait for a code.

Sealing and opening is done by cloud_bridge/second_factor.py. A login that waits has its own table and cookie but no
session, so that it cannot be mistaken for one.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from cloud_bridge.errors import AlreadyThere
from cloud_bridge.store.access import Person
from cloud_bridge.store.people import person_by_id
from cloud_bridge.store.secrets import hash_of, new_secret
from cloud_bridge.store.tables import pending_logins, recovery_codes, second_factors

PENDING_MS = 10 * 60 * 1000  # enough to fetch the phone, or to set up its app
PENDING_MAX = 100  # per person; anyone who knows the password can begin as many as they like
STEPS_KEPT = 20  # more than can be used before the first of them is too old


class SecondFactor(NamedTuple):
    """A row. `used_steps` are the time steps of the last accepted codes, the newest at the end."""

    key_id: str
    sealed: bytes
    since_ms: int
    used_steps: str

    @property
    def steps(self) -> list[int]:
        return [int(step) for step in self.used_steps.split()]


def second_factor_of(connection: Connection, person_id: int) -> SecondFactor | None:
    """The second factor of a person. None: the person has none."""
    columns = (second_factors.c[name] for name in SecondFactor._fields)
    row = connection.execute(select(*columns).where(second_factors.c.person_id == person_id)).one_or_none()
    return None if row is None else SecondFactor(*row)


def add_second_factor(connection: Connection, person_id: int, factor: SecondFactor, codes: Iterable[str]) -> None:
    """Add a second factor with its recovery codes. Raises AlreadyThere if there is one: it can be replaced only by
    someone who was asked for it."""
    try:
        connection.execute(second_factors.insert(), {"person_id": person_id} | factor._asdict())
    except IntegrityError as error:
        raise AlreadyThere("the person already has a second factor") from error
    set_recovery_codes(connection, person_id, codes)


def remove_second_factor(connection: Connection, person_id: int) -> bool:
    """Remove the second factor with its recovery codes and the logins that wait for it. False: there was none."""
    for table in (recovery_codes, pending_logins):
        connection.execute(delete(table).where(table.c.person_id == person_id))
    return connection.execute(delete(second_factors).where(second_factors.c.person_id == person_id)).rowcount == 1


def use_step(connection: Connection, person_id: int, factor: SecondFactor, step: int) -> bool:
    """Mark the code of this step as used. False if another login has used one since `factor` was read."""
    used = " ".join(str(one) for one in [*factor.steps, step][-STEPS_KEPT:])
    is_same = second_factors.c.person_id == person_id, second_factors.c.used_steps == factor.used_steps
    return connection.execute(update(second_factors).where(*is_same).values(used_steps=used)).rowcount == 1


def set_recovery_codes(connection: Connection, person_id: int, codes: Iterable[str]) -> None:
    """Replace the remaining recovery codes. Each is random enough for a plain hash (store/secrets.py)."""
    connection.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))
    connection.execute(
        recovery_codes.insert(), [{"code_hash": hash_of(code), "person_id": person_id} for code in codes]
    )


def use_recovery_code(connection: Connection, person_id: int, code: str) -> bool:
    """Use a recovery code. False: it is not one of the person's codes, or has been used."""
    is_it = recovery_codes.c.person_id == person_id, recovery_codes.c.code_hash == hash_of(code)
    return connection.execute(delete(recovery_codes).where(*is_it)).rowcount == 1


def count_recovery_codes(connection: Connection, person_id: int) -> int:
    """The number of unused recovery codes."""
    query = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.person_id == person_id)
    return int(connection.execute(query).scalar_one())


def open_pending_login(connection: Connection, person: Person, now_ms: int) -> str:
    """Begin a login whose password was right, and return the value of its cookie."""
    token = new_secret()
    connection.execute(delete(pending_logins).where(pending_logins.c.expires_ms <= now_ms))
    theirs = pending_logins.c.person_id == person.id
    query = select(pending_logins.c.token_hash).where(theirs).order_by(pending_logins.c.expires_ms.desc())
    surplus = list(connection.execute(query.offset(PENDING_MAX - 1)).scalars())
    connection.execute(delete(pending_logins).where(pending_logins.c.token_hash.in_(surplus)))
    values = {"token_hash": hash_of(token), "person_id": person.id, "expires_ms": now_ms + PENDING_MS}
    connection.execute(pending_logins.insert(), values)
    return token


def who_waits(connection: Connection, token: str, now_ms: int) -> Person | None:
    """The person whose password was right, or None if the login is unknown or has ended."""
    is_it = pending_logins.c.token_hash == hash_of(token), pending_logins.c.expires_ms > now_ms
    person_id = connection.execute(select(pending_logins.c.person_id).where(*is_it)).scalar()
    return None if person_id is None else person_by_id(connection, person_id)


def close_pending_login(connection: Connection, token: str) -> bool:
    """End a waiting login. False: it has ended already."""
    return connection.execute(delete(pending_logins).where(pending_logins.c.token_hash == hash_of(token))).rowcount == 1


def second_factors_with_other_keys(connection: Connection, key_id: str) -> list[int]:
    """The people whose second factors are not sealed with this key."""
    return list(
        connection.execute(select(second_factors.c.person_id).where(second_factors.c.key_id != key_id)).scalars()
    )


def set_second_factor_seal(connection: Connection, person_id: int, key_id: str, sealed: bytes) -> None:
    """Store the same secret, sealed with another key."""
    values = {"key_id": key_id, "sealed": sealed}
    connection.execute(update(second_factors).where(second_factors.c.person_id == person_id).values(values))


def key_ids_of_second_factors(connection: Connection) -> set[str]:
    """The keys with which second factors are sealed."""
    return set(connection.execute(select(second_factors.c.key_id).distinct()).scalars())
