"""Are our files and folders private from their creation, with any umask, and are secrets in no argument list?"""

import argparse
import io
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.cli import data, tls, unit
from cloud_bridge.cli.mosquitto_files import remember_folder, write_file
from cloud_bridge.errors import StoreUnusable
from cloud_bridge.settings import Settings, read_settings
from cloud_bridge.store.database import open_database
from cloud_bridge.store.exclusive_lock import _file_lock
from cloud_bridge.store.people import Role, add_person
from cloud_bridge.store.private_files import make_private_folder
from cloud_bridge.store.units import add_unit
from cloud_bridge.vehicles.tokens.keys import KeyFile

PUBLIC = {"ca.pem", "server.pem"}  # certificates


@pytest.fixture(autouse=True)
def open_umask(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Use an empty umask, and forbid later changes of modes: until such a change, others could read the file."""
    afterthoughts: list[str] = []
    for name in ("chmod", "fchmod", "lchmod"):
        if hasattr(os, name):
            monkeypatch.setattr(os, name, lambda *arguments, name=name, **_: afterthoughts.append(name))
    before = os.umask(0)
    yield afterthoughts
    os.umask(before)


def open_to_others(folder: Path) -> set[str]:
    """Return the names of what others could read if the folder above were open."""
    found = [folder, *folder.rglob("*")]
    return {path.name for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077}


def settings(folder: Path) -> Settings:
    return read_settings({"CHARGEKEEPER_DATA": str(folder)})


@pytest.mark.store("sqlite")
def test_the_database_and_what_sqlite_puts_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    database = open_database(folder)
    with database.writing() as connection:
        add_unit(connection, "cp-1", 0)
        assert (folder / "chargekeeper.db-wal").exists()
        assert open_to_others(tmp_path / "new") == set()
    database.close()
    target = tmp_path / "new" / "copy.db"
    data.backup(settings(folder), argparse.Namespace(file=str(target)))
    assert open_to_others(tmp_path / "new") == set()


def test_keys_locks_and_the_brokers_files(tmp_path: Path, open_umask: list[str]) -> None:
    folder = tmp_path / "new" / "data"
    KeyFile(folder).keys()
    with _file_lock(folder / "lock", 0):
        assert open_to_others(tmp_path / "new") == set()
    remember_folder(settings(folder), folder / "mosquitto")
    make_private_folder(folder / "a" / "b" / "c")
    write_file(folder / "a" / "secret", "x")
    assert open_to_others(tmp_path / "new") == set()
    assert open_umask == []


def test_a_folder_of_certificates(tmp_path: Path) -> None:
    tls.run(settings(tmp_path), argparse.Namespace(name=None, folder=tmp_path / "new" / "tls"))
    assert open_to_others(tmp_path / "new") == PUBLIC


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(0o755)
    make_private_folder(tmp_path / "theirs")
    assert stat.S_IMODE((tmp_path / "theirs").stat().st_mode) == 0o755
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        make_private_folder(tmp_path / "file")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://keeper:{secret}@127.0.0.1:1/db",
        "postgres://keeper@127.0.0.1:1/db?password={secret}&application_name=x",
    ],
)
def test_a_backup_gives_the_password_to_nobody_who_lists_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    seen: dict[str, Any] = {}

    def run(words: list[str], env: dict[str, str], **_: object) -> subprocess.CompletedProcess[str]:
        seen.update(words=words, user=env.get("PGUSER"), host=env.get("PGHOST"), password=env.get("PGPASSWORD"))
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    asked = read_settings(
        {"CHARGEKEEPER_DATA": str(tmp_path), "CHARGEKEEPER_DATABASE": url.format(secret="s%2Fe'cret")}
    )
    data.backup(asked, argparse.Namespace(file=str(tmp_path / "copy")))
    assert seen["password"] == "s/e'cret"
    assert "cret" not in " ".join(seen["words"])
    assert (seen["user"], seen["host"]) == ("keeper", "127.0.0.1")


def test_an_address_that_is_none_is_not_repeated(tmp_path: Path) -> None:
    asked = read_settings({"CHARGEKEEPER_DATA": str(tmp_path), "CHARGEKEEPER_DATABASE": "postgresql://a:secret@[::/x"})
    with pytest.raises(StoreUnusable) as refused:
        data.backup(asked, argparse.Namespace(file=str(tmp_path / "copy")))
    assert "secret" not in str(refused.value)


@pytest.mark.store("sqlite")
def test_a_claim_code_can_be_given_on_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(tmp_path)
    with database.writing() as connection:
        code = add_unit(connection, "cp-1", 0).claim_code
        add_person(connection, "dora", "a hash", Role.DRIVER, 0)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{code}\n"))
    answer = unit.claim(settings(tmp_path), argparse.Namespace(code="-", user="dora"))
    assert answer == {"id": "cp-1", "owner": "dora"}
    database.close()
