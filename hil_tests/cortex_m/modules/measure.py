"""Run on the machine: print `name value` for each figure of figures.py.

The stand-ins imported here, which the control loop calls, are C code, as on a board.
"""

import _thread  # noqa: F401
import gc
import io
import os
import select  # noqa: F401
import struct
import sys
import time

import esp32  # noqa: F401
import machine
import micropython
import neopixel  # noqa: F401
import stand_ins
import tls
import usocket  # noqa: F401
import vfs

PERIODS = 100  # two seconds, to include what happens each half second
PERIOD_MS = 20
SAMPLE_US, PWM_US = 60, 1000
LATE_DAYS = 13  # 2**30 ms are 12.4
DAY_MS = 86400000
SETTLE_PERIODS = 300  # six seconds, until the self-test and a change of the offer are over
NS_PER_TICK, NS_PER_INSTRUCTION = 40, 32
if not hasattr(micropython, "kbd_intr"):
    micropython.kbd_intr = lambda character: None


class TlsContext:
    """A stand-in: ESP-IDF's heap holds the certificate and the connection, and MicroPython's only a few words."""

    def __init__(self, protocol):
        pass

    def set_ciphers(self, names):
        pass

    def load_verify_locations(self, der):
        pass


# app.py imports these modules separately.
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
    """Allocate all memory except `heap_bytes`, from the lower end of the heap, so that the rest runs in a heap of this
    size."""
    gc.collect()
    ballast.append(bytearray(gc.mem_free() - heap_bytes))
    gc.collect()


def live():
    gc.collect()
    return gc.mem_alloc()


class Files:
    """A file system whose files are read rather than run in place, as the littlefs of a stock image. It shows a folder."""

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
    """Import the product from files that are read into memory."""
    vfs.mount(Files(folder), "/files")
    sys.path.insert(0, "/files")


def memory(heap_bytes):
    """Print the memory alive after importing everything and after creating the unit; then the largest free block."""
    leave(heap_bytes)
    before = live()
    gc.threshold(8192)  # as in firmware/main.py
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
    """Raise if any part of the unit failed: it would continue without the part."""
    if unit.health.failures:
        raise RuntimeError("; ".join(unit.health.failures))


def wave(high_mv, duty_percent):
    """Yield twenty bursts of samples of the pilot with some noise, in microvolts."""
    noise = 1
    for number in range(20 * 80):
        noise = noise * 75 % 65537  # like the ZX81's RND
        low = number * SAMPLE_US % PWM_US >= duty_percent * PWM_US // 100
        yield 1650000 + (-12000 if low else high_mv) * 1000 // 9 + noise % 8192


