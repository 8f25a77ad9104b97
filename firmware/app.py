"""The composition root: everything is made here, once, and handed what it needs.

Two threads. The control thread charges (control_loop.py). The main thread talks: uplink, and in its pauses the console and
the supervisor. The outputs are safe before the first line of this runs: the board sees to it.
"""

import os
import random
import sys

from firmware import memory
from firmware.charging import delay, schedule
from firmware.charging.claims import Claims
from firmware.charging.control_state import Setup
from firmware.charging.controller import Controller
from firmware.clock import Clock
from firmware.console import Console
from firmware.control_loop import ControlLoop
from firmware.daily_report import DailyReport
from firmware.installer_lock import InstallerLock
from firmware.lazy_import import LazyImport
from firmware.link import backoff
from firmware.link.journal import Journal
from firmware.link.secure import Trust
from firmware.link.uplink import Uplink
from firmware.link.wall_clock import WallClock
from firmware.persistence import SESSION_LOG, Persistence, restore
from firmware.storage import boots
from firmware.storage.authority import Authority
from firmware.storage.checkpoint import Checkpoint
from firmware.storage.event_log import EventLog
from firmware.storage.outbox import Outbox
from firmware.storage.settings import Settings
from firmware.supervisor import Supervisor
from firmware.version import VERSION

RESTART_MS = 5000  # after a mistake of ours in the uplink


class Unit:
    """The charge point as its console sees it."""

    def __init__(self, make_board):
        self.clock = Clock(self._pause)
        self.pauses: tuple = ()  # what is done in the pauses of the main thread, once it is all there
        self.after_answer = None  # called by the console once its answer is out
        self.crashes = 0  # mistakes of ours that were survived
        control_clock = Clock()
        self.board = make_board(control_clock, self._pause)
        flash = self.board.flash
        boot = boots.count(flash, self.board.reset_cause, random.randint)
        self.settings = Settings(flash, {"schedule": schedule.complaint})
        self._uncounted_boots = 1 if boot.number is None else 0
        fell_back = boot.watchdogs >= boots.LOOP and self.settings.fall_back()
        checkpoint = Checkpoint(flash, control_clock.now_ms())
        register, kept = restore(checkpoint, control_clock.now_ms())
        with LazyImport(SESSION_LOG) as log:
            sessions = max(checkpoint.number("sessions"), log.SessionLog(flash).last_number())
        # The mains off and on again is a person's doing, and clears what needs one; our own restart does not.
        latched = () if self.board.reset_cause == "power_on" else checkpoint.value.get("latched", ())
        self.controller = Controller(control_clock.now_ms(), self._setup(), register, kept, sessions, latched)
        self.control_loop = ControlLoop(self.board, self.controller, control_clock)
        self.control_loop.start()
        self.wall_clock = wall_clock = WallClock(self.clock)
        self.outbox = Outbox(flash + "/outbox")
        self.log = EventLog(flash)
        self.journal = Journal(self.controller.events, self.outbox, boot.number, wall_clock, self.log)
        # The version is told here and not in the heartbeats, where its 12 bytes would be 0.1 MB a month on the air.
        self.journal.note("boot", {"cause": self.board.reset_cause, "v": VERSION}, 0)
        if self.settings.refused:
            self.journal.note("settings", {"refused": " ".join(self.settings.refused)})
        if fell_back:
            self.journal.note("settings", {"fell_back": "after %d resets by the watchdog" % boot.watchdogs})
        self.installer_lock = InstallerLock(self.settings, self.clock, self.journal.note)
        self.persistence = Persistence(
            self.controller,
            Claims(self._draw_s, checkpoint.number("delay_s"), checkpoint.value.get("override")),
            self.settings,
            checkpoint,
            flash,
            self.clock,
            wall_clock,
            self.journal.note,
            kept,
        )
        self.authority = Authority(flash)
        self.uplink = Uplink(
            self.board,
            self.clock,
            wall_clock,
            self.settings,
            self.controller,
            self.control_loop,
            self.journal,
            Trust(self.authority),
            self.flash_fails,
            self.obey,
            self.time_is,
            backoff.first_ms(self.board.reset_cause, boot.is_new, random.randint),
        )
        daily = DailyReport(
            self.clock,
            self.control_loop,
            self.settings,
            self.outbox,
            self.board.reset_cause,
            lambda: self.crashes,
            memory,
            self.journal.note,
        )
        console = Console(self.board.console_port, self)
        supervisor = Supervisor(self.board, self.control_loop, self.controller, self.uplink, self.clock)
        self.pauses = (console.poll, supervisor.poll, self.journal.collect, self.persistence.poll, daily.poll)

    def obey(self, payload):
        """Carry out one order of the cloud."""
        with LazyImport("firmware.orders", "firmware.link.commands") as orders:
            orders.Orders(self, self.board.flash).take(payload)

    def time_is(self, epoch_s, who):
        """`who` says what time it is (UTC), or None; believed if it can be true, and a step is an event."""
        step_s = self.wall_clock.set(epoch_s)
        if step_s is not None:
            self.board.set_time(epoch_s)
            self.journal.note("time", {"from": who, "step_s": step_s})

    def flash_fails(self):
        """Whether the flash does not take the records of now, or has refused anything else that matters since the start."""
        return self.outbox.flash_failed or self.refused_writes() > 0

    def refused_writes(self):
        """Of the flash, since the start: what must survive a power cut, settings, events of security, the count of boots."""
        return self.persistence.lost_writes + self.settings.lost_writes + self.log.refused + self._uncounted_boots

    def apply_settings(self):
        """Settings were changed: what holds them is told."""
        self.controller.setup = self._setup()
        self.uplink.reconnect()

    def _setup(self):
        settings = self.settings
        return Setup(
            settings["installer_max_a"], settings["tethered"], settings["ventilated"], settings["fallback_amps"]
        )

    def _draw_s(self):
        return delay.draw_s(self.settings["random_delay_max_s"], os.urandom)

    def talk(self):
        """For ever. A mistake of ours in the talking part must not stop the charging: it is counted, shown on the console
        (`crashes`), and the uplink begins again.
        """
        while True:
            try:
                self.uplink.run()
            except Exception as error:
                self._crashed(error)
                self.clock.sleep_ms(RESTART_MS)

    def _pause(self):
        for pause in self.pauses:
            try:
                pause()
            except Exception as error:
                self._crashed(error)

    def _crashed(self, error):
        self.crashes += 1
        sys.print_exception(error)


def run(make_board):
    """For ever; `make_board` is a class of firmware/boards."""
    Unit(make_board).talk()
