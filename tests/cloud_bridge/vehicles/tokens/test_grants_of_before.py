"""Can a grant from before shared grants still be decrypted after the migration, and does its vehicle stay linked?"""

import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from cloud_bridge.store import database as store
from cloud_bridge.store.database import open_database
from cloud_bridge.store.revisions import upgrade
from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.vehicles.tokens.encryption import seal
from cloud_bridge.vehicles.tokens.keys import KeyFile
from cloud_bridge.vehicles.tokens.vault import Vault

GRANT = {"access": "A1", "refresh": "R1", "issued_ms": 1, "expires_ms": 2, "scopes": ["read"]}


def to_seven(connection: Connection) -> None:
    upgrade(connection, "0007")


def test_a_grant_of_one_vehicle_becomes_one_of_its_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(store, "migrate", to_seven)
        before = open_database(tmp_path)
    current, keys = KeyFile(tmp_path).keys()
    sealed = seal(keys[current], json.dumps(GRANT).encode(), b"person 1 vehicle 1")
    with before.writing() as connection:
        connection.execute(
            text("INSERT INTO people (id, name, password_hash, role, created_ms) VALUES (1, 'ann', '', 'driver', 0)")
        )
        connection.execute(
            text(
                "INSERT INTO vehicles (id, person_id, provider, car_id, vin, name, created_ms, state, since_ms) VALUES "
                "(1, 1, 'maker', 'a', 'V1', 'Blue', 0, 'linked', 0), (2, 1, 'maker', 'b', 'V2', 'Red', 0, 'unlinked', 0)"
            )
        )
        connection.execute(
            text("INSERT INTO vehicle_grants VALUES (1, :key, :sealed, 5, 2, 9, NULL, 0)"),
            {"key": current, "sealed": sealed},
        )
    before.close()
    now = open_database(tmp_path)
    with now.reading() as connection:
        blue, red = repository.of_person(connection, 1)
        kept = Vault(KeyFile(tmp_path)).get(connection, blue.grant_id or "")
    now.close()
    assert kept is not None
    assert (kept.grant.refresh_token, kept.before, kept.provider) == ("R1", "", "maker")
    assert (kept.generation, kept.refresh_ms) == (5, 9)
    assert (blue.link.state, red.grant_id) == (State.LINKED, None)
