"""Readings through a charge point's service console, whose answers are lines of `name value`.

Commands and long lines are sent in pieces (console_pieces.py), because the serial line may lose bytes.
"""

import contextlib
import random
import time
from collections.abc import Callable

from modem import signal
from modem.installer.console_pieces import ID_MAX, Exchange, LineTooBad
from modem.installer.errors import CannotTalk
from modem.installer.readings import Identity, Network, Reading
from modem.ports.pyserial_port import Port

ANSWER_S = 3
ATTEMPTS = 2
REPEAT_S = 1  # of silence, before the last line is written again
FRESH_S = 5  # longest wait for a new reading; without one, the unit has no contact with its modem
LOOK_EVERY_S = 0.1
UNREAD_LIMIT_BYTES = 8_192


class Refused(CannotTalk):
    """The unit refused the command; `why` is the reason that it gave."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: the unit refused: {why}")
        self.why = why


class ConsoleSource:
    """A readings.Source for a charge point's console, which also describes the methods. `path` names the port in messages.

    The constructor raises CannotTalk if no charge point answers.
    """

    hears_lte = False  # the console does not report this
    scan_s = (60, 240)  # the unit completes its current action first

    def __init__(self, path: str, port: Port, show: Callable[[str], None]) -> None:
        self._path = path
        self._port = port
        self._unread = b""
        self._number = random.randint(0, ID_MAX)  # ID of a command; random, to differ from those of an earlier run
        self._taken = -1  # number of the last reading returned
        status = self.named("status")
        if "csq" not in status:
            raise CannotTalk(f"{path}: the device on this port is not a charge point's console; choose another --port")
        self._unit = status.get("id", "-")
        _, _, self._model = status.get("modem", "").partition(" ")  # family and model

    def identity(self) -> Identity:
        return Identity(_known(self._unit), _known(self._model or None), None)

    def reading(self) -> Reading:
        """Return a reading that was not returned before; Reading(NO_READING, None) if there is none within FRESH_S."""
        until_s = time.monotonic() + FRESH_S
        while True:
            answer = self.named("csq")
            number = int(answer.get("sample", "0"))
            if number != self._taken:
                self._taken = number
                return Reading(int(answer["csq"]), _known(answer.get("operator")))
            if time.monotonic() >= until_s:
                return Reading(signal.NO_READING, None)
            self._port.wait(int(LOOK_EVERY_S * 1000))

    def cell(self) -> str | None:
        return _known(self.named("csq").get("cell"))

    def networks(self) -> list[Network]:
        self.ask("scan")
        until_s = time.monotonic() + self.scan_s[1]
        while time.monotonic() < until_s:
            lines = self.ask("networks")
            state = lines[0].partition(" ")[2] if lines else ""
            if state == "done":
                return [_network(line) for line in lines[1:]]
            if state.startswith("failed"):
                raise CannotTalk(f"{self._path}: the unit's scan {state}; try again in a minute")
            self._port.wait(1_000)
        raise CannotTalk(f"{self._path}: the unit did not finish its scan in {self.scan_s[1]} s; try again")

    def leave(self) -> None:
        with contextlib.suppress(OSError):
            self._port.close()

    def named(self, command: str) -> dict[str, str]:
        """Send a command and return the answer as values by name. Raises Refused and CannotTalk."""
        named = {}
        for line in self.ask(command):
            name, _, value = line.partition(" ")
            named[name] = value
        return named

    def ask(self, command: str) -> list[str]:
        """Send a command and return the lines of the answer, without `ok`. Raises Refused and CannotTalk."""
        try:
            for _ in range(ATTEMPTS):  # the first may fail if the unit holds part of an earlier line
                self._port.read()
                self._unread = b""
                exchange = self._exchange(command)
                if exchange is not None:
                    break
            else:
                raise CannotTalk(f"{self._path}: no charge point answers; check its supply and the port")
        except OSError as error:
            raise CannotTalk(f"{self._path}: the port failed ({error}); plug the cable in again") from None
        if exchange.error is not None:
            raise Refused(self._path, exchange.error)
        return exchange.lines

    def _exchange(self, command: str) -> Exchange | None:
        """Send one command and receive its answer. Return None if the answer is late or incomplete."""
        self._number += 1
        exchange = Exchange(command, self._number)
        self._port.write(exchange.request)
        until_s = time.monotonic() + ANSWER_S
        repeat_s = time.monotonic() + REPEAT_S
        try:
            while not exchange.done and (now_s := time.monotonic()) < until_s:
                if now_s >= repeat_s:
                    repeat_s = now_s + REPEAT_S
                    self._port.write(exchange.repeat())
                self._port.wait(max(1, int((min(until_s, repeat_s) - now_s) * 1000)))
                for line in self._lines():
                    repeat_s = time.monotonic() + REPEAT_S
                    more = exchange.take(line)
                    if more:
                        self._port.write(more)
        except LineTooBad:
            return None
        return exchange if exchange.done else None

    def _lines(self) -> list[bytes]:
        """Return the complete lines that were received."""
        self._unread = (self._unread + self._port.read())[-UNREAD_LIMIT_BYTES:]
        *whole, self._unread = self._unread.replace(b"\r", b"\n").split(b"\n")
        return whole


def _known(value: str | None) -> str | None:
    return None if value in (None, "-") else value


def _network(line: str) -> Network:
    """Parse `network 23415 17 3 vodafone UK`: PLMN, CSQ of the strongest cell or "-", number of cells, name."""
    _, plmn, csq, cells, name = (line + "    ").split(" ", 4)
    return Network(plmn, name.strip() or None, None if csq == "-" else int(csq), int(cells))
