"""The composition root: everything is made here, once, and handed what it needs.

Two threads. The control thread charges (control_loop.py). The main thread talks: uplink, and in its pauses the console and
the supervisor. All that passes between them is in the Exchange (charging/exchange.py). The outputs are safe before the first
line of this runs: the board sees to it.
"""

import os
import random

from firmware.charge_point import ChargePoint, setup
from firmware.charging import delay, schedule
from firmware.charging.claims import Claims
from firmware.charging.controller import Controller
from firmware.claim_manager import ClaimManager
from firmware.clock import Clock
from firmware.console import Console
from firmware.control_loop import ControlLoop
from firmware.daily_report import DailyReport
from firmware.health import Health
from firmware.installer_lock import InstallerLock
from firmware.lazy_import import LazyImport
from firmware.link.bearer import Bearer
from firmware.link.cloud_messages import CloudMessages
from firmware.link.journal import Journal
from firmware.link.secure import Trust
from firmware.link.uplink import Uplink
from firmware.link.wall_clock import WallClock
from firmware.persistence import Persistence, restore
from firmware.storage import boots
from firmware.storage.authority import Authority
from firmware.storage.checkpoint import Checkpoint
from firmware.storage.event_log import EventLog
from firmware.storage.outbox import Outbox
from firmware.storage.settings import Settings
from firmware.supervisor import Supervisor
from firmware.version import VERSION

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.boards.board import Board

RESTART_MS = 5000  # after a mistake of ours in the uplink


class Unit(ChargePoint):
    """The charge point, whole."""

    def __init__(self, make_board: "type[Board]") -> None:
        self.pauses: tuple[
            Callable[[], None], ...
        ] = ()  # what is done in the pauses of the main thread, once it is all there
        clock = Clock(self._pause)
        control_clock = Clock()
        board = self._board = make_board(control_clock, self._pause)
        flash = board.flash
        boot = boots.count(flash, board.reset_cause, random.randint)
        settings = self.settings = Settings(flash, {"schedule": schedule.complaint})
        fell_back = boot.watchdogs >= boots.LOOP and settings.fall_back()
        checkpoint = Checkpoint(flash, control_clock.now_ms())
        restored = restore(checkpoint, control_clock.now_ms(), _last_session(flash))
        if board.reset_cause == "power_on":  # a person's doing, who clears what needs one; our own restart does not
            restored = restored._replace(latched=())
        controller = Controller(control_clock.now_ms(), setup(settings), restored)
        exchange = self.exchange = controller.exchange
        wall_clock = self.wall_clock = WallClock(clock)
        outbox = Outbox(flash + "/outbox")
        self.journal = journal = Journal(exchange.events, outbox, boot.number, wall_clock, EventLog(flash))
        claims = Claims(self._draw_s, checkpoint.number("delay_s"), checkpoint.value.get("override"))
        self._claim_manager = ClaimManager(exchange, claims, settings, wall_clock, journal.note)
        persistence = Persistence(exchange, self._claim_manager, checkpoint, wall_clock, flash)
        ControlLoop(board, controller, control_clock).start()
        # The version is told here and not in the heartbeats, where its 12 bytes would be 0.1 MB a month on the air.
        journal.note("boot", {"cause": board.reset_cause, "v": VERSION}, 0)
        if settings.refused:
            journal.note("settings", {"refused": " ".join(settings.refused)})
        if fell_back:
            journal.note("settings", {"fell_back": "after %d resets by the watchdog" % boot.watchdogs})
        self.installer_lock = InstallerLock(settings, clock, journal.note)
        self.health = Health(board.reset_cause, boot, settings, persistence, journal)
        self.authority = Authority(flash)
        bearer = Bearer(board, clock, journal, self.set_time)
        cloud = CloudMessages(exchange, journal, self.health, wall_clock, self._take_command)
        self.link = Uplink(bearer, settings, Trust(self.authority), exchange, cloud)
        daily = DailyReport(clock, exchange, settings, self.health, journal.note)
        console = Console(board.console_port, self)
        supervisor = Supervisor(board, exchange, self.link, clock)
        self.pauses = (console.poll, supervisor.poll, journal.collect, persistence.poll, daily.poll)
        self._clock = clock

    def _take_command(self, payload: bytes) -> None:
        """Carry out one command of the cloud."""
        with LazyImport():
            from firmware import commands

            commands.Commands(self).take(payload)

    def _draw_s(self) -> int:
        return delay.draw_s(self.settings["random_delay_max_s"], os.urandom)

    def talk(self) -> None:
        """For ever. A mistake of ours in the talking part must not stop the charging: it is counted, shown on the console
        (`crashes`), and the uplink begins again.
        """
        while True:
            try:
                self.link.run()
            except Exception as error:
                self.health.crashed(error)
                self._clock.sleep_ms(RESTART_MS)

    def _pause(self) -> None:
        for pause in self.pauses:
            try:
                pause()
            except Exception as error:
                self.health.crashed(error)


def _last_session(flash: str) -> int:
    """Its number in the session log."""
    with LazyImport():
        from firmware.storage import session_log

        return session_log.SessionLog(flash).last_number()


def run(make_board: "type[Board]") -> None:
    """For ever; `make_board` is a class of firmware/boards."""
    Unit(make_board).talk()
