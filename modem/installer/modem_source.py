"""Readings directly from a modem's serial port. Changed settings are restored by `leave`."""

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
    """`path` is for messages; `show` displays one. Detects baud rate and family; raises CannotTalk without a modem.

    See readings.Source for the methods.
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
            show(
                f"The modem {self._model or 'does not tell its model, which'} is not listed: it is taken for a SIM800."
            )
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
        """Send a query whose answer is of no use here, but in a recording. Raises CannotTalk if the modem does not answer."""
        with self._explained(), contextlib.suppress(CommandError, CommandTimeout, ProtocolError):
            self._modem.command(question)

    def listen(self, seconds: float) -> None:
        """Take unsolicited result codes for so long. Raises CannotTalk."""
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
        """(RSRP dBm, RSRQ dB), () where the family, its firmware or the serving cell has none."""
        try:
            return self._hooks.reference_signal(self._modem) or () if self.hears_lte else ()
        except CommandError:
            return ()

    def _recover(self, error: Exception) -> None:
        """Resynchronise after a failed scan. Raises CannotTalk if the modem does not answer."""
        self._show(f"the modem broke off the scan ({error}); getting it back")
        until_ms = self._clock.now_ms() + REBOOT_MS
        while self._clock.now_ms() < until_ms:
            with contextlib.suppress(ModemHung, ModemRestarted, OSError):
                self._modem.resync(FIRST_ANSWER_MS)
                self._show("the modem answers again; scanning once more")
                return
        raise CannotTalk(
            f"{self._path}: the modem died in the scan; switch its supply off and on, wait 20 s, try again"
        )

    def _find_speed(self) -> None:
        """Try the usual baud rates, the first one again at the end for a modem that was booting. Sets nothing."""
        for baud in (startup.BAUD, *startup.OTHER_BAUDS, startup.BAUD):
            self._port.set_baud(baud)
            try:
                self._modem.resync(FIRST_ANSWER_MS)
                return
            except ModemError:
                continue
            except OSError as error:
                raise CannotTalk(
                    f"{self._path}: the port failed ({error}); pull the cable and plug it in again"
                ) from None
        if self._modem.unexpected_lines or self._modem.broken:
            raise CannotTalk(
                f"{self._path}: what answers is not a modem; choose another --port,"
                " or add --console if it is a charge point's console"
            )
        raise CannotTalk(f"{self._path}: no modem answers; is it switched on, and is this its port?")

    def _names_as_digits(self) -> None:
        """Set the operator format to PLMN; store the previous format for `leave`, and the name that it gave."""
        serving = self._modem.query("AT+COPS?", replies.operator)
        if serving.format not in (None, replies.NUMERIC):
            self._modem.ensure(f"AT+COPS=3,{replies.NUMERIC}")
            self._undo.append(f"AT+COPS=3,{serving.format}")
            self._names[self._modem.operator()] = serving.name

    def _remember(self, question: str, name: str, wanted: str) -> None:
        """Set `wanted`; store the previous value, the first field of the response to `question`, for `leave`."""
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
        """Convert errors of the modem to CannotTalk, one line for people."""
        try:
            yield
        except ModemRestarted:
            raise CannotTalk(
                f"{self._path}: the modem restarted; its supply is too weak if this happens again"
            ) from None
        except ProtocolError:
            raise CannotTalk(
                f"{self._path}: what the modem says does not come through; look at the cable and its ground"
            ) from None
        except (ModemError, OSError) as error:
            raise CannotTalk(f"{self._path}: the modem stopped answering ({error}); switch it off and on") from None
