"""Is what is personal of the owner gone after a change of ownership, and is all else there?"""

import os

from firmware.storage.forgetting import FILES, FOLDERS, forget_owner
from tests.firmware.storage.folder import empty

FLASH = "build/tests-forgetting"


def write(path):
    with open(FLASH + path, "wb") as file:
        file.write(b"x")


def test_sessions_messages_and_orders_are_gone_and_nothing_else():
    empty("tests-forgetting")
    for folder in FOLDERS + ("/security",):
        os.mkdir(FLASH + folder)
        write(folder + "/1")
        write(folder + "/2")
    for name in FILES + ("/settings",):
        write(name)
    forget_owner(FLASH)
    assert sorted(os.listdir(FLASH)) == ["outbox", "security", "sessions", "settings"]
    assert os.listdir(FLASH + "/sessions") == os.listdir(FLASH + "/outbox") == []
    assert sorted(os.listdir(FLASH + "/security")) == ["1", "2"]


def test_what_cannot_be_removed_keeps_nothing_else():
    empty("tests-forgetting")
    for folder in FOLDERS:
        os.mkdir(FLASH + folder)
        os.mkdir(FLASH + folder + "/0")
        write(folder + "/1")
    write(FILES[-1])
    forget_owner(FLASH)
    assert [os.listdir(FLASH + folder) for folder in FOLDERS] == [["0"], ["0"]]
    assert FILES[-1][1:] not in os.listdir(FLASH)


def test_a_unit_that_has_nothing_forgets_nothing():
    forget_owner("build/no-such-folder")
