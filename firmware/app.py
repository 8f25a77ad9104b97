"""The composition root: creates each object once and passes it what it needs.

There are two threads. The control thread runs the charging control (control_loop.py). The main thread runs the communication:
the uplink, and the console in its pauses. The threads exchange data only through the Exchange (charging/exchange.py). The
board sets the outputs to their safe state before this module runs.

The charging control starts first and does not depend on the communication. A part that cannot be imported or created is
counted and reported on the console (`status`), with the boot event and in each heartbeat; all other parts run without it.
"""

import os
import random
import sys
import time

from firmware.charge_point import SAFE_SETUP, ChargePoint, calibrate, setup
from firmware.charging import delay, schedule
from firmware.charging.claims import Claims
from firmware.charging.controller import UNWORN, Controller, Restored
from firmware.claim_manager import ClaimManager
from firmware.clock import Clock, at_least
from firmware.control_loop import ControlLoop
from firmware.health import Health
from firmware.lazy_import import LazyImport
from firmware.persistence import Persistence, ordered_before, restore, wear_before
from firmware.storage import boots, record_file
from firmware.storage.checkpoint import Checkpoint
from firmware.storage.settings import Settings
from firmware.version import BOARD, BUILT_S, VERSION
from firmware.wall_clock import WallClock

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

    from firmware.boards.board import Board
    from firmware.console import Console
    from firmware.daily_report import DailyReport
    from firmware.installer_lock import InstallerLock
    from firmware.link.journal import Journal
    from firmware.link.uplink import Uplink

RESTART_MS = 5000  # from an unexpected exception in the uplink to its restart
TRY_AGAIN_MS = 300000  # interval between attempts to create an uplink that could not be created
VERSION_TOLD = "/version"  # file with the version that the cloud acknowledged last
FAILED_CHARS = 200  # limit of `failed` in the boot event, which must fit into a record of the outbox


