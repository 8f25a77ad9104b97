"""Does a record stay until it is acknowledged, in order, through restarts, damage and a full flash?"""

import os

import pytest

from firmware.storage import outbox
from firmware.storage.outbox import Outbox, Record

FOLDER = "build/tests-outbox"


def fresh():
    for folder in ("build", FOLDER):
        try:
            os.mkdir(folder)
        except OSError:
            pass  # exists from the last run
    for name in os.listdir(FOLDER):
        os.remove(FOLDER + "/" + name)
    return Outbox(FOLDER)


def names(box):
    """Remove all records; return their sequence numbers in order."""
    found = []
    record = box.oldest()
    while record:
        found.append(record.sequence)
        box.remove(record)
        record = box.oldest()
    return found


def fill(box, numbers, kind="event", size=100):
    for number in numbers:
        box.put(kind, 1, number, b"x" * size)


def test_a_record_stays_until_it_is_removed():
    box = fresh()
    box.put("event", 3, 7, b"{}")
    assert box.oldest() == box.oldest() == Record("event", 3, 7, b"{}")
    box.remove(box.oldest())
    assert box.oldest() is None
    assert os.listdir(FOLDER) == []


def test_a_new_outbox_is_empty_and_has_no_trouble_to_tell():
    box = fresh()
    assert box.oldest() is None and box.waiting() == 0
    assert not box.flash_failed and box.dropped == box.damaged == 0


def test_a_record_of_a_unit_that_has_started_often_is_the_same_after_a_restart():
    record = Record("result", 0xFEDCBA98, 0xF0000001, b"x" * outbox.BODY_MAX)
    fresh().put(*record)
    assert Outbox(FOLDER).oldest() == record


def test_the_kinds_come_out_in_the_order_of_their_names():
    box = fresh()
    for kind, boot, sequence in (("session", 1, 1), ("event", 1, 2), ("result", 2, 0), ("event", 2, 1)):
        box.put(kind, boot, sequence, b"x")
    assert names(box) == [1, 2, 0, 1]


def test_what_was_put_is_there_after_a_restart_and_goes_on():
    fill(fresh(), range(50))
    again = Outbox(FOLDER)
    fill(again, range(50, 60))
    assert names(again) == list(range(60))


def test_what_was_removed_does_not_come_again_after_a_restart():
    box = fresh()
    fill(box, range(50))
    for _ in range(30):
        box.remove(box.oldest())
    assert names(Outbox(FOLDER)) == list(range(30, 50))


def test_removing_what_is_no_longer_the_oldest_harms_nothing():
    box = fresh()
    fill(box, range(2))
    first = box.oldest()
    box.remove(first)
    box.remove(first)
    assert names(box) == [1]


def test_without_room_the_oldest_events_go_and_the_sessions_stay():
    box = fresh()
    fill(box, range(5), "session")
    fill(box, range(5, outbox.RECORDS_MAX + 20))
    left = names(box)
    assert left[:5] == [0, 1, 2, 3, 4]
    assert left[5:] == list(range(25, outbox.RECORDS_MAX + 20))
    assert box.dropped == 20


def test_sessions_alone_are_bounded_too():
    box = fresh()
    fill(box, range(outbox.RECORDS_MAX + 1), "session")
    assert names(box) == list(range(1, outbox.RECORDS_MAX + 1))


def damage(change):
    """Store three records and change the file of the second; return what the outbox then contains."""
    fill(fresh(), range(3))
    path = FOLDER + "/" + sorted(os.listdir(FOLDER))[1]
    with open(path, "rb") as file:
        stored = change(bytearray(file.read()))
    with open(path, "wb") as file:
        file.write(stored)
    again = Outbox(FOLDER)
    fill(again, [3])
    return names(again), again.damaged


@pytest.mark.parametrize("length", [0, 1, 5, 6, 7, 105])
def test_a_torn_record_costs_no_other(length):
    assert damage(lambda stored: stored[:length]) == ([0, 2, 3], 1)


def test_a_file_of_zeros_is_no_record():
    """Its length and its CRC are valid for an empty body."""
    assert damage(lambda stored: bytes(6)) == ([0, 2, 3], 1)


def flipped(stored):
    stored[50] ^= 1
    return stored


def test_a_flipped_bit_is_noticed():
    assert damage(flipped) == ([0, 2, 3], 1)
    assert damage(lambda stored: stored + b"x") == ([0, 2, 3], 1)


def test_a_record_that_cannot_be_removed_is_not_sent_for_ever():
    box = fresh()
    fill(box, range(2))
    for name in os.listdir(FOLDER):
        os.remove(FOLDER + "/" + name)  # so that removing it fails
    box.remove(box.oldest())
    assert box.oldest() is None


def test_a_flash_that_takes_nothing_is_told_and_a_few_records_live_in_memory():
    box = Outbox("build/no-such-folder/outbox")
    fill(box, range(outbox.MEMORY_MAX))
    assert box.waiting() == outbox.MEMORY_MAX and box.dropped == 0
    fill(box, range(outbox.MEMORY_MAX, outbox.MEMORY_MAX + 3))
    assert box.flash_failed and box.dropped == 3
    assert names(box) == list(range(3, outbox.MEMORY_MAX + 3))


def test_other_files_in_the_folder_are_left_alone():
    fresh()
    with open(FOLDER + "/entry.new", "wb") as file:
        file.write(b"x")
    assert names(Outbox(FOLDER)) == []
    assert os.listdir(FOLDER) == ["entry.new"]


def test_a_record_that_is_empty_or_too_long_is_a_mistake_of_ours():
    for length in (0, outbox.BODY_MAX + 1):
        with pytest.raises(ValueError):
            fresh().put("event", 1, 1, b"x" * length)
