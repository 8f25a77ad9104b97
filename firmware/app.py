"""The composition root: everything is made here, once, and handed what it needs.

Two threads. The control thread charges (control_loop.py). The main thread talks: uplink, and in its pauses the console and
the supervisor. The outputs are safe before the first line of this runs: the board sees to it.
"""

import gc
import sys

from firmware.boards.virtual import VirtualBoard
from firmware.charging.controller import Controller
from firmware.charging.situation import Setup
from firmware.clock import Clock
from firmware.console import Console
from firmware.control_loop import ControlLoop
from firmware.link.journal import Journal
from firmware.link.uplink import Uplink
from firmware.link.wall_clock import WallClock
from firmware.storage import boots
from firmware.storage.outbox import Outbox
from firmware.storage.settings import Settings
from firmware.supervisor import Supervisor

RESTART_MS = 5000  # after a mistake of ours in the uplink


class Unit:
    """The charge point as its console sees it."""

    def __init__(self):
        self.clock = Clock(self._pause)
        self.pauses: tuple = ()  # what is done in the pauses of the main thread, once it is all there
        self.crashes = 0  # mistakes of ours that were survived
        control_clock = Clock()
        self.board = VirtualBoard(control_clock, self._pause)
        self.settings = Settings(self.board.flash)
        self.controller = Controller(control_clock.now_ms(), self._setup())
        self.control_loop = ControlLoop(self.board, self.controller, control_clock)
        self.control_loop.start()
        wall_clock = WallClock(self.clock)
        self.outbox = Outbox(self.board.flash + "/outbox")
        self.journal = Journal(self.controller.events, self.outbox, boots.count(self.board.flash), wall_clock)
        self.journal.note("boot", {"cause": self.board.reset_cause}, 0)
        self.uplink = Uplink(
            self.board, self.clock, wall_clock, self.settings, self.controller, self.control_loop, self.journal
        )
        console = Console(self.board.console_port, self)
        supervisor = Supervisor(self.board, self.control_loop, self.clock)
        self.pauses = (console.poll, supervisor.poll, self.journal.collect)

    def apply_settings(self):
        """Settings were changed: what holds them is told."""
        self.controller.setup = self._setup()
        self.uplink.reconnect()

    def _setup(self):
        settings = self.settings
        return Setup(
            settings["installer_max_a"], settings["tethered"], settings["ventilated"], settings["fallback_amps"]
        )

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


def run():
    unit = Unit()
    gc.collect()
    gc.threshold(-1)  # main.py lowered it: from here on only a full heap is collected
    unit.talk()
