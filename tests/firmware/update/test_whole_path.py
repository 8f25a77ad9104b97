"""Does a signed release get from the cloud into a slot, and nothing else?"""

import os

import pytest

from firmware.boards.stock import starter
from firmware.errors import CommandRefused
from firmware.update import slots
from tests.firmware.storage.folder import empty
from tests.firmware.update import golden
from tests.firmware.update.scene import Cloud, FakeUnit, Restarted, begin, go_on, trust

FOLDER = "build/tests-update"


def new(board="virtual"):
    trust(golden.KEYS)
    return FakeUnit(empty("tests-update"), board)


def order(**changed):
    return dict({"v": golden.VERSION, "h": golden.HASH, "m": len(golden.MANIFEST), "r": False}, **changed)


def cloud(bend=None):
    return Cloud(golden.MANIFEST, golden.IMAGE, golden.DIGEST, bend)


def test_a_signed_release_is_installed_and_on_trial():
    unit = new()
    begin(unit, order())
    assert go_on(unit, cloud())
    record = slots.load(FOLDER)
    assert (record["active"], record["before"], record["state"]) == ("a", "built_in", "trial")
    assert starter.choose(FOLDER, "soft") == "a"
    assert sorted(os.listdir(FOLDER + "/a")) == ["manifest", "product"]
    assert starter.is_whole(FOLDER + "/a") and starter.version(FOLDER + "/a") == golden.VERSION


def test_the_next_start_tells_it_once():
    unit = new()
    begin(unit, order())
    go_on(unit, cloud())
    for _ in range(2):
        begin(unit, None, "a").poll()
    assert unit.told == [(golden.VERSION, "installed", None), (golden.VERSION, "trial", None)]


def test_while_the_contactor_is_closed_nothing_is_asked_and_nothing_written():
    unit = new()
    updates = begin(unit, order())
    unit.exchange.report.contactor, unit.exchange.report.phase = True, "charging"
    asking = cloud()
    assert not go_on(unit, asking, hours=1)
    assert asking.asked == [] and not updates.awaits()
    assert os.listdir(FOLDER) == ["update"]  # the commanded update
    unit.exchange.report.contactor, unit.exchange.report.phase = False, "ready"
    assert go_on(unit, asking)


def test_pieces_that_come_while_it_charges_are_not_written():
    unit = new()
    begin(unit, order())
    unit.now_ms_ += 250
    question = unit.updates.question()
    unit.exchange.report.contactor = True
    for message in cloud().answer(question):
        unit.updates.take(message)
    assert os.listdir(FOLDER) == ["update"]


def test_a_restart_goes_on_from_what_has_come():
    """No piece of the image is requested twice."""
    unit = new()
    asking = cloud()
    begin(unit, order())
    restarts = 0
    while slots.load(FOLDER)["active"] != "a":
        unit.now_ms_ += 4000
        question = unit.updates.question()
        for message in asking.answer(question) if question else ():
            unit.updates.take(message)
        if question and unit.updates.doing == "image":
            restarts += 1
            begin(unit, None)
    assert restarts == (len(golden.IMAGE) + 8191) // 8192
    images = [offset for file, offset, _ in asking.asked if file == 1]
    assert images == sorted(set(images))


def test_pieces_that_are_lost_doubled_late_or_of_another_release_only_cost_time():
    unit = new()
    begin(unit, order())

    def bend(number, message):
        if number % 5 == 1:
            return []
        other = b"another!" + message[8:]
        return [other, message, message, message[:20], message[:11] + b"\xff" + message[12:]]

    assert go_on(unit, cloud(bend), hours=24)
    assert slots.load(FOLDER)["active"] == "a"


def test_a_silent_cloud_is_asked_ever_more_seldom():
    unit = new()
    begin(unit, order())
    asking = cloud(lambda number, message: [])
    go_on(unit, asking, hours=24)
    assert 20 < len(asking.asked) < 40


@pytest.mark.parametrize(
    "board, version, why", [("tcall", None, None), ("another", None, "board"), ("virtual", "200.9.9", "version")]
)
def test_it_judges_for_whom_the_release_is(board, version, why):
    unit = new(board)
    begin(unit, order(v=version or golden.VERSION))
    assert go_on(unit, cloud()) == (why is None)
    assert [found for _, result, found in unit.told if result == "refused"] == ([why] if why else [])


def test_an_older_version_and_the_one_that_runs_are_no_order():
    for version in ("0.0.9", "0.1.0", "x", "1.2", "1.2.3.4", "-1.2.3", ""):
        with pytest.raises(CommandRefused):
            begin(new(), order(v=version))


def test_what_was_refused_is_not_asked_for_again_until_the_manifest_changes():
    unit = new("another")
    begin(unit, order())
    assert not go_on(unit, cloud())
    asking = cloud()
    with pytest.raises(CommandRefused, match="refused before: board"):
        begin(unit, order())
    assert not go_on(unit, asking, hours=1)
    assert asking.asked == [] and os.listdir(FOLDER) == ["update"]
    begin(unit, order(h="0123456789abcdef"))
    go_on(unit, asking, hours=1)
    assert asking.asked


def test_another_key_signs_nothing():
    """[S1-3b]"""
    unit = new()
    trust(("", golden.KEYS[0]))
    begin(unit, order())
    assert not go_on(unit, cloud())
    assert unit.told == [(golden.VERSION, "refused", "signature")]


