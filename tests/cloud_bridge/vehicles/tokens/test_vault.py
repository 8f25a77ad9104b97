"""Does the vault reveal nothing without its key, and open with every key it was ever sealed with?"""

import base64
import os
import re
from pathlib import Path

import pytest
from sqlalchemy import select, update

from cloud_bridge.errors import SettingError
from cloud_bridge.store.vehicle_tables import account_grants
from cloud_bridge.vehicles.__main__ import rotate_key
from cloud_bridge.vehicles.tokens.encryption import SealBroken
from cloud_bridge.vehicles.tokens.keys import KeyFile, KeyGone, KeysOfEnvironment
from cloud_bridge.vehicles.tokens.vault import StoredGrant, Vault
from tests.cloud_bridge.running import store_at
from tests.cloud_bridge.vehicles.acting import LIFE_MS, Scene

WEEK_MS = 7 * 24 * 3600 * 1000


def kept(play: Scene, vehicle_id: int = 1) -> StoredGrant:
    with play.accounts.database.reading() as connection:
        found = play.accounts.grants.vault.get(connection, play.vehicle(vehicle_id).grant_id or "")
    assert found is not None
    return found


def test_the_database_without_the_key_tells_nothing(play: Scene) -> None:
    play.link()
    grant = kept(play).grant
    files = b"".join(path.read_bytes() for path in play.folder.glob("chargekeeper.db*"))
    assert grant.access_token.encode() not in files
    assert grant.refresh_token.encode() not in files
    (play.folder / "vehicle-keys.json").unlink()
    with pytest.raises(KeyGone):
        kept(play)


def test_the_key_file_is_its_owners_alone(play: Scene) -> None:
    play.link()
    assert os.stat(play.folder / "vehicle-keys.json").st_mode & 0o777 == 0o600


def test_a_grant_cannot_be_moved_to_another_account(play: Scene) -> None:
    mine, theirs = play.link(person=1), play.link(person=2)
    with play.accounts.database.writing() as thief:
        stolen = select(account_grants.c.sealed).where(account_grants.c.id == mine.grant_id)
        thief.execute(update(account_grants).values(sealed=thief.execute(stolen).scalar_one()))
    assert kept(play, mine.id)
    with pytest.raises(SealBroken):
        kept(play, theirs.id)


def test_a_grant_that_was_tampered_with_is_not_opened(play: Scene) -> None:
    play.link()
    with play.accounts.database.writing() as connection:
        connection.execute(update(account_grants).values(sealed=os.urandom(60)))
    with pytest.raises(SealBroken):
        kept(play)


def test_a_new_key_is_used_at_once_and_the_old_one_still_opens(play: Scene) -> None:
    play.link()
    before = kept(play).grant
    other_process = KeyFile(play.folder)
    new = other_process.add()
    assert kept(play).grant == before
    with play.accounts.database.writing() as connection:
        assert Vault(other_process).reseal(connection) == 1
        assert Vault(other_process).reseal(connection) == 0
    other_process.drop(set(other_process.keys().keys) - {new})
    assert kept(play).grant == before
    assert list(other_process.keys().keys) == [new]


def test_the_command_line_rotates_the_key_beside_the_running_bridge(play: Scene) -> None:
    play.link()
    before, old = kept(play).grant, KeyFile(play.folder).keys().current
    where = store_at(play.folder)
    database = {"CHARGEKEEPER_DATABASE": where} if isinstance(where, str) else {}
    said = rotate_key({"CHARGEKEEPER_DATA": str(play.folder)} | database)
    assert re.fullmatch("1 grants and 0 second factors are sealed with the key [0-9a-f]{8} now", said)
    assert kept(play).grant == before
    assert old not in KeyFile(play.folder).keys().keys


def test_two_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    one, two = KeyFile(tmp_path), KeyFile(tmp_path)
    assert one.keys() == two.keys()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"current": "a", "keys": {}}', '{"keys": {"a": "?"}}'])
def test_a_key_file_that_is_broken_is_never_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "vehicle-keys.json").write_text(content)
    with pytest.raises(KeyGone):
        KeyFile(tmp_path).keys()
    assert (tmp_path / "vehicle-keys.json").read_text() == content


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyGone, match="cannot write"):
        KeyFile(tmp_path / "file" / "data").keys()


def test_keys_may_come_from_the_environment() -> None:
    encoded = base64.b64encode(b"k" * 32).decode()
    keys = KeysOfEnvironment(f"new:{encoded},old:{encoded}").keys()
    assert (keys.current, list(keys.keys)) == ("new", ["new", "old"])
    assert encoded not in repr(keys)
    for wrong in (encoded, f"a:{encoded[:-4]}", "a:?", f":{encoded}"):
        with pytest.raises(SettingError):
            KeysOfEnvironment(wrong)


def test_a_grant_that_lives_long_is_refreshed_weekly_all_the_same(play: Scene) -> None:
    play.link()
    assert kept(play).refresh_ms == play.clock.now_ms() + int(LIFE_MS * 0.8)
    grant = kept(play).grant
    for life_days, wait_ms in ((60, WEEK_MS), (1, int(WEEK_MS / 7 * 0.8))):
        longer = type(grant)("a", "r", grant.issued_ms, grant.issued_ms + life_days * 24 * 3600 * 1000, grant.scopes)
        with play.accounts.database.writing() as connection:
            grant_id = play.accounts.grants.vault.add(connection, 1, "maker", longer)
            assert play.accounts.grants.vault.refresh_ms(connection, grant_id) == grant.issued_ms + wait_ms
