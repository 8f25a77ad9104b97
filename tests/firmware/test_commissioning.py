"""Does a unit charge at 6 A until it is commissioned, report that, and never exceed the rating of its circuit afterwards?"""

import errno
import json

import pytest

from firmware import commissioning
from firmware.charge_point import ChargePoint, setup
from firmware.charging.exchange import Exchange
from firmware.commands import CARRY_OUT
from firmware.errors import CommandRefused, SettingError
from firmware.installer_lock import InstallerLock
from firmware.link.commands import Command, Refused, checked, read
from firmware.service.identity import answer_commission, answer_provision
from firmware.storage import record_file
from firmware.storage.settings import Settings
from tests.firmware.link.fake_clock import FakeClock
from tests.firmware.storage.folder import empty

STEPS = {
    "amps": 32,
    "earth": "TN-C-S",
    "polarity": True,
    "rcd_ms": 24,
    "csq": 21,
    "boost": "none",
    "by": "Jo Spark",
}
NOW_S = 1767240000


class WallClock:
    uptime_ms = 5000000

    def now(self):
        return NOW_S

    def now_ms(self):
        return self.uptime_ms


class Board:
    def calibrate(self, gain_permille, zero_mv):
        pass


class Unit(ChargePoint):
    """The part of a charge point that commissioning uses. `start` runs the first steps of its program."""

    def __init__(self, settings=None):
        self.folder = empty("tests-commissioning")
        Settings(self.folder).change(settings or {"id": "CP1"})
        self.noted, self.link, self._board = [], None, Board()
        self.clock, self.wall_clock = FakeClock(), WallClock()
        self.start()

    def start(self):
        self.settings = Settings(self.folder)
        self.installer_lock = InstallerLock(self.settings, self.clock, self.note, self.folder)
        self.rating_a = commissioning.rating_a(self.folder, self.settings)
        self.exchange = Exchange(0, setup(self.settings, self.rating_a), None, ())

    def flash(self):
        return self.folder

    def note(self, kind, details):
        self.noted.append((kind, details))

    def most_a(self):
        return self.exchange.setup.installer_max_a

    def type(self, **other):
        return answer_commission(self, json.dumps(dict(STEPS, **other)))

    def order(self, **other):
        steps = checked("commission", dict(STEPS, **other))
        CARRY_OUT["commission"](self, Command("c", "commission", steps, NOW_S + 60))

    def store(self, text):
        with open(self.folder + commissioning.FILE, "wb") as file:
            file.write(text)


def test_a_new_unit_charges_at_6_a_and_says_what_is_missing():
    """[BS7671-6]"""
    unit = Unit()
    assert unit.most_a() == 6 and not unit.exchange.setup.commissioned
    said = ["commissioned no; 6 A until it is: circuit, earthing, polarity, RCD and signal"]
    assert answer_commission(unit, "") == said and [commissioning.status(unit)] == said


def test_what_the_installer_found_is_recorded_told_once_and_in_force_at_once_and_after_a_restart():
    unit = Unit()
    lines = unit.type()
    for line in ("amps 32", "at 1767240000", "by Jo Spark", "earth TN-C-S", "rcd_ms 24", "via console"):
        assert line in lines
    assert unit.noted == [("commissioned", dict(STEPS, via="console"))]
    for _ in range(2):
        assert unit.most_a() == 32 and unit.exchange.setup.commissioned
        assert commissioning.status(unit) == "commissioned 32 A" and answer_commission(unit, "") == lines
        unit.start()


@pytest.mark.parametrize(
    "wrong, why",
    [
        ({"polarity": False}, "polarity: live and neutral are exchanged"),
        ({"earth": "IT"}, "bad earth"),
        ({"rcd_ms": 301}, "must trip within 300 ms"),
        ({"rcd_ms": 0}, "must trip within 300 ms"),
        ({"csq": 14}, "csq: must be greater than 14; fit a signal boost, or order one"),
        ({"csq": 99}, "csq: must be greater than 14"),
        ({"csq": 14, "boost": "fitted"}, "csq: must be greater than 14"),
        ({"boost": "perhaps"}, "bad boost"),
        ({"boost": ["none"]}, "bad boost"),
        ({"amps": 5}, "bad amps"),
        ({"amps": 81}, "bad amps"),
        ({"amps": True}, "bad amps"),
        ({"amps": "32"}, "bad amps"),
        ({"polarity": 1}, "bad polarity"),
        ({"rcd_ms": 24.5}, "bad rcd_ms"),
        ({"rcd_ms": -1}, "bad rcd_ms"),
        ({"csq": None}, "bad csq"),
        ({"by": " "}, "by: who commissions it"),
        ({"by": "x" * 41}, "bad by"),
        ({"by": "a\nb"}, "bad by"),
    ],
)
def test_what_must_be_put_right_first_is_said_and_nothing_is_recorded(wrong, why):
    """[BS7671-6]"""
    unit = Unit()
    with pytest.raises(CommandRefused, match=why):
        unit.type(**wrong)
    assert unit.most_a() == 6 and not unit.noted and commissioning.load(unit.folder) is None