def test_without_keys_nothing_is_taken():
    unit = new()
    trust(("", ""))
    begin(unit, order())
    assert not go_on(unit, cloud())
    assert unit.told == [(golden.VERSION, "refused", "signature")]


def test_an_order_that_is_withdrawn_leaves_nothing():
    unit = new()
    updates = begin(unit, order())
    while updates.doing != "image":
        unit.now_ms_ += 250
        question = updates.question()
        for message in cloud().answer(question) if question else ():
            updates.take(message)
    assert "manifest" in os.listdir(FOLDER + "/a")
    updates.withdraw()
    assert os.listdir(FOLDER + "/a") == [] and not updates.is_needed()
    assert not begin(unit, None).is_needed()


def test_a_second_update_goes_into_the_other_slot_and_not_before_the_first_is_good():
    unit = new()
    begin(unit, order())
    go_on(unit, cloud())
    later = order(v=golden.LATER_VERSION, h=golden.LATER_HASH, m=len(golden.LATER_MANIFEST))
    asking = Cloud(golden.LATER_MANIFEST, golden.LATER_IMAGE, golden.LATER_DIGEST)
    begin(unit, later, "a")
    go_on(unit, asking, hours=1)
    assert asking.asked == []  # the first update is on trial
    slots.save(FOLDER, slots.after(slots.load(FOLDER), "proved", "1.0.0"))
    begin(unit, None, "a")
    assert go_on(unit, asking)
    record = slots.load(FOLDER)
    assert (record["active"], record["before"]) == ("b", "a")
    assert starter.choose(FOLDER, "power_on") == "b"


def test_a_full_flash_is_one_reason():
    unit = new()
    updates = begin(unit, order())
    updates._room = lambda: 1000
    assert not go_on(unit, cloud())
    assert unit.told == [(golden.VERSION, "refused", "space")]


def test_a_flash_that_fails_is_tried_three_times():
    unit = new()
    updates = begin(unit, order())

    def fail():
        raise OSError(5)

    updates._room = fail
    assert not go_on(unit, cloud(), hours=24)
    assert unit.told == [(golden.VERSION, "refused", "flash")]


def test_one_that_was_gone_back_from_is_not_fetched_again():
    unit = new()
    begin(unit, order())
    go_on(unit, cloud())
    for started in ("a", "a", "built_in"):
        assert starter.choose(FOLDER, "watchdog") == started
        begin(unit, None, started).poll()
    assert unit.told[-1] == (golden.VERSION, "rolled_back", "reset")
    asking = cloud()
    assert not go_on(unit, asking, hours=1) and asking.asked == []
    with pytest.raises(CommandRefused, match="refused before: rolled_back"):
        begin(unit, order())


def test_one_that_is_damaged_is_fetched_again():
    unit = new()
    begin(unit, order())
    go_on(unit, cloud())
    with open(FOLDER + "/a/product", "ab") as file:
        file.write(b"x")
    assert starter.choose(FOLDER, "power_on") == "built_in"
    begin(unit, None)
    assert go_on(unit, cloud())
    assert starter.choose(FOLDER, "power_on") == "a"
    assert (golden.VERSION, "corrupt", "integrity") in unit.told


def test_a_manifest_that_is_refused_does_not_cost_what_the_unit_could_go_back_to():
    unit = new()
    begin(unit, order())
    go_on(unit, cloud())
    slots.save(FOLDER, dict(slots.load(FOLDER), active="b", before="a", state="settled"))
    trust(("", ""))
    begin(unit, order(v=golden.LATER_VERSION, h=golden.LATER_HASH, m=len(golden.LATER_MANIFEST)), "b")
    assert not go_on(unit, Cloud(golden.LATER_MANIFEST, golden.LATER_IMAGE, golden.LATER_DIGEST))
    assert unit.told[-1] == (golden.LATER_VERSION, "refused", "signature")
    assert starter.is_whole(FOLDER + "/a") and slots.load(FOLDER)["before"] == "a"


def test_a_trial_that_proves_itself_is_told_once_and_settles():
    unit = new()
    begin(unit, order())
    go_on(unit, cloud())
    begin(unit, None, "a")
    unit.exchange.link_proven = True
    for _ in range(3):
        unit.now_ms_ += 600000
        unit.updates.poll()
    assert [result for _, result, _ in unit.told] == ["installed", "trial", "good"]
    unit.now_ms_ += 86400000
    unit.updates.poll()
    assert slots.load(FOLDER)["state"] == "settled" and not unit.updates.is_needed()


def test_a_flash_that_takes_nothing_during_a_trial_is_no_flood_of_events():
    unit = new()
    begin(unit, order())
    go_on(unit, cloud())
    updates = begin(unit, None, "a")
    kept, slots.save = slots.save, fail
    try:
        for _ in range(100):
            unit.now_ms_ += 600000
            updates.poll()
    finally:
        slots.save = kept
    assert len(unit.told) == 2


def fail(flash, record):
    raise OSError(28)


def test_a_late_loop_restarts_the_unit_once_the_contactor_is_open():
    unit = new()
    begin(unit, order())
    go_on(unit, cloud())
    updates = begin(unit, None, "a")
    unit.exchange.report.contactor, unit.exchange.worst_ms = True, 2000
    updates.poll()
    updates.poll()
    unit.exchange.report.contactor = False
    with pytest.raises(Restarted):
        updates.poll()
    assert starter.choose(FOLDER, "soft") == "a" and slots.load(FOLDER)["strikes"] == 1
