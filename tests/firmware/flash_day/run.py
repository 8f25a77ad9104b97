"""`micropython run.py [DAYS]`: count the flash writes of a day, at the block device under a real littlefs.

The rules and everything that stores are the unit's own; its clock runs fast. Instead of the modem, a link acknowledges
everything, is lost and proven again ten times a day, and the signal changes.

A write is one programming of the chip. Measures a day at rest, a day with a car that does not charge, and a charge of five
hours; and what two charges a day mean in ten years for the block that is erased most.
"""

import sys

import vfs

from firmware.boards.board import PROGRAM_BYTES
from firmware.boards.flash_image import BLOCK_BYTES, BLOCKS
from firmware.charging.claims import Claims
from firmware.claim_manager import ClaimManager
from firmware.daily_report import DailyReport
from firmware.health import Health
from firmware.link.journal import Journal
from firmware.link.network import Network
from firmware.persistence import Persistence, restore, wear_before
from firmware.storage import boots
from firmware.storage.checkpoint import Checkpoint
from firmware.storage.event_log import EventLog
from firmware.storage.outbox import Outbox
from firmware.storage.settings import Settings
from firmware.wall_clock import WallClock
from tests.firmware.charging.wired import STEP_MS, Unit

IDLE_WRITES_A_DAY = 50  # maximum
CHARGING_WRITES_EVERY_MS = 300000  # maximum of one
ERASE_CYCLES = 100000  # of common SPI flash
FLASH = "/day"
NOON_S = 1768219200
HOUR_MS, DAY_MS = 3600000, 86400000
RECONNECTS_EVERY_MS = DAY_MS // 10
CHARGE_MS = 5 * HOUR_MS
LEAP_MS = 10000  # when nothing happens
CHARGE_WH = 20  # in a leap, at 7.4 kW


class Chip:
    """A flash that counts programs, and erasures by block."""

    def __init__(self):
        self._image = bytearray(b"\xff" * (BLOCKS * BLOCK_BYTES))
        self.programs = 0
        self.erased = [0] * BLOCKS

    def readblocks(self, block, buffer, offset=0):
        start = block * BLOCK_BYTES + offset
        buffer[:] = self._image[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * BLOCK_BYTES + offset
        self._image[start : start + len(buffer)] = buffer
        self.programs += 1

    def ioctl(self, operation, argument):
        if operation == 6:
            self.erased[argument] += 1
        return {4: BLOCKS, 5: BLOCK_BYTES}.get(operation, 0)


class Day:
    """A unit whose two threads take turns, with a car."""

    def __init__(self):
        boot = boots.count(FLASH, "power_on", lambda lowest, highest: lowest)
        settings = Settings(FLASH, {})
        checkpoint = Checkpoint(FLASH, 0)
        register, kept, sessions, _ = restore(checkpoint, 0)
        closings, owed = wear_before(checkpoint)
        self.unit = Unit(kept=kept, register=register, sessions=sessions, closings=closings, owed=owed)
        self.wall_clock = WallClock(self)
        self.wall_clock.set(NOON_S, "network")
        self.outbox = Outbox(FLASH + "/outbox")
        exchange = self.unit.exchange
        exchange.link_proven = True
        self.journal = Journal(exchange.events, self.outbox, boot.number, self.wall_clock, EventLog(FLASH))
        self.journal.note("boot", {"cause": "power_on"})
        claim_manager = ClaimManager(exchange, Claims(lambda: 60), settings, self.wall_clock, self.journal.note)
        self.persistence = Persistence(exchange, claim_manager, checkpoint, self.wall_clock, FLASH)
        health = Health("power_on")
        health.boot, health.settings, health.persistence, health.journal = (
            boot,
            settings,
            self.persistence,
            self.journal,
        )
        self.network = Network(None, None, self, self.journal, FLASH)
        self.proved_ms = 0
        self.daily = DailyReport(self, exchange, settings, health, self.journal.note)

    def now_ms(self):
        return self.unit.now_ms

    def turn(self):
        self.unit.run(STEP_MS)
        self.journal.collect()
        self.persistence.poll()
        self.daily.poll()
        self.network.sampled("23415", 14 + self.now_ms() // 60000 % 9)
        if self.now_ms() - self.proved_ms >= RECONNECTS_EVERY_MS:
            self.proved_ms = self.now_ms()
            self.network.proved()
        record = self.journal.oldest()
        while record:
            self.journal.acknowledged(record)
            record = self.journal.oldest()

    def run(self, ms):
        for _ in range(ms // STEP_MS):
            self.turn()

    def leap(self, ms):
        for _ in range(ms // LEAP_MS):
            self.unit.now_ms += LEAP_MS - STEP_MS
            if self.unit.outputs.contactor:
                self.unit.inputs.meter_wh += CHARGE_WH
            self.turn()

    def wait(self):
        """Simulate a day with a car that does not charge."""
        self.unit.car = "B"
        self.leap(DAY_MS)
        self.unit.car = "A"
        self.run(1000)

    def charge(self):
        """Simulate a charge from plug to unplug."""
        self.unit.car = "B"
        self.run(1000)
        self.unit.car = "C"
        self.run(2000)
        self.leap(CHARGE_MS)
        if not self.unit.outputs.contactor:
            raise AssertionError("it does not charge")
        self.unit.car = "A"
        self.run(1000)


def count(chip, what):
    before = chip.programs
    what()
    return chip.programs - before


def main(days):
    chip = Chip()
    vfs.VfsLfs2.mkfs(chip)
    vfs.mount(vfs.VfsLfs2(chip, progsize=PROGRAM_BYTES), FLASH)
    day = Day()
    day.run(5000)
    rest = count(chip, lambda: day.leap(DAY_MS))
    waiting = count(chip, day.wait)
    chip.erased = [0] * BLOCKS
    charge = 0
    for _ in range(days):
        charge = max(charge, count(chip, day.charge), count(chip, day.charge))
        day.leap(DAY_MS - 2 * CHARGE_MS)
    allowed = CHARGE_MS // CHARGING_WRITES_EVERY_MS
    worst = max(chip.erased)
    print("a day at rest: %d writes, at most %d" % (rest, IDLE_WRITES_A_DAY))
    print("a day with a car that does not charge: %d writes, at most %d" % (waiting, IDLE_WRITES_A_DAY))
    print("a charge of 5 hours, from plug to unplug: %d writes, at most %d" % (charge, allowed))
    print("%d days with two of them: %d erasures, %d of one block" % (days, sum(chip.erased), worst))
    print("in 10 years %d of that block, of %d" % (worst * 3650 // days, ERASE_CYCLES))
    return 0 if max(rest, waiting) <= IDLE_WRITES_A_DAY and charge <= allowed else 1


sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
