"""The modem and what it brings us: a network, and a TCP stream over it. From its supply to an open PDP context."""

from firmware.lazy_import import LazyImport
from firmware.link.network import Network
from firmware.link.radio_monitor import RadioMonitor
from modem.client import Modem
from modem.errors import ModemHung
from modem.families import driver
from modem.stream import Stream

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.boards.board import Board
    from firmware.clock import Clock
    from firmware.link.journal import Journal

STARTS = 3  # of a modem that does not answer: a pulse on PWRKEY may be missed, and is none of the day's supply cuts


class Bearer:
    def __init__(
        self, board: "Board", clock: "Clock", journal: "Journal", set_time: "Callable[[int | None, str], None]"
    ) -> None:
        """`set_time(epoch_s, source)` takes the network's time."""
        self.clock = clock
        self.has_guard = board.has_guard
        self._power = board.modem_power
        self._journal: Journal | None = journal  # until the model of the modem has been noted
        self.modem = Modem(board.modem_port, clock, driver.load(board.modem_family or driver.FAMILY.NAME).FAMILY)
        self.stream = Stream(self.modem, clock)  # once, while the heap is young: its buffer needs room in one piece
        self.network = Network(self.modem, board.modem_power, clock, journal, board.flash)
        self.radio = RadioMonitor(self.modem, self.network, clock, set_time)
        self._started = False  # the modem has its supply

    def start(self) -> None:
        """Once: whoever switched us off and on expects us back. What it needs that fails later is recovery's to decide."""
        if self._started:
            return
        self._started = True
        with LazyImport():
            from modem import startup

            for start in range(1, STARTS + 1):
                try:
                    startup.power_cycle(self.modem, self._power)
                    break
                except ModemHung:
                    if start == STARTS:
                        raise
            startup.configure(self.modem)

    def register(self) -> None:
        """Wait for SIM and network."""
        with LazyImport():
            from modem import startup

            if self.modem.needs_setup:  # it did not answer at the start, or restarted between two commands
                startup.configure(self.modem)
            startup.wait_for_sim(self.modem)
            startup.wait_for_network(self.modem)
        self.radio.joined()
        if self._journal:
            self._journal.note("modem", {"model": self.modem.model, "family": self.modem.family.NAME})
            self._journal = None

    def open(self, apn: str) -> None:
        """From now on `stream` may connect."""
        with LazyImport():
            from modem import startup

            startup.open_pdp_context(self.modem, apn)

    def trace(self) -> "list[str]":
        """The last of the dialogue with the modem, as lines."""
        return self.modem.trace.lines()
