"""Monitors the mobile network: signal, operator, cell, time, and registration."""

from firmware.wall_clock import NETWORK
from modem import replies, signal
from modem.errors import NotRegistered

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.clock import Clock
    from firmware.link.network import Network
    from modem.client import Modem

SAMPLE_MS = 10000  # between two samples; they cost no data
CLOSE_SAMPLE_MS = 1000  # between two samples while an installer watches the signal
WATCHED_MS = 5000  # how long after the installer's last query the signal counts as watched
TIME_MS = 3600000  # between two queries of the network's time
UNREGISTERED_MS = 20000  # after a longer loss of registration, the connection is given up


class RadioMonitor:
    """The latest sample: `csq`, `operator` (PLMN, or None), `cell` (location area and cell), and its number `sample`."""

    def __init__(
        self, modem: "Modem", network: "Network", clock: "Clock", set_time: "Callable[[int | None, str], None]"
    ) -> None:
        """`network` receives every sample; `set_time(epoch_s, source)` is called with the network's time."""
        self.csq = signal.NO_READING
        self.operator: str | None = None
        self.cell: tuple[int | None, int | None] = (None, None)
        self.sample = 0
        self._modem = modem
        self._network = network
        self._clock = clock
        self._set_time = set_time
        self._watched_ms = -WATCHED_MS
        self._registered_ms = 0
        self._sampled_ms = 0
        self._asked_time_ms = 0

    def joined(self) -> None:
        """Record that the modem has just registered, and take a sample."""
        self._registered_ms = self._clock.now_ms()
        self._look()
        self._ask_time()

    def watch(self, ms: int, busy: bool) -> None:
        """Wait up to `ms`, and sample the signal when it is due. A `busy` unit does not leave its network for a better one.

        Raises NotRegistered if registration is lost for UNREGISTERED_MS; Moved; other ModemError; OSError from the port.
        """
        self._modem.wait(ms)
        now_ms = self._clock.now_ms()
        if now_ms - self._sampled_ms >= (CLOSE_SAMPLE_MS if now_ms - self._watched_ms < WATCHED_MS else SAMPLE_MS):
            self._look()
            self._network.tend(busy)

    def watch_closely(self) -> None:
        """Sample the signal more often for WATCHED_MS, because an installer watches it."""
        self._watched_ms = self._clock.now_ms()

    def _look(self) -> None:
        now_ms = self._sampled_ms = self._clock.now_ms()
        if now_ms - self._asked_time_ms >= TIME_MS:
            self._ask_time()
        self.csq = self._modem.signal_quality()
        self.sample += 1
        stat, lac, cell, _ = self._modem.registration()
        self.cell = (lac, cell)
        if stat in replies.REGISTERED:
            self._registered_ms = now_ms
            self.operator = self._modem.operator()
            self._network.sampled(self.operator, self.csq)
        elif now_ms - self._registered_ms >= UNREGISTERED_MS:
            self.operator = None
            raise NotRegistered(stat)

    def _ask_time(self) -> None:
        self._asked_time_ms = self._clock.now_ms()
        self._set_time(self._modem.query("AT+CCLK?", replies.clock), NETWORK)
