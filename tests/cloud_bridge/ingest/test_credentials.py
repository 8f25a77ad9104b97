"""Who may log in, by which proof, and since when does a secret hold?"""

import asyncio
from collections.abc import Iterator

import pytest

from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.ingest.credentials import Credentials, Known
from cloud_bridge.store.database import Database
from cloud_bridge.store.units import Protocol, add_unit, change_secret, revoke

ADDED_MS, CHANGED_MS = 1000, 5000


@pytest.fixture
def secrets(database: Database) -> dict[str, str]:
    """Of units of both protocols, by id; one of them is revoked."""
    with database.writing() as connection:
        found = {
            "own": add_unit(connection, "own", ADDED_MS).secret,
            "wall": add_unit(connection, "wall", ADDED_MS, protocol=Protocol.OCPP).secret,
            "gone": add_unit(connection, "gone", ADDED_MS).secret,
        }
        revoke(connection, "gone", CHANGED_MS)
    return found


@pytest.fixture
def credentials(database: Database) -> Iterator[Credentials]:
    made = Credentials(database)
    yield made
    made.close()


def test_a_secret_is_right_wrong_or_of_nobody(credentials: Credentials, secrets: dict[str, str]) -> None:
    async def check(unit_id: str, secret: str, known: Known | None = None) -> bool | None:
        return await credentials.check(unit_id, secret, known)

    assert asyncio.run(check("own", secrets["own"])) is True
    assert asyncio.run(check("own", "guess")) is False
    assert asyncio.run(check("gone", secrets["gone"])) is False
    assert asyncio.run(check("nobody", "guess")) is None
    assert asyncio.run(check("wall", secrets["wall"])) is None, "it comes by another door"
    known = credentials.known("own")
    assert asyncio.run(check("nobody", secrets["own"], known)) is True, "the store is not asked"
    assert asyncio.run(check("own", secrets["own"], Known(None, None))) is None


def test_by_the_door_of_a_protocol_there_are_its_units_alone(database: Database, secrets: dict[str, str]) -> None:
    credentials = Credentials(database, protocol=Protocol.OCPP)
    assert asyncio.run(credentials.check("wall", secrets["wall"])) is True
    assert asyncio.run(credentials.check("own", secrets["own"])) is None
    credentials.close()


def test_our_own_clients_have_secrets_of_their_own(database: Database, credentials: Credentials) -> None:
    assert asyncio.run(credentials.check(CANARY_ID, credentials.canary_secret)) is True
    assert asyncio.run(credentials.check(CANARY_ID, "guess")) is False
    assert asyncio.run(credentials.check(CANARY_ID, "\ud800")) is False
    several = Credentials(database, {"_canary-1": "a"})
    assert asyncio.run(several.check("_canary-1", "a")) is True
    assert asyncio.run(several.check(CANARY_ID, several.canary_secret)) is None
    several.close()


def test_who_may_log_in_by_whatever_proof(credentials: Credentials, secrets: dict[str, str]) -> None:
    for unit_id, is_unit in (("own", True), ("gone", False), ("nobody", False), ("wall", False)):
        assert asyncio.run(credentials.is_unit(unit_id)) is is_unit
        assert asyncio.run(credentials.is_unit("anybody", credentials.known(unit_id))) is is_unit


def test_when_a_secret_was_changed_last(database: Database, credentials: Credentials, secrets: dict[str, str]) -> None:
    assert asyncio.run(credentials.changed_ms("own")) == 0, "never"
    assert asyncio.run(credentials.changed_ms("nobody")) is None
    assert asyncio.run(credentials.changed(ADDED_MS + 1)) == {"gone": CHANGED_MS}
    with database.writing() as connection:
        change_secret(connection, "own", CHANGED_MS + 1)
    assert asyncio.run(credentials.changed_ms("own")) == credentials.known("own").changed_ms == CHANGED_MS + 1
    assert asyncio.run(credentials.changed(CHANGED_MS)) == {"gone": CHANGED_MS, "own": CHANGED_MS + 1}
