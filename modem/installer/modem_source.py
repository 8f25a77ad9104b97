"""Readings directly from a modem's serial port. `leave` restores the settings that were changed."""

import contextlib
import time
from collections.abc import Callable, Iterator

from modem import replies, startup
from modem.client import Modem
from modem.errors import CommandError, CommandTimeout, ModemError, ModemHung, ModemRestarted, ProtocolError
from modem.families import registry
from modem.fields import line_after, split
from modem.installer.errors import CannotTalk
from modem.installer.networks import networks
from modem.installer.readings import Identity, Network, Reading
from modem.installer.recorder import Recorder
from modem.ports.pyserial_port import Port

FIRST_ANSWER_MS = 400  # for each of the first commands, at each baud rate
ABORT_MS = 5_000  # an aborted scan ends within this time
REBOOT_MS = 15_000
SCAN_ATTEMPTS = 2
LISTEN_MS = 1_000  # the longest wait for one URC


class Clock:
    """The computer's monotonic clock."""

    def now_ms(self) -> int:
        return int(time.monotonic() * 1000)

    def sleep_ms(self, ms: int) -> None:
        time.sleep(ms / 1000)


class ModemSource:
    """A readings.Source for a modem, which also describes the methods. `path` names the port in messages; `show` displays one.

    The constructor detects the baud rate and the modem family. It raises CannotTalk if no modem answers.
    """

    def __init__(
        self, path: str, port: Port | Recorder, show: Callable[[str], None], clock: Clock | None = None
    ) -> None:
        self._path = path
        self._port = port
        self._show = show
        self._clock = clock or Clock()
        self._modem = Modem(port, self._clock, registry.load())
        self._undo: list[str] = []
        self._names: dict[str | None, str] = {}  # of operators, by PLMN
        self._find_speed()
        with self._explained():
            self._model = registry.identify(self._modem)
        if registry.family_name(self._model or "") is None:
            show(f"The modem model {self._model or '(not reported)'} is not listed; the SIM800 driver is used.")
        self._hooks = startup.setup(self._modem)
        self.scan_s = self._hooks.SCAN_S
        self.hears_lte = hasattr(self._hooks, "reference_signal")
        with self._explained():
            self._names_as_digits()

    def identity(self) -> Identity:
        return Identity(None, self._model, self._first_line("AT+CGSN"))

    def reading(self) -> Reading:
        with self._explained():
            csq, plmn = self._modem.signal_quality(), self._modem.operator()
            return Reading(csq, plmn, self._names.get(plmn), *self._reference())

    def cell(self) -> str | None:
        with self._explained():
            self._remember("AT+CREG?", "+CREG:", "AT+CREG=2")
            serving = self._modem.query("AT+CREG?", replies.registration)
        if serving.lac is None or serving.cell is None:
            return None
        return f"{serving.lac:04X}-{serving.cell:04X}"

    def networks(self) -> list[Network]:
        for attempt in range(SCAN_ATTEMPTS):
            try:
                return self._scanned()
            except (ModemError, OSError) as error:
                if attempt == SCAN_ATTEMPTS - 1:
                    raise CannotTalk(f"{self._path}: the scan failed twice ({error}); try again in a minute") from None
                self._recover(error)
        raise AssertionError("a scan neither gave a result nor failed")

    def ask(self, question: str) -> None:
        """Send a query for the recording, and ignore the response. Raises CannotTalk if the port fails or the modem hangs."""
        with self._explained(), contextlib.suppress(CommandError, CommandTimeout, ProtocolError):
            self._modem.command(question)

    def listen(self, seconds: float) -> None:
        """Process unsolicited result codes for `seconds`. Raises CannotTalk."""
        until_ms = self._clock.now_ms() + int(seconds * 1000)
        while (left_ms := until_ms - self._clock.now_ms()) > 0:
            with self._explained():
                self._modem.wait(min(left_ms, LISTEN_MS))

    def leave(self) -> None:
        with contextlib.suppress(ModemError, OSError):
            self._modem.resync(ABORT_MS)  # its first carriage return aborts a running scan
            for command in reversed(self._undo):
                self._modem.ensure(command)
        with contextlib.suppress(OSError):
            self._port.close()

    def _scanned(self) -> list[Network]:
        return networks(self._hooks.scan(self._modem))

    def _reference(self) -> tuple[int, int] | tuple[()]:
        """Return (RSRP dBm, RSRQ dB); () if the family or its firmware does not report them, or the cell is not LTE."""
        try:
            return self._hooks.reference_signal(self._modem) or () if self.hears_lte else ()
        except CommandError:
            return ()

    def _recover(self, error: Exception) -> None:
        """Resynchronise after a failed scan. Raises CannotTalk if the modem does not answer."""
        self._show(f"the scan failed ({error}); reconnecting to the modem")
        until_ms = self._clock.now_ms() + REBOOT_MS
        while self._clock.now_ms() < until_ms:
            with contextlib.suppress(ModemHung, ModemRestarted, OSError):
                self._modem.resync(FIRST_ANSWER_MS)
                self._show("the modem answers again; repeating the scan")
                return
        raise CannotTalk(
            f"{self._path}: the modem stopped answering in the scan; switch its supply off and on, wait 20 s, try again"
        )

    def _find_speed(self) -> None:
        """Try the usual baud rates, and the first one again at the end in case the modem was booting.

        Does not change the modem's baud rate. Raises CannotTalk if no modem answers.
        """
        for baud in (startup.BAUD, *startup.OTHER_BAUDS, startup.BAUD):
            self._port.set_baud(baud)
            try:
                self._modem.resync(FIRST_ANSWER_MS)
                return
            except ModemError:
                continue
            except OSError as error:
                raise CannotTalk(
                    f"{self._path}: the port failed ({error}); unplug the cable and plug it in again"
                ) from None
        if self._modem.unexpected_lines or self._modem.broken:
            raise CannotTalk(
                f"{self._path}: the device on this port is not a modem; choose another --port,"
                " or add --console if it is a charge point's console"
            )
        raise CannotTalk(f"{self._path}: no modem answers; check that it is switched on and that this is its port")

    def _names_as_digits(self) -> None:
        """Set the operator format to PLMN. Store the previous format for `leave`, and the operator's name that it gave."""
        serving = self._modem.query("AT+COPS?", replies.operator)
        if serving.format not in (None, replies.NUMERIC):
            self._modem.ensure(f"AT+COPS=3,{replies.NUMERIC}")
            self._undo.append(f"AT+COPS=3,{serving.format}")
            self._names[self._modem.operator()] = serving.name

    def _remember(self, question: str, name: str, wanted: str) -> None:
        """Send the command `wanted`. Store the previous value, the first field of the response to `question`, for `leave`."""
        before = self._modem.query(question, lambda text: split(line_after((name,), text), text)[0][0])
        setting, _, value = wanted.partition("=")
        if before != value:
            self._modem.ensure(wanted)
            self._undo.append(f"{setting}={before}")

    def _first_line(self, question: str) -> str | None:
        with self._explained():
            try:
                return str(self._modem.query(question, str)).split("\n")[0].strip() or None
            except CommandError:
                return None

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Convert errors of the modem to CannotTalk, with a one-line message for people."""
        try:
            yield
        except ModemRestarted:
            raise CannotTalk(
                f"{self._path}: the modem restarted; if this happens again, its power supply is too weak"
            ) from None
        except ProtocolError:
            raise CannotTalk(
                f"{self._path}: the modem's responses are corrupted; check the cable and its ground connection"
            ) from None
        except (ModemError, OSError) as error:
            raise CannotTalk(f"{self._path}: the modem stopped answering ({error}); switch it off and on") from None
