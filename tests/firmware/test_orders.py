"""Does an order do what it says, once, and is every order answered?"""

import json
import os

import pytest

from firmware.errors import SettingError
from firmware.orders import FILE, Orders

FOLDER = "build/tests-orders"
NOW_S, END_S = 1767240000, 1767240100


class Reset(Exception):
    """The board was asked to restart."""


class Unit:
    """Of app.Unit, what can be ordered about; `told` are the answers."""

    def __init__(self):
        self.told = []
        self.journal = self.wall_clock = self.clock = self.board = self.uplink = self.persistence = self.claims = self
        self.controller = self.report = self.settings = self
        self.contactor = False
        self.cloud = "untouched"
        self.load_manager = None
        self.fallback_amps = 10
        self.car = "a car"
        self.overridden = None
        self.scan_wanted = self.applied = self.flash_full = False
        self.changed = {}
        self.time_s = NOW_S

    def answer(self, command_id, ok, why):
        self.told.append((command_id, ok, why))

    def now(self):
        return self.time_s

    def now_ms(self):
        return 5000

    def reset(self):
        raise Reset

    def override(self, wanted):
        if wanted and self.car is None:
            return "no vehicle"
        self.overridden = wanted
        return None

    def __getitem__(self, name):
        return getattr(self, name)

    def change(self, wanted):
        if self.flash_full:
            raise OSError("no space")
        for name, value in wanted.items():
            if value == 1:
                raise SettingError(name, "needs more")
        self.changed.update(wanted)

    def time_is(self, epoch_s, who):
        self.changed[who] = epoch_s

    def apply_settings(self):
        self.applied = True


def fresh():
    for folder in ("build", FOLDER):
        try:
            os.mkdir(folder)
        except OSError:
            pass  # there from the last run
    for name in os.listdir(FOLDER):
        os.remove(FOLDER + "/" + name)
    unit = Unit()
    return unit, Orders(unit, FOLDER)


def order(said):
    unit, orders = fresh()
    orders.take(json.dumps(said).encode())
    return unit


def test_a_limit_is_a_claim_that_ends_with_the_command():
    unit = order({"id": "c", "do": "limit", "amps": 16, "exp": END_S})
    assert unit.cloud[:3] == ("cloud", 16, 105000) and unit.cloud.ends_s == END_S
    assert unit.told == [("c", True, None)]


def test_a_pause_is_a_limit_of_nothing_and_resume_withdraws_it():
    assert order({"id": "c", "do": "pause", "exp": END_S}).cloud.amps == 0
    assert order({"id": "c", "do": "resume"}).cloud is None


def test_the_load_manager_of_the_house_is_heard_where_there_is_one():
    said = {"id": "c", "do": "load_manager", "amps": 10, "exp": END_S}
    assert order(said).load_manager[:3] == ("load_manager", 10, 105000)
    unit, orders = fresh()
    unit.fallback_amps = 0
    orders.take(json.dumps(said).encode())
    assert unit.told == [("c", False, "the installer has set no fallback_amps")] and unit.load_manager is None


def test_the_others_do_what_they_say():
    assert order({"id": "c", "do": "override", "on": True}).overridden is True
    assert order({"id": "c", "do": "override", "on": False}).overridden is False
    assert order({"id": "c", "do": "clear_override"}).overridden is False
    assert order({"id": "c", "do": "schedule", "hours": "default"}).changed == {"schedule": "default"}
    assert order({"id": "c", "do": "delay", "s": 900}).changed == {"random_delay_max_s": 900}
    assert order({"id": "c", "do": "rescan", "exp": END_S}).scan_wanted
    assert order({"id": "c", "do": "time", "t": NOW_S}).changed == {"cloud": NOW_S}
    unit = order({"id": "c", "do": "config", "set": {"heartbeat_idle_s": 600}})
    assert unit.changed == {"heartbeat_idle_s": 600} and unit.applied


def test_charge_now_without_a_car_is_refused():
    """[R10f]"""
    unit, orders = fresh()
    unit.car = None
    orders.take(b'{"id":"c","do":"override","on":true}')
    assert unit.told == [("c", False, "no vehicle")] and unit.overridden is None


@pytest.mark.parametrize("name", ["broker", "secret", "installer_max_a", "id", "nonsense"])
def test_configuration_is_by_whitelist(name):
    unit = order({"id": "c", "do": "config", "set": {"heartbeat_idle_s": 600, name: "x"}})
    assert unit.changed == {} and not unit.applied
    assert unit.told == [("c", False, name + ": not for the cloud to set")]


def test_a_bad_value_is_answered_with_its_reason():
    unit = order({"id": "c", "do": "config", "set": {"heartbeat_idle_s": 1}})
    assert unit.told == [("c", False, "heartbeat_idle_s: needs more")] and not unit.applied


def test_a_reboot_is_answered_first_and_never_fires_twice():
    unit, orders = fresh()
    reboot = json.dumps({"id": "c", "do": "reboot", "exp": END_S}).encode()
    with pytest.raises(Reset):
        orders.take(reboot)
    assert unit.told == [("c", True, None)]
    again = Orders(unit, FOLDER)  # after the restart
    again.take(reboot)
    assert unit.told[1] == ("c", False, "repeated")
    unit.time_s = END_S
    again.take(json.dumps({"id": "d", "do": "reboot", "exp": END_S}).encode())
    unit.time_s = None
    again.take(json.dumps({"id": "e", "do": "reboot", "exp": END_S}).encode())
    assert [why for _, _, why in unit.told[2:]] == ["expired", "time unknown"]


def test_no_reboot_while_charging():
    unit, orders = fresh()
    unit.contactor = True
    orders.take(json.dumps({"id": "c", "do": "reboot", "exp": END_S}).encode())
    assert unit.told == [("c", False, "charging")]


def test_what_cannot_be_remembered_is_not_done():
    unit = Unit()
    Orders(unit, "build/no-such-folder").take(json.dumps({"id": "c", "do": "resume"}).encode())
    assert unit.told == [("c", False, "the flash takes nothing")] and unit.cloud == "untouched"


def test_a_setting_that_the_flash_does_not_take_is_answered_too():
    unit, orders = fresh()
    unit.flash_full = True
    orders.take(json.dumps({"id": "c", "do": "delay", "s": 900}).encode())
    assert unit.told == [("c", False, "the flash takes nothing")] and unit.changed == {}


def test_a_damaged_memory_of_ids_starts_afresh():
    unit, orders = fresh()
    with open(FOLDER + FILE, "w") as file:
        file.write("nonsense")
    Orders(unit, FOLDER).take(b'{"id":"c","do":"resume"}')
    assert unit.told == [("c", True, None)]
