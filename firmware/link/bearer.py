"""The modem, from its supply to an open PDP context, with the mobile network and the TCP stream that it provides."""

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

STARTS = 3  # attempts to start a modem, which may miss a pulse on PWRKEY; not counted as supply cuts of the day


class Bearer:
    def __init__(
        self, board: "Board", clock: "Clock", journal: "Journal", set_time: "Callable[[int | None, str], None]"
    ) -> None:
        """`set_time(epoch_s, source)` is called with the network's time."""
        self.clock = clock
        self.has_guard = board.has_guard
        self._power = board.modem_power
        self._journal: Journal | None = journal  # None once the model of the modem is recorded
        self.modem = Modem(board.modem_port, clock, driver.load(board.modem_family or driver.FAMILY.NAME).FAMILY)
        self.stream = Stream(self.modem, clock)  # created once, at the start: its buffer needs a large block
        self.network = Network(self.modem, board.modem_power, clock, journal, board.flash)
        self.radio = RadioMonitor(self.modem, self.network, clock, set_time)
        self._started = False  # the modem was switched on

    def start(self) -> None:
        """Switch the modem on and configure it; only the first call does. Later failures are handled by recovery (network.py).

        Raises ModemError; OSError from the port.
        """
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
        """Wait for SIM and network. Raises ModemError; OSError from the port."""
        with LazyImport():
            from modem import startup

            if self.modem.needs_setup:  # the modem did not answer at the start, or restarted between two commands
                startup.configure(self.modem)
            startup.wait_for_sim(self.modem)
            startup.wait_for_network(self.modem)
        self.radio.joined()
        if self._journal:
            self._journal.note("modem", {"model": self.modem.model, "family": self.modem.family.NAME})
            self._journal = None

    def open(self, apn: str) -> None:
        """Open the PDP context; `stream` may connect afterwards. Raises ModemError; OSError from the port."""
        with LazyImport():
            from modem import startup

            startup.open_pdp_context(self.modem, apn)

    def trace(self) -> "list[str]":
        """Return the latest lines of the dialogue with the modem."""
        return self.modem.trace.lines()
