"""Is a stored value read back, a damaged one none, and an unchanged one not written again?"""

import os

import pytest

from firmware.storage import record_file
from tests.firmware.storage.folder import empty

FOLDER = "build/tests-record-file"
PATH = FOLDER + "/value"


def stored():
    with open(PATH, "rb") as file:
        return file.read()


@pytest.mark.parametrize("value", [{}, [1, 2], "a b", 0, None, {"a": [None, True, 1.5]}])
def test_a_value_is_read_back(value):
    empty("tests-record-file")
    record_file.save(PATH, value)
    assert record_file.load(PATH) == value


def test_without_a_file_there_is_none():
    empty("tests-record-file")
    assert record_file.load(PATH) is None


@pytest.mark.parametrize("at", range(14))
def test_a_file_with_one_wrong_byte_is_none(at):
    empty("tests-record-file")
    record_file.save(PATH, [1, 2])
    whole = stored()
    with open(PATH, "wb") as file:
        file.write(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert record_file.load(PATH) is None
    record_file.save(PATH, [1, 2])
    assert stored() == whole, "it is not taken for the same"


def test_a_file_that_ends_early_is_none():
    empty("tests-record-file")
    record_file.save(PATH, [1, 2])
    whole = stored()
    for length in range(len(whole)):
        with open(PATH, "wb") as file:
            file.write(whole[:length])
        assert record_file.load(PATH) is None


def test_an_unchanged_value_costs_no_write():
    empty("tests-record-file")
    record_file.save(PATH, 7)
    os.rename(PATH, PATH + "-as-it-was")
    record_file.save(PATH, 7)
    with open(PATH + "-as-it-was", "rb") as file:
        assert file.read() == stored()
    opened = []

    def noting(path, mode):
        opened.append(mode)
        return open(path, mode)

    record_file.open = noting
    try:
        record_file.save(PATH, 7)
        record_file.save(PATH, 8)
    finally:
        del record_file.open
    assert opened == ["rb", "rb", "wb"]


def test_a_flash_that_fails_is_an_error_of_the_one_who_saves_alone():
    assert record_file.load("build/no-such-folder/value") is None
    with pytest.raises(OSError):
        record_file.save("build/no-such-folder/value", 7)
