"""Run on the machine: print what an update costs a unit, in the format of measure.py."""

import binascii
import gc
import hashlib
import json
import os
import time

from measure import NS_PER_INSTRUCTION, NS_PER_TICK, live

from tests.firmware.update import golden

PRODUCT_BYTES = 166000  # of a T-Call's product
PERIOD_NS = 20_000_000  # of the control loop


def run():
    verify()
    integrity()
    memory()


def verify():
    """Print the instructions of a signature check: in total, and the most between two steps, where another thread may run."""
    from firmware.update import ecdsa, manifest

    signed = manifest.split(golden.MANIFEST)
    digest, key = hashlib.sha256(signed.line).digest(), bytes.fromhex(golden.KEYS[signed.key])
    steps = ecdsa.verify(key, digest, signed.signature)
    total = most = count = 0
    verified = None
    while verified is None:
        gc.collect()
        gc.disable()
        before = time.ticks_cpu()
        try:
            next(steps)
        except StopIteration as end:
            verified = end.value
        ticks = time.ticks_diff(time.ticks_cpu(), before)
        gc.enable()
        total, most, count = total + ticks, max(most, ticks), count + 1
    if not verified:
        raise RuntimeError("a true signature is refused")
    print("verify_instructions", total * NS_PER_TICK // NS_PER_INSTRUCTION)
    print("verify_step_instructions", most * NS_PER_TICK // NS_PER_INSTRUCTION)
    print("verify_step_percent", most * NS_PER_TICK * 100 // PERIOD_NS)
    print("multiply_instructions", multiply())


def multiply():
    """Return the instructions of the longest uninterrupted operation: a product of two field elements, and its remainder."""
    from firmware.update.ecdsa import GX, GY, P

    before = time.ticks_cpu()
    for _ in range(100):
        GX * GY % P
    return time.ticks_diff(time.ticks_cpu(), before) * NS_PER_TICK // NS_PER_INSTRUCTION // 100


def integrity():
    """Print what the starter does at each start, on a littlefs in memory."""
    import starter

    os.mkdir("/build/a")
    piece, digest = bytes(range(250)), hashlib.sha256()
    with open("/build/a/product", "wb") as file:
        for _ in range(PRODUCT_BYTES // len(piece)):
            file.write(piece)
            digest.update(piece)
    with open("/build/a/manifest", "w") as file:
        json.dump({"unpacked": PRODUCT_BYTES, "unpacked_sha256": binascii.hexlify(digest.digest()).decode()}, file)
    before = time.ticks_cpu()
    is_whole = starter.is_whole("/build/a")
    print("integrity_instructions", time.ticks_diff(time.ticks_cpu(), before) * NS_PER_TICK // NS_PER_INSTRUCTION)
    if not is_whole:
        raise RuntimeError("a whole product is refused")
    for name in ("product", "manifest"):
        os.remove("/build/a/" + name)


class Unit:
    """What an update uses of charge_point.ChargePoint."""

    def __init__(self):
        self.wall_clock = self.journal = self.exchange = self.report = self
        self.link = self.updates = None
        self.phase, self.contactor, self.boot = "ready", False, 1

    def flash(self):
        return "/build"

    def now_ms(self):
        return time.ticks_ms()

    def next_sequence(self):
        return 1

    def note(self, kind, details):
        raise RuntimeError(details)


def memory():
    """Print the bytes alive while an update waits for its pieces."""
    from firmware.lazy_import import LazyImport
    from firmware.update import installer

    installer.KEYS = golden.KEYS
    unit = Unit()
    before = live()
    with LazyImport():
        from firmware.update import updates

        work = updates.Updates(unit, "built_in")
    del updates
    print("update_waiting_bytes", live() - before)
    work.take_order({"v": golden.VERSION, "h": golden.HASH, "m": len(golden.MANIFEST), "r": True})
    while not (work.transfer and work.transfer.file):
        asked = work.question()
        if asked:
            for at in range(0, len(golden.MANIFEST), 1024):
                work.take(golden.DIGEST + b"\0" + at.to_bytes(3, "big") + golden.MANIFEST[at : at + 1024])
    print("update_bytes", live() - before)
