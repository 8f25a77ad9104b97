"""Chooses what a unit runs: the product in one of two slots, or the one that was flashed over the cable. It is flashed with
that one and never updated, so it is small and imports nothing of the product.

A slot is a folder of the flash. `product` is the unpacked image of an update: for each file, in their order, u16 length of its
name, name, u32 size, content, all big-endian. `manifest` says what SHA-256 it must have. /slots says which slot is active, in
the form of storage/record_file.py:

    active    slot that is to be started, or BUILT_IN
    before    the one to go back to
    state     "trial" until it has proved itself, "good" until it has run for a day, then "settled" (firmware/update/slots.py)
    strikes   restarts of a trial or of a good one that nobody asked for
    why       what the product, or its end, has to say of the last restart: "panic", "late"; null: nothing
    tell      [version, result, why] of each event that the product has still to tell

At each start, before anything of the product is imported:

1. A slot that is not settled, and whose last run was ended by the watchdog or as `why` says, gets a strike. At the third, the
   one before is active again. A power cut is no strike, nor is a restart that was asked for.
2. The files of the active slot are compared with its manifest. If they differ, the one before is active, and so on down to
   what was flashed over the cable, which the board's own starter looks at (main.py).
3. If that is damaged too, or the record, any slot whose files are whole is started (`rescue`), but none that was gone back
   from for its strikes: `bad` of the record, which is there only after that.

If the flash does not take the record, a slot on trial is not started: its strikes could not be counted.
"""

import binascii
import hashlib
import io
import json
import sys

BUILT_IN = "built_in"
SLOTS = ("a", "b")
RECORD, PRODUCT, MANIFEST = "/slots", "/product", "/manifest"  # in the flash; in a slot
TRIAL, GOOD, SETTLED = "trial", "good", "settled"
STRIKES_MAX = 3
TELL_MAX = 4
MOUNTED = "/slot"  # where the files of the active slot appear
PIECE_BYTES = 1024
FOLDER_MODE, FILE_MODE = 0x4000, 0x8000
# What reading a damaged file may raise; RuntimeError and MemoryError are of JSON that is nested too deeply.
UNREADABLE = (OSError, ValueError, KeyError, TypeError, RuntimeError, MemoryError)
ENOENT = 2

started = BUILT_IN  # for the product: which one runs


def choose(flash, cause):
    """The slot that is to be started, or BUILT_IN. `flash` is the folder where the littlefs is mounted, `cause` is
    "watchdog" where a panic or the watchdog has ended the last run, else anything. Raises nothing.
    """
    record = load(flash)
    if record is None:
        return BUILT_IN
    before = json.dumps(record)
    _judge_last_run(flash, record, cause)
    while record["active"] != BUILT_IN and not is_whole(flash + "/" + record["active"]):
        go_back(flash, record, "corrupt", "integrity")
    if json.dumps(record) != before and not save(flash, record) and record["state"] == TRIAL:
        return record["before"] if is_whole(flash + "/" + record["before"]) else BUILT_IN
    return record["active"]


def rescue(flash):
    """What was flashed over the cable is damaged: the newest slot that is whole, or BUILT_IN. Raises nothing."""
    record = load(flash) or {"tell": []}
    whole = [slot for slot in SLOTS if slot != record.get("bad") and is_whole(flash + "/" + slot)]
    if not whole:
        return BUILT_IN
    slot = max(whole, key=lambda slot: _numbers(version(flash + "/" + slot)))
    record.update({"active": slot, "before": BUILT_IN, "state": GOOD, "strikes": 0, "why": None})
    save(flash, record)
    return slot


def _numbers(version):
    """(1, 4, 0) of "1.4.0"; () if it is none."""
    try:
        return tuple(int(number) for number in version.split("."))
    except ValueError:
        return ()


def _judge_last_run(flash, record, cause):
    why = record["why"] or ("reset" if cause == "watchdog" else None)
    record["why"] = None
    if record["active"] != BUILT_IN and record["state"] != SETTLED and why:
        record["strikes"] += 1
        if record["strikes"] >= STRIKES_MAX:
            go_back(flash, record, "rolled_back", why)