class Site:
    """What surrounds a T-Call: a vehicle, a meter, the contactor."""

    VEHICLES = {"none": 12000, "connected": 9000, "charging": 6000}  # upper level of the pilot, mV
    METER = ((0x000C, 7360.0), (0x0000, 230.0), (0x0006, 31.9), (0x0048, 1234.5))

    def __init__(self):
        from firmware.boards.tcall import TCallBoard
        from firmware.charging.control_state import Setup
        from firmware.charging.controller import Controller
        from firmware.clock import Clock
        from firmware.control_loop import ControlLoop
        from firmware.metering import modbus

        for register, value in self.METER:
            body = b"\x01\x04\x04" + struct.pack(">f", value)
            response = body + struct.pack("<H", modbus.crc(body))
            machine.RESPONSES[modbus.request(1, register)] = response
        machine.UV[machine.PROXIMITY][:] = [uv + 3300000 * 220 // 1220 - 1650000 for uv in wave(0, 100)]
        time.ticks_ms = stand_ins.ticks_ms  # it advances by `pass_ms`
        clock = Clock()
        self.board = TCallBoard(clock, None)
        self.controller = Controller(clock.now_ms(), Setup(32, False, False, 0, True))
        self.exchange = self.controller.exchange
        self.exchange.claims = ()
        self.loop = ControlLoop(self.board, self.controller, clock)
        self.plug("none")

    def plug(self, vehicle):
        self._high_mv, self._shown = self.VEHICLES[vehicle], None

    def run(self, periods):
        """Run periods of the control loop. Pilot, contactor and residual current sensor obey."""
        for _ in range(periods):
            outputs = self.controller.outputs
            pins = 0xF7 ^ (1 if outputs.contactor else 0) ^ (2 if outputs.rcd_test else 0)
            machine.CHIPS[machine.EXPANDER] = pins
            if outputs.pilot_duty_u16 != self._shown:
                self._shown = outputs.pilot_duty_u16
                machine.UV[machine.PILOT][:] = list(wave(self._high_mv, self._shown * 100 // 65535))
            stand_ins.pass_ms(PERIOD_MS)
            self.loop.run_period()

    def charge(self):
        self.plug("connected")
        self.run(SETTLE_PERIODS)
        self.plug("charging")
        self.run(SETTLE_PERIODS)
        if not self.controller.outputs.contactor:
            raise RuntimeError(str(self.exchange.report))

    def pass_days(self, days):
        """Let days pass, each of which is a stall to the control loop."""
        for _ in range(days):
            stand_ins.pass_ms(DAY_MS)
            self.loop.run_period()
        self.run(SETTLE_PERIODS)


def costs(name, call, changed=lambda: False):
    """Print the costs of PERIODS calls.

    Instructions: mean and most. Bytes, for calls that change nothing: the most that a call leaves to the collector, and
    the mean that it takes, including frames that it frees at once.
    """
    empty = cost_of(nothing)[0]
    instructions, left, taken = [], [], []
    for _ in range(PERIODS):
        stand_ins.pass_ms(PERIOD_MS)
        ticks, left_bytes, taken_bytes = cost_of(call)
        instructions.append((ticks - empty) * NS_PER_TICK // NS_PER_INSTRUCTION)
        if not changed():
            left.append(left_bytes)
            taken.append(taken_bytes)
    print(name + "_instructions", sum(instructions) // PERIODS)
    print(name + "_most_instructions", max(instructions))
    print(name + "_bytes", max(left))
    print(name + "_taken_bytes", sum(taken) // len(taken))


def cost_of(call):
    """Return the ticks of a call, the bytes that it leaves on the heap, and the bytes that it takes."""
    gc.collect()
    gc.disable()
    left, taken = gc.mem_alloc(), stand_ins.taken()
    before = time.ticks_cpu()
    call()
    ticks = time.ticks_diff(time.ticks_cpu(), before)
    taken = stand_ins.taken() - taken
    left = gc.mem_alloc() - left
    gc.enable()
    return ticks, left, taken


def nothing():
    pass


class Changes:
    """Whether the control loop has published a new report since the last call."""

    def __init__(self, exchange):
        self._exchange = exchange
        self._report = exchange.report

    def __call__(self):
        before, self._report = self._report, self._exchange.report
        return before is not self._report


def periods():
    """Measure a whole period of the control loop except its sleep, on the board's own code: in each state, and again
    after 2**30 ms."""
    from firmware.charging.limits import Claim

    site = Site()
    for late in ("", "_late"):
        site.plug("none")
        site.run(SETTLE_PERIODS)
        measured = (site.loop.run_period, Changes(site.exchange))
        costs("idle" + late, *measured)
        site.exchange.claims = (Claim("cloud", 0, None, "peak", None),)
        site.plug("connected")
        site.run(SETTLE_PERIODS)
        costs("connected" + late, *measured)
        site.exchange.claims = ()
        site.charge()
        costs("charging" + late, *measured)
        if not late:
            site.plug("none")
            site.run(SETTLE_PERIODS)
            site.pass_days(LATE_DAYS)
    board, controller = site.board, site.controller
    inputs, outputs, now_ms = site.loop._inputs, controller.outputs, site.loop._before_ms
    costs("read", lambda: board.read(inputs))
    costs("step", lambda: controller.step(now_ms, inputs))
    costs("write", lambda: board.write(outputs))
