"""`python -m cloud_bridge data ...`: a copy of everything, everything of one person, nothing of one person."""

import argparse
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.cli.consents import give_back
from cloud_bridge.errors import AlreadyThere, BridgeError, StoreUnusable
from cloud_bridge.settings import Settings
from cloud_bridge.store import personal
from cloud_bridge.store.database import FILE_NAME, open_database
from cloud_bridge.store.people import find_person


def declare(area: Area) -> None:
    area.command("backup", "write a consistent copy while the bridge runs", backup, "file")
    area.command("export", "print everything that is kept of one person", export, "user")
    area.command("erase", "delete one person, and all that their units said", erase, "user")


def backup(settings: Settings, options: argparse.Namespace) -> Answer:
    """SQLite: a database file, to be put in place of the old one. PostgreSQL: for pg_restore. Raises BridgeError."""
    target = Path(options.file)
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # there are secrets in it
    except FileExistsError as error:
        raise AlreadyThere(f"{target} exists already: a backup overwrites nothing") from error
    except OSError as error:
        raise BridgeError(f"{target} cannot be written ({error.strerror}): name a file in a folder of yours") from error
    try:
        if settings.database is None:
            with (
                closing(sqlite3.connect(settings.folder / FILE_NAME)) as source,
                closing(sqlite3.connect(target)) as copy,
            ):
                source.backup(copy)
        else:
            command = ["pg_dump", "--format=custom", f"--file={target}", settings.database]
            subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, sqlite3.Error, subprocess.CalledProcessError) as error:
        target.unlink(missing_ok=True)
        reason = getattr(error, "stderr", None) or error
        raise StoreUnusable(f"no backup was made: {' '.join(str(reason).split())}") from error
    return {"file": str(target), "bytes": target.stat().st_size}


def export(settings: Settings, options: argparse.Namespace) -> Answer:
    with open_database(settings.store).reading() as connection:
        return {**personal.export(connection, find_person(connection, options.user))}


def erase(settings: Settings, options: argparse.Namespace) -> Answer:
    give_back(settings, options.user)
    with open_database(settings.store).writing() as connection:
        return {**personal.erase(connection, find_person(connection, options.user))}
