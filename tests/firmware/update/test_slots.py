"""Does the unit always start a complete version, and go back from one that does not work?"""

import json
import os

import pytest

from firmware.boards.stock import starter
from firmware.storage import record_file
from firmware.update import slots
from tests.firmware.storage.folder import empty

FOLDER = "build/tests-update-slots"
CONTENT = {"a": b"product a", "b": b"product b"}


def new(**changed):
    """Make a flash with two complete slots; a is active, and b was before."""
    empty("tests-update-slots")
    for slot in slots.SLOTS:
        lay(slot)
    record = {"active": "a", "before": "b", "state": "settled", "strikes": 0, "why": None, "tell": []}
    slots.save(FOLDER, dict(record, **changed))


def lay(slot, content=None):
    path = FOLDER + "/" + slot
    try:
        os.mkdir(path)
    except OSError:
        pass
    said = {
        "version": "1.0." + str(slots.SLOTS.index(slot)),
        "unpacked": 9,
        "unpacked_sha256": sha256_of(CONTENT[slot]),
    }
    with open(path + "/manifest", "wb") as file:
        file.write(json.dumps(said).encode() + b"\n0 signature\n")
    with open(path + "/product", "wb") as file:
        file.write(CONTENT[slot] if content is None else content)


def sha256_of(content):
    return starter.binascii.hexlify(starter.hashlib.sha256(content).digest()).decode()


def chosen(cause="power_on"):
    return starter.choose(FOLDER, cause)


def test_without_a_record_what_was_flashed_is_started():
    empty("tests-update-slots")
    assert chosen() == "built_in" and os.listdir(FOLDER) == []


@pytest.mark.parametrize("state", ["trial", "good", "settled"])
def test_the_active_one_is_started_and_a_start_writes_nothing(state):
    new(state=state)
    before = os.stat(FOLDER + "/slots")[8]
    with open(FOLDER + "/slots", "rb") as file:
        content = file.read()
    for cause in ("power_on", "brown_out", "soft"):
        assert chosen(cause) == "a"
    with open(FOLDER + "/slots", "rb") as file:
        assert file.read() == content and os.stat(FOLDER + "/slots")[8] == before


@pytest.mark.parametrize("state, tells", [("trial", True), ("good", True), ("settled", False)])
def test_three_resets_by_the_watchdog_and_the_one_before_is_back(state, tells):
    new(state=state)
    assert [chosen("watchdog") for _ in range(5)] == (["a", "a", "b", "b", "b"] if tells else ["a"] * 5)
    record = slots.load(FOLDER)
    assert record["tell"] == ([["1.0.0", "rolled_back", "reset"]] if tells else [])
    if tells:
        assert (record["active"], record["before"], record["state"]) == ("b", "built_in", "settled")


def test_power_cuts_and_asked_restarts_are_no_strikes():
    new(state="trial")
    for cause in ("power_on", "soft", "brown_out") * 10:
        assert chosen(cause) == "a"
    assert slots.load(FOLDER)["strikes"] == 0


@pytest.mark.parametrize("why", ["panic", "late"])
def test_what_the_product_has_to_say_counts_once(why):
    new(state="trial")
    for number in range(2):
        slots.save(FOLDER, slots.blamed(slots.load(FOLDER), why))
        assert chosen("soft") == "a" and chosen("soft") == "a"
        assert slots.load(FOLDER)["strikes"] == number + 1
    slots.save(FOLDER, slots.blamed(slots.load(FOLDER), why))
    assert chosen("watchdog") == "b"
    assert slots.load(FOLDER)["tell"] == [["1.0.0", "rolled_back", why]]


def test_one_that_proves_itself_begins_anew():
    new(state="trial", strikes=2)
    slots.save(FOLDER, slots.after(slots.load(FOLDER), "proved", "1.0.0"))
    assert chosen("watchdog") == "a" and chosen("watchdog") == "a" and chosen("watchdog") == "b"


def bend_product(slot):
    lay(slot, b"producT " + slot.encode())


def cut_product(slot):
    lay(slot, CONTENT[slot][:-1])


def lengthen_product(slot):
    lay(slot, CONTENT[slot] + b"x")


def lose(name):
    return lambda slot: os.remove(FOLDER + "/" + slot + "/" + name)


def bend_manifest(slot):
    with open(FOLDER + "/" + slot + "/manifest", "wb") as file:
        file.write(b'{"unpacked": 9}\n')


DAMAGES = (bend_product, cut_product, lengthen_product, lose("product"), lose("manifest"), bend_manifest)