def go_back(flash, record, result, why):
    """The one before is active; what was flashed over the cable is before that."""
    tell = record["tell"] + [[version(flash + "/" + record["active"]), result, why]]
    if result == "rolled_back":
        record["bad"] = record["active"]
    record.update(
        {"active": record["before"], "before": BUILT_IN, "state": SETTLED, "strikes": 0, "tell": tell[-TELL_MAX:]}
    )


def blame(flash, why):
    """The product of the active slot has ended by a mistake: the next start counts it. Raises nothing."""
    record = load(flash)
    if record and started != BUILT_IN and record["active"] == started:
        record["why"] = why
        save(flash, record)


def load(flash):
    """The record; None if there is none that can be understood."""
    try:
        with open(flash + RECORD, "rb") as file:
            crc, text = file.read().split(b" ", 1)
        record = json.loads(text)
        if int(crc, 16) == binascii.crc32(text) and _is_record(record):
            return record
    except UNREADABLE:
        pass  # as said above
    return None


def _is_record(record):
    active, before = record["active"], record["before"]
    return (
        active in SLOTS + (BUILT_IN,)
        and before in SLOTS + (BUILT_IN,)
        and (active != before or active == BUILT_IN)
        and record["state"] in (TRIAL, GOOD, SETTLED)
        and isinstance(record["strikes"], int)
        and isinstance(record["tell"], list)
        and (record["why"] is None or isinstance(record["why"], str))
    )


def save(flash, record):
    """Whether the flash has taken it."""
    text = json.dumps(record).encode()
    try:
        with open(flash + RECORD, "wb") as file:
            file.write(b"%08x " % binascii.crc32(text) + text)
        return True
    except OSError:
        return False


def is_whole(slot):
    """Whether the product in this folder is what its manifest says."""
    try:
        said = _said(slot)
        digest, left = hashlib.sha256(), said["unpacked"]
        with open(slot + PRODUCT, "rb") as file:
            piece = file.read(PIECE_BYTES)
            while piece:
                digest.update(piece)
                left -= len(piece)
                piece = file.read(PIECE_BYTES)
        return left == 0 and binascii.hexlify(digest.digest()).decode() == said["unpacked_sha256"]
    except UNREADABLE:
        return False


def version(slot):
    """That of the manifest in this folder; "" if it cannot be read."""
    try:
        return str(_said(slot)["version"])
    except UNREADABLE:
        return ""


def _said(slot):
    with open(slot + MANIFEST, "rb") as file:
        return json.loads(file.read().split(b"\n", 1)[0])


def enter(flash, slot):
    """From now on all imports come from this slot. Raises OSError, ValueError if it cannot be read."""
    global started
    import vfs

    vfs.mount(Files(flash + "/" + slot + PRODUCT), MOUNTED)
    sys.path[:] = [MOUNTED, ".frozen"]
    started = slot


class Files:
    """The files in a product as a file system that MicroPython can import from (docs.micropython.org, module vfs)."""

    def __init__(self, path):
        self._path = path
        self._files = {}  # name: (where its content begins, bytes)
        self._folders = set()
        at = 0
        with open(path, "rb") as file:
            head = file.read(2)
            while head:
                name = file.read(int.from_bytes(head, "big")).decode()
                size = int.from_bytes(file.read(4), "big")
                at += 6 + len(name)
                self._files["/" + name] = (at, size)
                self._folders.add("/" + name.rpartition("/")[0])
                at += size
                file.seek(at)
                head = file.read(2)

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def stat(self, path):
        if path in self._files:
            return (FILE_MODE, 0, 0, 0, 0, 0, self._files[path][1], 0, 0, 0)
        if path in self._folders:
            return (FOLDER_MODE, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        raise OSError(ENOENT)

    def open(self, path, mode):
        if path not in self._files:
            raise OSError(ENOENT)
        at, size = self._files[path]
        with open(self._path, "rb") as file:
            file.seek(at)
            return io.BytesIO(file.read(size))
