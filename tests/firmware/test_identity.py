"""Does each unit have its own secret, which is reported once, and does it erase its owner's data on request?"""

import hashlib
import os

import pytest

from firmware.charge_point import ChargePoint
from firmware.errors import CommandRefused, SettingError
from firmware.installer_lock import InstallerLock
from firmware.service.fitting import answer_config, answer_unlock
from firmware.service.identity import answer_authority, answer_factoryreset, answer_identity, answer_provision
from firmware.storage import record_file
from firmware.storage.authority import Authority
from firmware.storage.event_log import EventLog
from firmware.storage.outbox import Outbox
from firmware.storage.session_log import SessionLog, Stored
from firmware.storage.settings import FILE, Settings
from tests.firmware.link.fake_clock import FakeClock
from tests.firmware.storage.folder import empty

FLASH = "build/tests-identity"


class Unit(ChargePoint):
    """The part of a charge point that these commands use."""

    def __init__(self):
        self.folder = empty("tests-identity")
        self.settings = Settings(self.folder)
        self.log = EventLog(self.folder)
        self.installer_lock = InstallerLock(self.settings, FakeClock(), self.note, self.folder)
        self.authority = Authority(self.folder)
        self.journal = self.exchange = self.report = self.link = self
        self.session = None
        self.applied = 0

    def note(self, kind, details):
        self.log.put(0, None, kind, details)

    def apply_settings(self):
        self.applied += 1

    def reconnect(self):
        pass

    def flash(self):
        return self.folder

    def restart(self):
        raise SystemExit


def secret_of(lines):
    (found,) = [line.split(" ", 1)[1] for line in lines if line.startswith("secret ")]
    return found


def test_a_unit_that_is_given_no_secret_makes_one_and_says_how_to_tell_the_cloud():
    unit = Unit()
    said = answer_provision(unit, '{"id": "CP1", "broker": "b"}')
    secret = secret_of(said)
    assert len(secret) == 64 and unit.settings["secret"] == secret and unit.settings.provisioned()
    assert said[1] == "cloud python -m cloud_bridge unit add CP1 --secret -"
    assert unit.applied == 1


def test_no_two_are_alike():
    assert len({secret_of(answer_provision(Unit(), '{"id": "CP1"}')) for _ in range(8)}) == 8


def test_it_is_told_once_and_stands_in_no_log():
    unit = Unit()
    secret = secret_of(answer_provision(unit, '{"id": "CP1"}'))
    assert answer_provision(unit, '{"apn": "net"}') == []
    assert unit.settings["secret"] == secret
    assert secret not in str(answer_config(unit, ""))
    assert secret not in str(unit.log.latest()) + str(unit.log.security(9))


def test_a_secret_that_is_given_is_taken_and_not_repeated():
    unit = Unit()
    assert answer_provision(unit, '{"id": "CP1", "secret": "s3cret"}') == []
    assert unit.settings["secret"] == "s3cret"


@pytest.mark.parametrize("typed", ["", "7", "[]", "{}", "{", '"secret"'])
def test_what_is_no_object_is_refused(typed):
    with pytest.raises(CommandRefused):
        answer_provision(Unit(), typed)


def used():
    """Return a unit that had an owner."""
    unit = Unit()
    answer_provision(unit, '{"id": "CP1", "broker": "b", "installer_code": "4711-0815"}')
    unit.installer_lock.unlock("4711-0815")
    unit.settings.change({"schedule": "off", "installer_max_a": 16})
    unit.settings.keep_as_good()
    Outbox(FLASH + "/outbox").put("session", 1, 2, b"{}")
    SessionLog(FLASH).append(Stored(1, 0, 10, 5, 100))
    return unit


def test_a_factory_reset_makes_a_new_secret_and_forgets_the_owner():
    unit = used()
    before = unit.settings["secret"]
    said = answer_factoryreset(unit, "CP1")
    again = Settings(FLASH)
    assert again["secret"] == secret_of(said) != before
    assert said[1] == "cloud python -m cloud_bridge unit secret CP1 --secret -"
    assert again["schedule"] == "" and not again.fall_back()
    assert Outbox(FLASH + "/outbox").waiting() == 0 and SessionLog(FLASH).last_number() == 0
    assert unit.after_answer == unit.restart


def test_what_the_unit_is_and_what_its_house_bears_stays():
    unit = used()
    answer_factoryreset(unit, "CP1")
    again = Settings(FLASH)
    assert (again["id"], again["broker"], again["installer_code"], again["installer_max_a"]) == (
        "CP1",
        "b",
        "4711-0815",
        16,
    )
    assert "factory reset" in str(EventLog(FLASH).security(9)) and secret_of_file(before=unit) == 0


def secret_of_file(before):
    """Return the number of other files on the flash that contain the secret."""
    secret, found = before.settings["secret"].encode(), 0
    for folder in ("", "/security", "/outbox", "/sessions"):
        for name in os.listdir(FLASH + folder):
            try:
                with open(FLASH + folder + "/" + name, "rb") as file:
                    found += name != "settings" and secret in file.read()
            except OSError:
                pass  # a folder
    return found


