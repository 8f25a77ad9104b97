"""Is each command carried out once, and answered?"""

import json
import os

import pytest

from firmware.charge_point import ChargePoint
from firmware.commands import FILE, Commands
from firmware.errors import CommandRefused, SettingError

FOLDER = "build/tests-commands"
NOW_S, END_S = 1767240000, 1767240100


class Reset(Exception):
    """The board was asked to restart."""


class Unit(ChargePoint):
    """A charge point with only what commands use; `told` records the answers."""

    def __init__(self, folder=FOLDER):
        self.told = []
        self.journal = self.wall_clock = self.link = self.exchange = self.report = self.settings = self
        self._claim_manager = self.claims = self
        self.folder = folder
        self.contactor, self.ceilings = False, ()
        self.cloud = "untouched"
        self.load_manager = None
        self.fallback_amps = 10
        self.car = "a car"
        self.overridden = None
        self.scan_wanted = self.applied = self.flash_full = False
        self.changed = {}
        self.time_s = NOW_S

    def flash(self):
        return self.folder

    def scan(self):
        self.scan_wanted = True

    def answer(self, command_id, ok, why, in_force=None):
        self.told.append((command_id, ok, why))

    def skip_delay(self):
        self.changed["delay"] = "skipped"

    def now(self):
        return self.time_s

    def now_ms(self):
        return 5000

    def restart(self):
        raise Reset

    def order(self, claim):
        self.cloud = claim

    def override(self, wanted):
        if wanted and self.car is None:
            raise CommandRefused("no vehicle")
        self.overridden = wanted

    def __getitem__(self, name):
        return getattr(self, name)

    def change(self, wanted):
        if self.flash_full:
            raise OSError("no space")
        for name, value in wanted.items():
            if value == 1:
                raise SettingError(name, "needs more")
        self.changed.update(wanted)

    def set_time(self, epoch_s, source):
        self.changed[source] = epoch_s

    def apply_settings(self):
        self.applied = True


def fresh():
    for folder in ("build", FOLDER):
        try:
            os.mkdir(folder)
        except OSError:
            pass  # exists from the last run
    for name in os.listdir(FOLDER):
        os.remove(FOLDER + "/" + name)
    unit = Unit()
    return unit, Commands(unit)


def command(said):
    unit, commands = fresh()
    commands.take(json.dumps(said).encode())
    return unit


def test_a_limit_is_a_claim_that_ends_with_the_command():
    unit = command({"id": "c", "do": "limit", "amps": 16, "exp": END_S})
    assert unit.cloud[:3] == ("cloud", 16, 105000) and unit.cloud.ends_s == END_S
    assert unit.told == [("c", True, None)]


def test_a_pause_is_a_limit_of_nothing_and_resume_withdraws_it():
    assert command({"id": "c", "do": "pause", "exp": END_S}).cloud.amps == 0
    assert command({"id": "c", "do": "resume"}).cloud is None


def test_the_load_manager_of_the_house_is_heard_where_there_is_one():
    said = {"id": "c", "do": "load_manager", "amps": 10, "exp": END_S}
    assert command(said).load_manager[:3] == ("load_manager", 10, 105000)
    unit, commands = fresh()
    unit.fallback_amps = 0
    commands.take(json.dumps(said).encode())
    assert unit.told == [("c", False, "the installer has set no fallback_amps")] and unit.load_manager is None


def test_the_others_do_what_they_say():
    assert command({"id": "c", "do": "override", "on": True}).overridden is True
    assert command({"id": "c", "do": "override", "on": False}).overridden is False
    assert command({"id": "c", "do": "clear_override"}).overridden is False
    assert command({"id": "c", "do": "schedule", "hours": "default"}).changed == {"schedule": "default"}
    assert command({"id": "c", "do": "delay", "s": 900}).changed == {"random_delay_max_s": 900}
    assert command({"id": "c", "do": "skip_delay"}).changed == {"delay": "skipped"}
    assert command({"id": "c", "do": "rescan", "exp": END_S}).scan_wanted
    assert command({"id": "c", "do": "time", "t": NOW_S}).changed == {"cloud": NOW_S}
    unit = command({"id": "c", "do": "config", "set": {"heartbeat_idle_s": 600}})
    assert unit.changed == {"heartbeat_idle_s": 600} and unit.applied


def test_charge_now_without_a_car_is_refused():
    """[R10f]"""
    unit, commands = fresh()
    unit.car = None
    commands.take(b'{"id":"c","do":"override","on":true}')
    assert unit.told == [("c", False, "no vehicle")] and unit.overridden is None


@pytest.mark.parametrize("said", [{"do": "pause", "exp": END_S}, {"do": "resume"}, {"do": "override", "on": True}])
def test_a_wish_that_cannot_be_kept_is_refused(said):
    """The part that stores it failed at the start."""
    unit, commands = fresh()
    unit._claim_manager = None
    unit.override = lambda wanted: ChargePoint.override(unit, wanted)
    commands.take(json.dumps(dict(said, id="c")).encode())
    assert unit.told == [("c", False, "a part failed at the start: see status")]


@pytest.mark.parametrize("name", ["broker", "secret", "installer_max_a", "id", "nonsense"])
def test_configuration_is_by_whitelist(name):
    unit = command({"id": "c", "do": "config", "set": {"heartbeat_idle_s": 600, name: "x"}})
    assert unit.changed == {} and not unit.applied
    assert unit.told == [("c", False, name + ": not for the cloud to set")]


def test_a_bad_value_is_answered_with_its_reason():
    unit = command({"id": "c", "do": "config", "set": {"heartbeat_idle_s": 1}})
    assert unit.told == [("c", False, "heartbeat_idle_s: needs more")] and not unit.applied


def test_a_reboot_is_answered_first_and_never_fires_twice():
    unit, commands = fresh()
    reboot = json.dumps({"id": "c", "do": "reboot", "exp": END_S}).encode()
    with pytest.raises(Reset):
        commands.take(reboot)
    assert unit.told == [("c", True, None)]
    again = Commands(unit)  # after the restart
    again.take(reboot)
    assert unit.told[1] == ("c", False, "repeated")
    unit.time_s = END_S
    again.take(json.dumps({"id": "d", "do": "reboot", "exp": END_S}).encode())
    unit.time_s = None
    again.take(json.dumps({"id": "e", "do": "reboot", "exp": END_S}).encode())
    assert [why for _, _, why in unit.told[2:]] == ["expired", "time unknown"]


def test_no_reboot_while_charging():
    unit, commands = fresh()
    unit.contactor = True
    commands.take(json.dumps({"id": "c", "do": "reboot", "exp": END_S}).encode())
    assert unit.told == [("c", False, "charging")]


def test_what_cannot_be_remembered_is_not_done():
    unit = Unit("build/no-such-folder")
    Commands(unit).take(json.dumps({"id": "c", "do": "resume"}).encode())
    assert unit.told == [("c", False, "flash write failed")] and unit.cloud == "untouched"


def test_a_setting_that_the_flash_does_not_take_is_answered_too():
    unit, commands = fresh()
    unit.flash_full = True
    commands.take(json.dumps({"id": "c", "do": "delay", "s": 900}).encode())
    assert unit.told == [("c", False, "flash write failed")] and unit.changed == {}


def test_a_damaged_memory_of_ids_starts_afresh():
    unit, commands = fresh()
    with open(FOLDER + FILE, "w") as file:
        file.write("nonsense")
    Commands(unit).take(b'{"id":"c","do":"resume"}')
    assert unit.told == [("c", True, None)]