@pytest.mark.parametrize("number, state", [(n, state) for n in range(len(DAMAGES)) for state in ("trial", "settled")])
def test_a_damaged_slot_is_not_started(number, state):
    """[S1-3c]"""
    new(state=state)
    DAMAGES[number]("a")
    assert chosen() == "b" and chosen() == "b"
    record = slots.load(FOLDER)
    assert record["state"] == "settled" and len(record["tell"]) == 1
    assert record["tell"][0][1:] == ["corrupt", "integrity"]


def test_two_damaged_slots_leave_what_was_flashed():
    new()
    bend_product("a")
    lose("manifest")("b")
    assert chosen() == "built_in"
    assert slots.load(FOLDER)["tell"] == [["1.0.0", "corrupt", "integrity"], ["", "corrupt", "integrity"]]
    assert chosen() == "built_in"


def test_a_trial_whose_strikes_cannot_be_counted_is_not_started():
    new(state="trial")
    kept, starter.save = starter.save, lambda flash, record: False
    try:
        assert chosen("soft") == "a"  # there is nothing to count
        assert chosen("watchdog") == "b"
    finally:
        starter.save = kept
    assert slots.load(FOLDER)["active"] == "a"


BAD = (
    {"active": "c"},
    {"active": 1},
    {"before": "a"},
    {"before": None},
    {"state": "x"},
    {"strikes": "1"},
    {"tell": None},
    {"why": 3},
)


@pytest.mark.parametrize("changed", BAD)
def test_a_record_that_cannot_be_understood_is_none(changed):
    new(**changed)
    assert chosen("watchdog") == "built_in"


def test_a_damaged_record_is_none():
    new()
    with open(FOLDER + "/slots", "rb") as file:
        content = file.read()
    for place in range(len(content)):
        with open(FOLDER + "/slots", "wb") as file:
            file.write(content[:place] + bytes((content[place] ^ 1,)) + content[place + 1 :])
        assert chosen() in ("built_in", "a"), place  # a space among the digits of the CRC may be changed without effect
        with open(FOLDER + "/slots", "wb") as file:
            file.write(content[:place])
        assert chosen() == "built_in"


def test_both_halves_write_one_form():
    new()
    record = starter.load(FOLDER)
    assert record == slots.load(FOLDER) == record_file.load(FOLDER + "/slots")
    starter.save(FOLDER, record)
    assert slots.load(FOLDER) == record


def test_the_table_knows_what_can_happen():
    record = slots.load(empty("tests-update-slots"))
    record = slots.installed(record, "a", "1.0.0")
    with pytest.raises(KeyError):
        slots.installed(record, "b", "1.0.1")
    with pytest.raises(KeyError):
        slots.after(record, "lived", "1.0.0")
    assert [found[1] for found in record["tell"]] == ["installed", "trial"]
    record = slots.after(slots.after(record, "proved", "1.0.0"), "lived", "1.0.0")
    assert slots.installed(record, "b", "1.0.1")["before"] == "a"


def test_a_slot_that_is_written_to_is_nothing_to_go_back_to():
    new()
    assert slots.emptied(slots.load(FOLDER), "b")["before"] == "built_in"
    assert slots.emptied(slots.load(FOLDER), "a")["before"] == "b"
    assert [slots.free(active) for active in ("built_in", "a", "b")] == ["a", "b", "a"]


def test_an_erased_slot_is_empty():
    new()
    slots.erase(FOLDER + "/a")
    slots.erase(FOLDER + "/nowhere")
    assert os.listdir(FOLDER + "/a") == [] and chosen() == "b"


def test_a_blame_is_of_the_slot_that_ran():
    new(state="trial")
    starter.blame(FOLDER, "panic")
    assert slots.load(FOLDER)["why"] is None  # the flashed version has run
    starter.started = "a"
    try:
        starter.blame(FOLDER, "panic")
    finally:
        starter.started = "built_in"
    assert slots.load(FOLDER)["why"] == "panic"


def test_the_files_of_a_product_can_be_read_as_a_file_system():
    empty("tests-update-slots")
    product = b""
    contents = {"firmware/app.mpy": b"app" * 400, "firmware/boards/x.mpy": b"", "modem/at.mpy": b"at"}
    for name in sorted(contents):
        product += len(name).to_bytes(2, "big") + name.encode()
        product += len(contents[name]).to_bytes(4, "big") + contents[name]
    with open(FOLDER + "/product", "wb") as file:
        file.write(product)
    files = starter.Files(FOLDER + "/product")
    for name in contents:
        assert files.open("/" + name, "rb").read() == contents[name]
        assert files.stat("/" + name)[6] == len(contents[name])
    assert files.stat("/firmware")[0] == files.stat("/firmware/boards")[0] == 0x4000
    for name in ("/nothing", "/firmware/app.py", "/firmwar"):
        for ask in (lambda name: files.open(name, "rb"), files.stat):
            with pytest.raises(OSError):
                ask(name)