def test_a_weak_signal_is_recorded_with_the_boost_that_was_ordered_or_fitted():
    for csq, boost in ((14, "ordered"), (99, "ordered"), (15, "none"), (15, "fitted")):
        unit = Unit()
        unit.type(csq=csq, boost=boost)
        assert unit.most_a() == 32


@pytest.mark.parametrize("typed", ["{", "[]", "32", '"a"'])
def test_what_is_no_object_is_refused(typed):
    with pytest.raises(CommandRefused, match="one JSON object"):
        answer_commission(Unit(), typed)


def test_it_needs_the_installers_code():
    unit = Unit({"id": "CP1", "installer_code": "4711-0815"})
    with pytest.raises(CommandRefused, match="commission is locked"):
        unit.type()
    unit.installer_lock.unlock("4711-0815")
    unit.type()
    assert unit.most_a() == 32


@pytest.mark.parametrize("stored", [b"{", b"00000000 {}", b"\xff" * 80])
def test_a_record_that_cannot_be_read_is_6_a_whatever_was_set_before(stored):
    unit = Unit({"id": "CP1", "installer_max_a": 32})
    unit.store(stored)
    unit.start()
    assert unit.most_a() == 6
    assert answer_commission(unit, "") == ["commissioned no; 6 A until it is: the record cannot be read"]


class FailingFlash:
    """Replaces the module `os`: the flash does not even report whether the record exists."""

    def stat(self, path):
        raise OSError(errno.EIO)


def test_a_flash_that_does_not_answer_is_no_unit_from_before_there_were_records():
    unit = Unit({"id": "CP1", "installer_max_a": 32})
    unit.type(amps=10)
    commissioning.os, before = FailingFlash(), commissioning.os
    try:
        unit.start()
    finally:
        commissioning.os = before
    assert unit.most_a() == 6


def test_a_record_without_a_rating_is_none():
    for record in ([32], {"amps": "32"}, {"amps": 5}, {"amps": True}, {}):
        unit = Unit()
        record_file.save(unit.folder + commissioning.FILE, record)
        unit.start()
        assert unit.most_a() == 6, record


def test_a_unit_that_was_installed_before_there_were_records_stays_as_it_was_set():
    unit = Unit({"id": "CP1", "installer_max_a": 16})
    assert unit.most_a() == 16 and unit.exchange.setup.commissioned
    assert commissioning.status(unit) == "commissioned 16 A"
    unit.store(b"")  # the mains failed during the second commissioning
    unit.start()
    assert unit.most_a() == 16
    unit.type(amps=10)
    unit.start()
    assert unit.most_a() == 10, "the record, and not the setting, is the rating from now on"


def test_no_setting_goes_round_the_commissioning():
    unit = Unit()
    with pytest.raises(CommandRefused, match="commission sets the rating"):
        answer_provision(unit, '{"installer_max_a": 32}')
    unit.start()
    assert unit.most_a() == 6


def test_the_cloud_alone_commissions_nothing():
    unit = Unit()
    with pytest.raises(CommandRefused, match="press its button first"):
        unit.order()
    unit.exchange.pressed_ms = WallClock.uptime_ms - commissioning.PRESENT_MS
    with pytest.raises(CommandRefused, match="press its button first"):
        unit.order()
    assert unit.most_a() == 6
    unit.exchange.pressed_ms += 1
    unit.order(amps=20)
    assert unit.most_a() == 20 and unit.noted == [("commissioned", dict(STEPS, amps=20, via="cloud"))]


def test_the_cloud_gives_no_more_to_a_unit_that_was_commissioned_for_less():
    """[BS7671-6]"""
    unit = Unit()
    unit.type(amps=16)
    unit.exchange.pressed_ms = WallClock.uptime_ms
    with pytest.raises(CommandRefused, match="commissioned for 16 A"):
        unit.order(amps=20)
    unit.order(amps=10)
    assert unit.most_a() == 10
    unit.type(amps=32)
    assert unit.most_a() == 32, "somebody with the code, at the unit, may"


def test_an_order_has_an_end_and_nothing_that_is_not_said():
    order = dict(STEPS, id="c", do="commission")
    with pytest.raises(Refused):
        read(json.dumps(order).encode(), NOW_S, [])
    order["exp"] = NOW_S + 60
    assert read(json.dumps(order).encode(), NOW_S, []).arguments == STEPS
    del order["earth"]
    with pytest.raises(Refused):
        read(json.dumps(order).encode(), NOW_S, [])


def test_a_flash_that_takes_nothing_leaves_everything_as_it_was():
    unit = Unit()
    unit.flash = lambda: unit.folder + "/there/is/none"
    with pytest.raises(OSError):
        unit.type()
    assert unit.most_a() == 6 and not unit.noted


def test_the_setting_itself_still_has_its_bounds():
    with pytest.raises(SettingError):
        Unit().settings.change({"installer_max_a": 81})