class Unit(ChargePoint):
    """The complete charge point, with all of its parts."""

    def __init__(self, make_board: "type[Board]") -> None:
        self.pauses: tuple[Callable[[], None], ...] = ()  # called in each pause of the main thread
        self.exchange = self.link = self.journal = self.installer_lock = self.authority = None  # type: ignore[assignment]
        self._clock = Clock(self._pause)
        self._control_clock = control_clock = Clock()
        board = self._board = make_board(control_clock, self._pause)
        health = self.health = Health(board.reset_cause)
        part = self._part
        part("time", at_least, time, BUILT_S, board.set_time)
        boot = health.boot = part("boots", boots.count, board.flash, board.reset_cause, random.randint)
        settings = self.settings = part("settings", Settings, board.flash, {"schedule": schedule.complaint})
        health.settings = settings
        fell_back = boot and settings and boot.watchdogs >= boots.LOOP and settings.fall_back()
        if settings:
            calibrate(board, settings)
        checkpoint = part("checkpoint", Checkpoint, board.flash, control_clock.now_ms())
        # Switching the mains off and on is the action of a person and clears latched faults. A restart by the unit does not.
        latched = () if board.reset_cause == "power_on" else board.latched()
        restored = part("restore", self._restore, checkpoint, latched) or Restored(None, None, 0, latched or ())
        wear = wear_before(checkpoint) if checkpoint else UNWORN
        if settings:
            self.rating_a = part("commissioning", self._rating_a)
        site = setup(settings, self.rating_a) if settings else SAFE_SETUP
        controller = Controller(control_clock.now_ms(), site, restored, wear)
        exchange = self.exchange = controller.exchange
        self.wall_clock = WallClock(self._clock)
        persistence = part("persistence", self._make_persistence, checkpoint) if settings and checkpoint else None
        if persistence:
            health.persistence = persistence
            self.pauses += (persistence.poll,)
        else:
            exchange.claims = ()  # nothing will process the owner's wishes, so charge without claims
        ControlLoop(board, controller, control_clock).start()
        self._pause()
        self._start_talking()
        failed = "; ".join(health.failures)[:FAILED_CHARS] or None
        tls = self.link.tls_version if self.link else None
        # The versions are in this event, not in each heartbeat, where their 23 bytes would add 0.2 MB of traffic a month.
        formatted = board.formatted or None
        if "starter" in sys.modules:
            part("update", self._resume_update)
        self.note(
            "boot",
            {
                "cause": board.reset_cause,
                "v": VERSION,
                "board": BOARD,
                "tls": tls,
                "formatted": formatted,
                "failed": failed,
            },
            0,
        )
        if settings and settings.refused:
            self.note("settings", {"refused": " ".join(settings.refused)})
        if fell_back:
            self.note("settings", {"fell_back": "after %d resets by the watchdog" % boot.watchdogs})

    def _part(self, name: str, make: "Callable[..., Any]", *arguments: object) -> "Any":
        """Return the result of `make(*arguments)`, or None if it raises. A failure is recorded in `health` under `name`."""
        try:
            return make(*arguments)
        except Exception as error:
            self.health.crashed(name, error)
            return None
        finally:
            self._pause()

    def _restore(self, checkpoint: "Checkpoint", latched: "tuple[str, ...] | None") -> Restored:
        with LazyImport():
            from firmware.storage import session_log

            sessions = session_log.SessionLog(self._board.flash).last_number()
        return restore(checkpoint, self._control_clock.now_ms(), sessions, latched)

    def _rating_a(self) -> "int | None":
        with LazyImport():
            from firmware import commissioning

            return commissioning.rating_a(self._board.flash, self.settings)

    def _make_persistence(self, checkpoint: "Checkpoint") -> Persistence:
        claims = Claims(self._draw_s, checkpoint.number("delay_s"), checkpoint.value.get("override"))
        claims.cloud = ordered_before(checkpoint, self._clock.now_ms())
        manager = ClaimManager(self.exchange, claims, self.settings, self.wall_clock, self.note)
        persistence = Persistence(self.exchange, manager, checkpoint, self.wall_clock, self._board.flash)
        self._claim_manager = manager  # set last: Persistence steps it, and without Persistence no claim takes effect
        return persistence

    def _start_talking(self) -> None:
        """Create the parts of the communication, each independent of the others' failures."""
        part, health = self._part, self.health
        console = part("console", self._make_console)
        self.journal = health.journal = part("journal", self._make_journal)
        if self.journal:
            self.pauses += (self.journal.collect,)
        self.installer_lock = health.installer_lock = part("installer_lock", self._make_installer_lock)
        self.link = part("link", self._make_link)
        daily = part("daily_report", self._make_daily_report)
        if daily:
            self.pauses += (daily.poll,)
        if console:
            self.pauses += (console.poll,)  # last, so that a command finds all parts that could be created

    def _make_console(self) -> "Console":
        from firmware.console import Console

        return Console(self._board.console_port, self)

    def _make_journal(self) -> "Journal":
        from firmware.link.journal import Journal
        from firmware.storage.outbox import Outbox

        boot = self.health.boot
        outbox, log = Outbox(self._board.flash + "/outbox"), self._part("event_log", self._make_log)
        return Journal(self.exchange.events, outbox, boot.number if boot else None, self.wall_clock, log)

    def _make_log(self) -> object:
        from firmware.storage.event_log import EventLog

        return EventLog(self._board.flash)

    def _make_installer_lock(self) -> "InstallerLock":
        from firmware.installer_lock import InstallerLock

        return InstallerLock(self.settings, self._clock, self.note, self._board.flash)

    def _make_link(self) -> "Uplink":
        from firmware.link.bearer import Bearer
        from firmware.link.cloud_messages import CloudMessages
        from firmware.link.secure import Trust
        from firmware.link.uplink import Uplink
        from firmware.storage.authority import Authority

        if not (self.settings and self.journal):
            raise RuntimeError("no settings or no journal")
        self.authority = Authority(self._board.flash)
        trust = Trust(self.authority)
        bearer = Bearer(self._board, self._clock, self.journal, self.set_time)
        self.health.traffic = bearer.stream.traffic
        cloud = CloudMessages(self.exchange, self.journal, self.health, self.wall_clock, self._take_command)
        if record_file.load(self._board.flash + VERSION_TOLD) != VERSION:
            cloud.version_told = self._version_told
        link = Uplink(bearer, self.settings, trust, self.exchange, cloud)
        link.updates = self.updates
        return link

    def _version_told(self) -> None:
        """Store that the cloud acknowledged a heartbeat with this version."""
        try:
            record_file.save(self._board.flash + VERSION_TOLD, VERSION)
        except OSError:
            pass  # the version is sent again after the next start

    def _make_daily_report(self) -> "DailyReport":
        from firmware.daily_report import DailyReport

        return DailyReport(self._clock, self.exchange, self.settings, self.health, self.note)

    def _resume_update(self) -> None:
        """Continue an update that was ordered before this start."""
        with LazyImport():
            from firmware.update import ordering

            self.keep_updates(ordering.resume(self))
        self.pauses += (self._poll_update,)

    def _poll_update(self) -> None:
        if self.updates:
            self.updates.poll()
            if not self.updates.is_needed():
                self.keep_updates(None)

    def _take_command(self, payload: bytes) -> None:
        """Carry out one command from the cloud."""
        with LazyImport():
            from firmware import commands

            commands.Commands(self).take(payload)

    def _draw_s(self) -> int:
        return delay.draw_s(self.settings["random_delay_max_s"], os.urandom)

    def talk(self) -> None:
        """Run the uplink; does not return. An unexpected exception must not stop the charging: it is counted, shown on the
        console (`crashes`), and the uplink is started again.
        """
        while True:
            if self.link is None:
                self._wait_without_link()
                continue
            try:
                self.link.run()
            except Exception as error:
                self.health.crashed("link", error)
                self._clock.sleep_ms(RESTART_MS)

    def _wait_without_link(self) -> None:
        until_ms = self._clock.now_ms() + TRY_AGAIN_MS
        while self._clock.now_ms() < until_ms:
            self.exchange.turns += 1
            self._clock.sleep_ms(RESTART_MS)
        self.link = self._part("link", self._make_link)

    def _pause(self) -> None:
        """Call all `pauses`; runs in every slice of a wait of the main thread."""
        if self.exchange:
            self.exchange.pauses += 1
        for pause in self.pauses:
            try:
                pause()
            except Exception as error:
                self.health.crashed("pause", error)


def run(make_board: "type[Board]") -> None:
    """Run the unit; does not return. `make_board`: a Board class from firmware/boards."""
    Unit(make_board).talk()
