"""Grants of car makers as rows: sealed bytes and what has to be known without opening them.

Sealing and opening is the vault's (vehicles/tokens/vault.py). Times are UTC in milliseconds since 1970.
"""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from cloud_bridge.store.vehicle_tables import account_grants


class SealedGrant(NamedTuple):
    """The part of a row that a refresh replaces."""

    key_id: str
    sealed: bytes
    generation: int  # one more with every refresh
    refresh_ms: int  # when it should be refreshed


class GrantRow(NamedTuple):
    """A row as it is read."""

    id: str
    person_id: int
    provider: str
    sealed: SealedGrant


def add_grant(
    connection: Connection,
    grant_id: str,
    person_id: int,
    provider: str,
    sealed: SealedGrant,
    choose_until_ms: int | None,
) -> None:
    """`choose_until_ms`: by when the driver has to select the vehicles; None: they are selected."""
    owner = {"id": grant_id, "person_id": person_id, "provider": provider, "choose_until_ms": choose_until_ms}
    connection.execute(account_grants.insert(), owner | sealed._asdict())


def grant_row(connection: Connection, grant_id: str) -> GrantRow | None:
    """None if it does not exist."""
    row = connection.execute(select(account_grants).where(account_grants.c.id == grant_id)).one_or_none()
    if row is None:
        return None
    return GrantRow(
        row.id, row.person_id, row.provider, SealedGrant(row.key_id, row.sealed, row.generation, row.refresh_ms)
    )


def refresh_ms_of(connection: Connection, grant_id: str) -> int | None:
    """When the grant should be refreshed; None if it does not exist."""
    return connection.execute(select(account_grants.c.refresh_ms).where(account_grants.c.id == grant_id)).scalar()


def provider_of(connection: Connection, grant_id: str) -> str | None:
    """The provider's name; None if the grant does not exist."""
    return connection.execute(select(account_grants.c.provider).where(account_grants.c.id == grant_id)).scalar()


def grants_of_person(connection: Connection, person_id: int) -> list[str]:
    """The ids of their grants."""
    return list(
        connection.execute(select(account_grants.c.id).where(account_grants.c.person_id == person_id)).scalars()
    )


def unselected_grants(connection: Connection, now_ms: int) -> list[tuple[str, str]]:
    """Id and provider of each grant whose driver did not select vehicles in time."""
    query = select(account_grants.c.id, account_grants.c.provider).where(account_grants.c.choose_until_ms <= now_ms)
    return [(row.id, row.provider) for row in connection.execute(query)]


def mark_selected(connection: Connection, grant_id: str) -> None:
    """The driver has selected the vehicles."""
    connection.execute(update(account_grants).where(account_grants.c.id == grant_id).values(choose_until_ms=None))


def set_refresh_ms(connection: Connection, grant_id: str, refresh_ms: int) -> None:
    """When the grant should be refreshed."""
    connection.execute(update(account_grants).where(account_grants.c.id == grant_id).values(refresh_ms=refresh_ms))


def replace_grant(connection: Connection, grant_id: str, generation: int, sealed: SealedGrant) -> bool:
    """Compare and set: False if the row is of another generation, or has been deleted."""
    same = (account_grants.c.id == grant_id, account_grants.c.generation == generation)
    return connection.execute(update(account_grants).where(*same).values(sealed._asdict())).rowcount == 1


def delete_grant(connection: Connection, grant_id: str) -> None:
    """The vehicles that are read with it must have another, or none: they refer to it."""
    connection.execute(delete(account_grants).where(account_grants.c.id == grant_id))


def grants_with_other_keys(connection: Connection, key_id: str) -> list[str]:
    """Ids of the grants that are not sealed with this key."""
    return list(connection.execute(select(account_grants.c.id).where(account_grants.c.key_id != key_id)).scalars())


def set_seal(connection: Connection, grant_id: str, key_id: str, sealed: bytes) -> None:
    """The same grant, sealed with another key."""
    values = {"key_id": key_id, "sealed": sealed}
    connection.execute(update(account_grants).where(account_grants.c.id == grant_id).values(values))


def key_ids_of_grants(connection: Connection) -> set[str]:
    """The keys that a grant is sealed with."""
    return set(connection.execute(select(account_grants.c.key_id).distinct()).scalars())
