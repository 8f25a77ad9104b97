"""The rows of car makers' grants: encrypted bytes, and the fields that are needed without decrypting them.

The vault encrypts and decrypts (vehicles/tokens/vault.py). Times are UTC in milliseconds since 1970.
"""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from cloud_bridge.store.vehicle_tables import account_grants


class SealedGrant(NamedTuple):
    """The part of a row that a refresh replaces."""

    key_id: str
    sealed: bytes
    generation: int  # incremented with every refresh
    refresh_ms: int  # when to refresh it


class GrantRow(NamedTuple):
    """A row of the table."""

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
    """Add a grant. `choose_until_ms` is the deadline for the driver to select vehicles, or None if they are
    selected."""
    owner = {"id": grant_id, "person_id": person_id, "provider": provider, "choose_until_ms": choose_until_ms}
    connection.execute(account_grants.insert(), owner | sealed._asdict())


def grant_row(connection: Connection, grant_id: str) -> GrantRow | None:
    """Return the row of a grant, or None if it does not exist."""
    row = connection.execute(select(account_grants).where(account_grants.c.id == grant_id)).one_or_none()
    if row is None:
        return None
    return GrantRow(
        row.id, row.person_id, row.provider, SealedGrant(row.key_id, row.sealed, row.generation, row.refresh_ms)
    )


def refresh_ms_of(connection: Connection, grant_id: str) -> int | None:
    """Return when to refresh the grant, or None if it does not exist."""
    return connection.execute(select(account_grants.c.refresh_ms).where(account_grants.c.id == grant_id)).scalar()


def provider_of(connection: Connection, grant_id: str) -> str | None:
    """Return the name of the grant's provider, or None if the grant does not exist."""
    return connection.execute(select(account_grants.c.provider).where(account_grants.c.id == grant_id)).scalar()


def grants_of_person(connection: Connection, person_id: int) -> list[str]:
    """Return the ids of the person's grants."""
    return list(
        connection.execute(select(account_grants.c.id).where(account_grants.c.person_id == person_id)).scalars()
    )


def unselected_grants(connection: Connection, now_ms: int) -> list[tuple[str, str]]:
    """Return (id, provider) of each grant whose driver did not select vehicles in time."""
    query = select(account_grants.c.id, account_grants.c.provider).where(account_grants.c.choose_until_ms <= now_ms)
    return [(row.id, row.provider) for row in connection.execute(query)]


def mark_selected(connection: Connection, grant_id: str) -> None:
    """Mark a grant's vehicles as selected."""
    connection.execute(update(account_grants).where(account_grants.c.id == grant_id).values(choose_until_ms=None))


def set_refresh_ms(connection: Connection, grant_id: str, refresh_ms: int) -> None:
    """Set when to refresh the grant."""
    connection.execute(update(account_grants).where(account_grants.c.id == grant_id).values(refresh_ms=refresh_ms))


def replace_grant(connection: Connection, grant_id: str, generation: int, sealed: SealedGrant) -> bool:
    """Replace the sealed part if the row still has this generation. Return False if not, or if it was deleted."""
    same = (account_grants.c.id == grant_id, account_grants.c.generation == generation)
    return connection.execute(update(account_grants).where(*same).values(sealed._asdict())).rowcount == 1


def delete_grant(connection: Connection, grant_id: str) -> None:
    """Delete a grant. No vehicle may refer to it any more."""
    connection.execute(delete(account_grants).where(account_grants.c.id == grant_id))


def grants_with_other_keys(connection: Connection, key_id: str) -> list[str]:
    """Return the ids of the grants that are not encrypted with this key."""
    return list(connection.execute(select(account_grants.c.id).where(account_grants.c.key_id != key_id)).scalars())


def set_seal(connection: Connection, grant_id: str, key_id: str, sealed: bytes) -> None:
    """Replace the encrypted bytes of a grant after encrypting it with another key."""
    values = {"key_id": key_id, "sealed": sealed}
    connection.execute(update(account_grants).where(account_grants.c.id == grant_id).values(values))


def key_ids_of_grants(connection: Connection) -> set[str]:
    """Return the ids of all keys with which grants are encrypted."""
    return set(connection.execute(select(account_grants.c.key_id).distinct()).scalars())