def test_it_is_the_installer_s_alone_and_not_by_mistake():
    unit = used()
    locked = InstallerLock(unit.settings, FakeClock(), unit.note, unit.folder)
    unit.installer_lock, opened = locked, unit.installer_lock
    with pytest.raises(CommandRefused, match="locked"):
        answer_factoryreset(unit, "CP1")
    unit.installer_lock = opened
    with pytest.raises(CommandRefused, match="cannot be undone"):
        answer_factoryreset(unit, "")
    unit.session = "a car"
    with pytest.raises(CommandRefused, match="unplug"):
        answer_factoryreset(unit, "CP1")
    assert unit.after_answer is None


def commissioned(code="4711-0815"):
    """Return a unit with a code, as after a restart."""
    unit = Unit()
    answer_provision(unit, '{"id": "CP1", "broker": "b", "plain_mqtt": false}')
    values = {name: unit.settings[name] for name in unit.settings.names()}
    values["installer_code"] = code
    record_file.save(unit.folder + FILE, values)
    unit.settings = Settings(unit.folder)
    unit.installer_lock = InstallerLock(unit.settings, FakeClock(), unit.note, unit.folder)
    return unit


IDENTITY = (
    '{"id": "CP2"}',
    '{"secret": "of somebody else"}',
    '{"broker": "evil.example"}',
    '{"port": 1883}',
    '{"plain_mqtt": true}',
    '{"apn": "evil"}',
    '{"schedule": "off", "broker": "evil.example"}',
)


@pytest.mark.parametrize("wanted", IDENTITY)
def test_who_a_commissioned_unit_is_and_whom_it_calls_needs_the_code(wanted):
    unit = commissioned()
    before = [unit.settings[name] for name in unit.settings.names()]
    with pytest.raises(CommandRefused, match="locked; unlock CODE first"):
        answer_provision(unit, wanted)
    assert before == [unit.settings[name] for name in unit.settings.names()]
    answer_unlock(unit, "4711-0815")
    answer_provision(unit, wanted)


def test_whom_a_commissioned_unit_trusts_needs_the_code():
    unit = commissioned()
    certificate = "MIIAAQA="  # 0x30 0x82, a length of 1, one byte
    for step in ("begin", "add " + certificate, "keep", "anything"):
        with pytest.raises(CommandRefused, match="authority is locked"):
            answer_authority(unit, step)
    assert answer_authority(unit, "") == ["authority -"]
    answer_unlock(unit, "4711-0815")
    answer_authority(unit, "begin")
    answer_authority(unit, "add " + certificate)
    assert answer_authority(unit, "keep") == ["authority set"]
    assert "authority changed" in str(unit.log.latest())


def test_a_unit_that_is_not_commissioned_may_be_told_whom_to_trust():
    assert answer_authority(Unit(), "begin") == ["authority -"]


def test_a_short_code_of_an_older_firmware_opens_and_is_to_be_changed():
    unit = commissioned("4711")
    (warning,) = answer_unlock(unit, "4711")
    assert warning == "warning installer_code has fewer than 8 characters; set a longer one"
    with pytest.raises(SettingError, match="at least 8 characters"):
        answer_provision(unit, '{"installer_code": "0815"}')
    answer_provision(unit, '{"installer_code": "4711-0815"}')
    assert answer_unlock(unit, "4711-0815") == []


def test_neither_restart_nor_factory_reset_resets_the_wait_without_the_code():
    unit = commissioned()
    for _ in range(3):
        with pytest.raises(CommandRefused, match="wrong code"):
            answer_unlock(unit, "guess")
    with pytest.raises(CommandRefused, match="locked"):
        answer_factoryreset(unit, "CP1")
    unit.installer_lock = InstallerLock(unit.settings, FakeClock(), unit.note, unit.folder)
    with pytest.raises(CommandRefused, match="wait 60 s"):
        answer_unlock(unit, "4711-0815")


def test_a_secret_that_never_leaves_the_unit_is_known_by_its_hash():
    unit = Unit()
    assert answer_identity(unit, "") == ["id -", "secret_sha256 -"]
    said = answer_identity(unit, "CP1")
    secret = unit.settings["secret"]
    assert said == ["id CP1", "secret_sha256 " + hashlib.sha256(secret.encode()).hexdigest()]
    assert secret not in "".join(said)
    assert answer_identity(unit, "CP1") == answer_identity(unit, "") == said
    assert Settings(unit.folder)["secret"] == secret and unit.applied == 1
    with pytest.raises(CommandRefused, match="this unit is CP1"):
        answer_identity(unit, "CP2")


def test_a_locked_unit_gets_no_identity_and_shows_the_one_that_it_has():
    unit = Unit()
    unit.settings.change({"installer_code": "long enough"})
    with pytest.raises(CommandRefused, match="locked"):
        answer_identity(unit, "CP1")
    unit.settings.change({"id": "CP1", "secret": "0f" * 32})
    assert answer_identity(unit, "CP1")[0] == "id CP1"


@pytest.mark.parametrize("secret", ["hunter2", "g" * 64, "0" * 63])
def test_of_a_secret_that_could_be_guessed_no_hash_is_told(secret):
    unit = Unit()
    unit.settings.change({"id": "CP1", "secret": secret})
    assert answer_identity(unit, "") == ["id CP1", "secret_sha256 -"]
