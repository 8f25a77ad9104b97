"""Runs on the machine: prints `name value` for each figure of figures.py. On a board the stand-ins
imported here are C code, so they are not counted."""

import _thread  # noqa: F401
import gc
import io
import os
import select  # noqa: F401
import sys
import time

import esp32  # noqa: F401
import machine  # noqa: F401
import micropython
import neopixel  # noqa: F401
import tls
import usocket  # noqa: F401
import vfs

PERIODS = 100  # two seconds, so that what happens each half second is in the mean
STEP_MS = 20
WEIGHED = 25  # of them: to count what is taken, MicroPython looks at all of the heap
NS_PER_TICK, NS_PER_INSTRUCTION = 40, 32
if not hasattr(micropython, "kbd_intr"):
    micropython.kbd_intr = lambda character: None


class TlsContext:
    """ESP-IDF's heap holds the certificate and the connection; MicroPython's a few words."""

    def __init__(self, protocol):
        pass

    def set_ciphers(self, names):
        pass

    def load_verify_locations(self, der):
        pass


# app.py imports these part by part.
TALKING = (
    "firmware.console",
    "firmware.link.journal",
    "firmware.storage.outbox",
    "firmware.storage.event_log",
    "firmware.installer_lock",
    "firmware.storage.authority",
    "firmware.link.bearer",
    "firmware.link.cloud_messages",
    "firmware.link.uplink",
    "firmware.daily_report",
)
tls.SSLContext, tls.PROTOCOL_TLS_CLIENT, tls.CERT_REQUIRED = TlsContext, 0, 2
ballast = []


def leave(heap_bytes):
    """Take all memory but `heap_bytes`, from the lower end of the heap, so that what follows has a heap of this size."""
    gc.collect()
    ballast.append(bytearray(gc.mem_free() - heap_bytes))
    gc.collect()


def live():
    gc.collect()
    return gc.mem_alloc()


class Files:
    """A file system whose files are read, not run in place: as the littlefs of a stock image. It shows a folder."""

    def __init__(self, folder):
        self._folder = folder

    def mount(self, readonly, mkfs):
        pass

    def stat(self, path):
        return os.stat(self._folder + path)

    def open(self, path, mode):
        with open(self._folder + path, "rb") as file:
            return io.BytesIO(file.read())


def from_files(folder):
    """The product comes from files that are read into memory."""
    vfs.mount(Files(folder), "/files")
    sys.path.insert(0, "/files")


def memory(heap_bytes):
    """What is alive after importing all, and after making the unit; then the largest free piece."""
    leave(heap_bytes)
    before = live()
    gc.threshold(8192)  # as firmware/main.py
    from firmware import app, memory
    from firmware.boards import chosen

    for part in TALKING:
        __import__(part)
    print("imported_bytes", live() - before)
    unit = app.Unit(chosen.Board)
    whole(unit)
    print("unit_bytes", live() - before)
    print("free_bytes", memory.free())
    print("largest_piece_bytes", memory.largest_block())
    return unit


def whole(unit):
    """Raises if any part of the unit could not be made: it would go on without."""
    if unit.health.failures:
        raise RuntimeError("; ".join(unit.health.failures))


def median(values):
    return sorted(values)[len(values) // 2]


def costs(name, call, arguments_of):
    """Of PERIODS calls: the mean of the instructions, the median of the bytes taken (a step that changes nothing)."""
    ticks, taken = [0] * PERIODS, [0] * WEIGHED
    gc.collect()
    gc.disable()
    for number in range(PERIODS):
        first, second = arguments_of(number)
        before_bytes = gc.mem_alloc() if number < WEIGHED else 0
        before = time.ticks_cpu()
        call(first, second)
        after = time.ticks_cpu()
        if number < WEIGHED:
            taken[number] = gc.mem_alloc() - before_bytes
        ticks[number] = time.ticks_diff(after, before)
    gc.enable()
    instructions = sum(ticks) * NS_PER_TICK // NS_PER_INSTRUCTION // PERIODS
    print(name + "_instructions", instructions)
    print(name + "_bytes", median(taken))
    return instructions


def nothing(first, second):
    pass


def periods():
    """The control loop's work in a period: read, step, write, on the board's own code; then its step while charging."""
    from firmware.boards import tcall
    from firmware.charging.io import Inputs
    from firmware.clock import Clock
    from tests.firmware.charging import wired

    board = tcall.TCallBoard(Clock(), None)
    inputs = Inputs()
    empty = costs("call", nothing, lambda number: (number, None))
    read = costs("read", lambda inputs, _: board.read(inputs), lambda number: (inputs, None))
    for name, start_ms in (("", 0), ("_late", 2**30 + 1000)):
        unit = wired.Unit()
        unit.now_ms = start_ms
        unit.run(1000)
        idle = costs("idle_step" + name, unit.controller.step, steps_of(unit))
        unit.charge()
        charging = costs("charging_step" + name, unit.controller.step, steps_of(unit))
        assert unit.controller.outputs.contactor
    outputs = unit.controller.outputs
    write = costs("write", lambda outputs, _: board.write(outputs), lambda number: (outputs, None))
    print("period_instructions", read + max(idle, charging) + write - 3 * empty)


def steps_of(unit):
    """A function that gives what the next step is called with."""

    def advance(number):
        unit.now_ms += STEP_MS
        unit._load_pilot()
        return unit.now_ms, unit.inputs

    return advance
