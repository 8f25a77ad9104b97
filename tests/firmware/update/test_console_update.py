"""Does the console show the running version, its slot and the progress of an update, and can the installer end the update?"""

import os

import pytest

from firmware.errors import CommandRefused
from firmware.service import update
from firmware.update import updates
from tests.firmware.storage.folder import empty
from tests.firmware.update import golden
from tests.firmware.update.scene import Cloud, FakeUnit, begin, go_on, trust

FOLDER = "build/tests-update-console"


class Lock:
    """Replaces firmware.installer_lock."""

    is_locked = True

    def check(self, names):
        if self.is_locked:
            raise CommandRefused("locked")


def new():
    unit = FakeUnit(empty("tests-update-console"))
    unit.installer_lock = Lock()
    begin(unit, {"v": golden.VERSION, "h": golden.HASH, "m": len(golden.MANIFEST), "r": False})
    return unit


def said(unit, argument=""):
    return dict(line.split(" ", 1) for line in update.answer_update(unit, argument))


def test_it_says_what_runs_and_what_is_fetched():
    unit = new()
    unit.updates.question()
    found = said(unit)
    assert (found["slot"], found["state"], found["before"], found["strikes"]) == ("-", "settled", "built_in", "0")
    assert (found["ordered"], found["refused"], found["doing"]) == (
        golden.VERSION,
        "-",
        "manifest 0 of %d" % len(golden.MANIFEST),
    )


def test_it_says_why_one_was_refused():
    unit = new()
    updates.BOARD = "another"
    trust(golden.KEYS)
    go_on(unit, Cloud(golden.MANIFEST, golden.IMAGE, golden.DIGEST))
    unit.updates = None
    assert said(unit)["refused"] == "board"


def refusal(unit, argument):
    with pytest.raises(CommandRefused) as refused:
        update.answer_update(unit, argument)
    return str(refused.value)


def test_the_installer_alone_ends_it():
    unit = new()
    assert refusal(unit, "stop") == "locked" and "ordered" in said(unit)
    unit.installer_lock.is_locked = False
    assert refusal(unit, "start") == "update, or update stop" and "ordered" in said(unit)
    assert "ordered" not in said(unit, "stop") and not os.listdir(FOLDER)
