"""What the unit sees of its mobile network between two messages: signal, operator, cell and time, and whether it is there."""

from firmware.wall_clock import NETWORK
from modem import replies, signal
from modem.errors import NotRegistered

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.clock import Clock
    from firmware.link.network import Network
    from modem.client import Modem

SAMPLE_MS = 10000  # between two looks; they cost no data
CLOSE_SAMPLE_MS = 1000  # while an installer watches the signal
WATCHED_MS = 5000  # so long after the installer's last question
TIME_MS = 3600000  # between two looks at the network's clock
UNREGISTERED_MS = 20000  # a network that is gone for longer takes the connection with it


class RadioMonitor:
    """`csq`, `operator` (its PLMN, or None), `cell` (location area and cell) and `sample`, their number, for whoever asks."""

    def __init__(
        self, modem: "Modem", network: "Network", clock: "Clock", set_time: "Callable[[int | None, str], None]"
    ) -> None:
        """`network` is given every sample; `set_time(epoch_s, source)` takes the network's time."""
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
        """A network has just taken us."""
        self._registered_ms = self._clock.now_ms()
        self._look()
        self._ask_time()

    def watch(self, ms: int, busy: bool) -> None:
        """Wait, with an eye on the signal; a `busy` unit does not leave its network for a better one.

        Raises NotRegistered when the network has been gone for too long, and Moved.
        """
        self._modem.wait(ms)
        now_ms = self._clock.now_ms()
        if now_ms - self._sampled_ms >= (CLOSE_SAMPLE_MS if now_ms - self._watched_ms < WATCHED_MS else SAMPLE_MS):
            self._look()
            self._network.tend(busy)

    def watch_closely(self) -> None:
        """Somebody looks at the signal just now: sample it more often for a moment."""
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
