"""A unit with real charging, claims and commands. Only board and vehicle are simulated, and there is no link.

Each command is answered as on the wire.
"""

import json

from firmware.charge_point import ChargePoint
from firmware.charging import limits, schedule
from firmware.charging.claims import Claims
from firmware.charging.events import Ring
from firmware.claim_manager import ClaimManager
from firmware.commands import Commands
from firmware.link import messages
from firmware.link.heartbeat_timer import HeartbeatTimer
from firmware.link.journal import Journal
from firmware.storage.outbox import Outbox
from firmware.storage.settings import Settings
from firmware.wall_clock import NETWORK, WallClock
from tests.firmware.charging.wired import STEP_MS, Unit
from tests.firmware.storage.folder import empty

MONDAY_S = 1768176000  # 12 January 2026, 00:00 UTC
EVERY_MS = 250  # persistence.EVERY_MS
DELAY_S = 100


class Clock:
    """Replaces firmware.clock: the time of the control loop."""

    def __init__(self, wired):
        self._wired = wired

    def now_ms(self):
        return self._wired.now_ms


class CommandedUnit(ChargePoint):
    def __init__(self, folder, hours="off", at_s=12 * 3600):
        """`hours` is the setting `schedule`; `at_s` is seconds of the day, on a Monday."""
        self.folder = empty(folder)
        self.wired = Unit()
        self.exchange = self.wired.exchange
        self.wall_clock = WallClock(Clock(self.wired))
        self.wall_clock.set(MONDAY_S + at_s, NETWORK)
        self.settings = Settings(self.folder, {"schedule": schedule.complaint})
        self.settings.change({"schedule": hours})
        self.outbox = Outbox(self.folder + "/outbox")
        self.journal = Journal(Ring(), self.outbox, 1, self.wall_clock)
        self.claims = Claims(lambda: DELAY_S)
        self._claim_manager = ClaimManager(self.exchange, self.claims, self.settings, self.wall_clock, self.note)
        self._commands = Commands(self)
        self._number = 0
        self._timer = HeartbeatTimer(300, 60)
        self.heartbeat, self.heartbeat_ms = None, 0  # the latest heartbeat as bytes, and its time

    def flash(self):
        return self.folder

    def run(self, ms):
        """Let time pass: run the control loop, and renew the claims as often as a unit does."""
        end_ms = self.wired.now_ms + ms
        while self.wired.now_ms < end_ms:
            if self.wired.now_ms % EVERY_MS < STEP_MS:
                self._claim_manager.step(self.wired.now_ms, self.exchange.report)
                self._tell()
            self.wired.run(STEP_MS)

    def _tell(self):
        """Write a heartbeat if one is due, as the uplink does."""
        exchange, now_ms = self.exchange, self.wired.now_ms
        report = exchange.report
        in_force = limits.in_force(report.ruling, exchange.claims, exchange.delay_s, now_ms)
        if self._timer.due(now_ms, report, in_force):
            self.heartbeat = messages.heartbeat(1, 1, self.wall_clock.now(), report, 17, "23415", 24, in_force=in_force)
            self.heartbeat_ms = now_ms
            self._timer.told(now_ms, report, in_force)

    def plug(self):
        self.wired.car = "B"
        self.run(500)
        self.wired.car = "C"
        self.run(1500)

    def unplug(self):
        self.wired.car = "A"
        self.run(1000)

    def command(self, do, for_s=None, **arguments):
        """Give the unit a command that holds for `for_s`; return its result as sent, decoded."""
        self._number += 1
        arguments.update({"id": "c-%d" % self._number, "do": do})
        if for_s is not None:
            arguments["exp"] = self.wall_clock.now() + for_s
        self._commands.take(json.dumps(arguments).encode())
        result = None
        while self.outbox.waiting():
            record = self.outbox.oldest()
            if record.kind == "result":
                result = json.loads(self.journal.message(record)[1])
            self.outbox.remove(record)
        return result

    def ruling(self):
        """Return (amps, source) of the ruling in force."""
        return tuple(self.exchange.report.ruling[:2])
