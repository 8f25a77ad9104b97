"""`python -m cloud_bridge data ...`: back up, restore and copy the database; export and erase the data of one person."""

import argparse
import sys
from contextlib import closing
from pathlib import Path

from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.cli.consents import give_back
from cloud_bridge.cli.security_log import record
from cloud_bridge.errors import SettingError
from cloud_bridge.settings import Settings
from cloud_bridge.store import personal
from cloud_bridge.store.backup import restore, write_backup
from cloud_bridge.store.copying import copy_all
from cloud_bridge.store.database import FILE_NAME, open_database
from cloud_bridge.store.people import find_person
from cloud_bridge.store.security_events import Kind
from cloud_bridge.store.tables import metadata


def declare(area: Area) -> None:
    area.command("backup", "write a consistent copy while the bridge runs", backup, "file")
    area.command(
        "restore", "replace the database with a backup; the bridge must not be running", restore_backup, "file"
    )
    area.command("copy", "copy the data folder's database into the empty PostgreSQL of CHARGEKEEPER_DATABASE", copy)
    area.command("export", "print all stored data of one person", export, "user")
    area.command("erase", "delete one person, and everything that their units reported in their time", erase, "user")
    area.command("scrub", "remove the remains of deleted data from the database files", scrub)


def backup(settings: Settings, options: argparse.Namespace) -> Answer:
    target = Path(options.file)
    write_backup(settings.folder, settings.database, target)
    return {"file": str(target), "bytes": target.stat().st_size}


def restore_backup(settings: Settings, options: argparse.Namespace) -> Answer:
    return {"restored": options.file, "replaced": str(restore(settings.folder, settings.database, Path(options.file)))}


def copy(settings: Settings, _options: argparse.Namespace) -> Answer:
    """Copy all rows, and return their number by table. The PostgreSQL is named by its setting, because other users of the
    machine can read arguments."""
    if settings.database is None:
        raise SettingError("set CHARGEKEEPER_DATABASE to the PostgreSQL that the rows are copied to")
    if not (settings.folder / FILE_NAME).exists():
        raise SettingError(
            f"there is no {FILE_NAME} in {settings.folder}: set CHARGEKEEPER_DATA to the folder that has it"
        )
    with closing(open_database(settings.folder)) as source, closing(open_database(settings.database)) as target:
        source.shut_others_out()
        return {**copy_all(source, target, _show_progress)}


def _show_progress(table: str, copied: int, total: int) -> None:
    print(f"{table} {copied:,} of {total:,}", file=sys.stderr, flush=True)


def export(settings: Settings, options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        person = find_person(connection, options.user)
        record(connection, Kind.EXPORTED, person_id=person.id)
        return {**personal.export(connection, person)}


def erase(settings: Settings, options: argparse.Namespace) -> Answer:
    """Erase a person. Return the number of rows by table, and the car makers that could not be told, if any."""
    untold = give_back(settings, options.user)
    with closing(open_database(settings.store)) as database:
        with database.writing() as connection:
            person = find_person(connection, options.user)
            gone = personal.erase(connection, person)
            record(connection, Kind.ERASED, person_id=person.id)
        database.scrub(table for table, rows in gone.items() if rows)
        return {**gone, "car_makers_not_told": untold} if untold else {**gone}


def scrub(settings: Settings, _options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database:
        database.scrub(table.name for table in metadata.sorted_tables)
    return {"scrubbed": True}
