"""Chooses the product that a unit runs: from one of two slots, or the one that was flashed over the cable. The starter is
flashed with the latter and never updated, so it is small and imports nothing of the product.

A slot is a folder of the flash. Its file `product` is the unpacked image of an update: for each file, in their order, u16
length of the name, name, u32 size, content, all big-endian. Its file `manifest` has the required SHA-256. The file /slots has
the record of the slots, in the format of storage/record_file.py:

    active    slot to start, or BUILT_IN
    before    the one to roll back to
    state     "trial" until it has proved itself, "good" until it has run for a day, then "settled" (firmware/update/slots.py)
    strikes   unrequested restarts in the states trial and good
    why       reason for the last restart, "panic" or "late"; null for none
    tell      [version, result, why] of each event that the product has not reported yet
    bad       a slot that was rolled back from because of its strikes; missing if there is none

At each start, before anything of the product is imported:

1. A slot that is not settled gets a strike if the watchdog ended its last run, or `why` is set. At the third strike, the slot
   before is active again. Neither a power cut nor a requested restart is a strike.
2. The files of the active slot are compared with its manifest. If they differ, the one before is active, and so on, down to
   the product that was flashed over the cable, which main.py checks.
3. If that is damaged too, or the record is, any slot with intact files is started (`rescue`), except `bad`.

If the flash refuses the changed record, a slot on trial is not started, because its strikes could not be counted.
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
# Exceptions from reading a damaged file; JSON that is nested too deeply raises RuntimeError or MemoryError.
UNREADABLE = (OSError, ValueError, KeyError, TypeError, RuntimeError, MemoryError)
ENOENT = 2

started = BUILT_IN  # the running slot; the product reads this


def choose(flash, cause):
    """Return the slot to start, or BUILT_IN. `flash`: mount point of the littlefs; `cause`: "watchdog" if the watchdog or a
    panic ended the last run, otherwise any other text. Raises nothing.
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
    """Return the newest intact slot, or BUILT_IN, and make it active. For use if the flashed product is damaged. Raises
    nothing.
    """
    record = load(flash) or {"tell": []}
    whole = [slot for slot in SLOTS if slot != record.get("bad") and is_whole(flash + "/" + slot)]
    if not whole:
        return BUILT_IN
    slot = max(whole, key=lambda slot: _numbers(version(flash + "/" + slot)))
    record.update({"active": slot, "before": BUILT_IN, "state": GOOD, "strikes": 0, "why": None})
    save(flash, record)
    return slot


def _numbers(version):
    """Return (1, 4, 0) for "1.4.0"; () if it is not a version."""
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
    """Change the record: the slot before becomes active, and BUILT_IN the one to roll back to."""
    tell = record["tell"] + [[version(flash + "/" + record["active"]), result, why]]
    if result == "rolled_back":
        record["bad"] = record["active"]
    record.update(
        {"active": record["before"], "before": BUILT_IN, "state": SETTLED, "strikes": 0, "tell": tell[-TELL_MAX:]}
    )


def blame(flash, why):
    """Record that the product of the active slot ended by an exception, so that the next start counts a strike. Raises
    nothing.
    """
    record = load(flash)
    if record and started != BUILT_IN and record["active"] == started:
        record["why"] = why
        save(flash, record)


def load(flash):
    """Return the record; None if there is none or it is not valid."""
    try:
        with open(flash + RECORD, "rb") as file:
            crc, text = file.read().split(b" ", 1)
        record = json.loads(text)
        if int(crc, 16) == binascii.crc32(text) and _is_record(record):
            return record
    except UNREADABLE:
        pass  # not valid
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
    """Store the record. Return whether the flash accepted it."""
    text = json.dumps(record).encode()
    try:
        with open(flash + RECORD, "wb") as file:
            file.write(b"%08x " % binascii.crc32(text) + text)
        return True
    except OSError:
        return False


def is_whole(slot):
    """Return whether the product in this folder matches its manifest."""
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
    """Return the version in the manifest of this folder; "" if it cannot be read."""
    try:
        return str(_said(slot)["version"])
    except UNREADABLE:
        return ""


def _said(slot):
    with open(slot + MANIFEST, "rb") as file:
        return json.loads(file.read().split(b"\n", 1)[0])


def enter(flash, slot):
    """Mount the product of this slot and make all imports use it. Raises OSError or ValueError if it cannot be read."""
    global started
    import vfs

    vfs.mount(Files(flash + "/" + slot + PRODUCT), MOUNTED)
    sys.path[:] = [MOUNTED, ".frozen"]
    started = slot


class Files:
    """A file system with the files of a product, from which MicroPython can import (docs.micropython.org, module vfs)."""

    def __init__(self, path):
        self._path = path
        self._files = {}  # path: (offset of its content, size in bytes)
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
