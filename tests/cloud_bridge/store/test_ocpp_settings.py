"""Are a charger's answers to settings stored beside the settings that it reports, and not lost while the database is down?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cloud_bridge.ingest.ocpp import setting_log
from cloud_bridge.ingest.ocpp.setting_log import SettingLog
from cloud_bridge.ocpp_settings import Answered, Setting, Told, Tried
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.ocpp_settings import record_settings, settings_of
from cloud_bridge.store.units import Protocol, add_unit
from tests.cloud_bridge.running import START_MS, store_at

ACCEPTED = Tried("HeartbeatInterval", "300", Answered.ACCEPTED)


@pytest.fixture
def charger(tmp_path: Path) -> Iterator[Database]:
    database = open_database(store_at(tmp_path))
    with database.writing() as connection:
        add_unit(connection, "wall", START_MS, protocol=Protocol.OCPP)
    yield database
    database.close()


def kept(database: Database) -> list[Setting]:
    with database.reading() as connection:
        return settings_of(connection, "wall")


def test_what_was_set_and_what_is_told_are_one_row(charger: Database) -> None:
    with charger.writing() as connection:
        record_settings(connection, [("wall", Told("B", None)), ("wall", ACCEPTED), ("nobody", ACCEPTED)])
        record_settings(connection, [("wall", Told("HeartbeatInterval", "60"))])
        record_settings(connection, [("wall", ACCEPTED._replace(answered=Answered.REJECTED))])
    assert kept(charger) == [
        Setting("B", None, None, None),
        Setting("HeartbeatInterval", "300", Answered.REJECTED, "60"),
    ]
    with charger.writing() as connection:
        connection.execute(text("UPDATE ocpp_settings SET answered = 'maybe' WHERE name = 'HeartbeatInterval'"))
    assert kept(charger)[1].answered is None


def test_what_the_database_did_not_take_waits_and_what_is_newer_wins(
    charger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SettingLog(charger)

    def refuse(*_: object) -> None:
        log.note("wall", [ACCEPTED._replace(answered=Answered.REBOOT)])  # meanwhile
        raise OperationalError("INSERT", {}, Exception("disk I/O error"))

    log.note("wall", [ACCEPTED, Told("HeartbeatInterval", "60")])
    with monkeypatch.context() as patch:
        patch.setattr(setting_log, "record_settings", refuse)
        with pytest.raises(OperationalError):
            log.write()
    monkeypatch.setattr(setting_log, "WRITTEN_AT_ONCE", 1)
    log.write()
    log.write()
    log.write()  # nothing
    assert kept(charger) == [Setting("HeartbeatInterval", "300", Answered.REBOOT, "60")]
