"""The service console on USB serial, for an installer's laptop and for a test rig: one command per line, or in pieces
(console_pieces.py).

An answer consists of lines `name value`, then `ok`; or of one line `error` with the reason or the remedy. The main thread
serves the console in its pauses, so a flood of commands cannot affect the control loop. The function
`answer_NAME(unit, argument)` in a module of firmware/service implements the command NAME. The module is in memory only while
it answers.
"""

from firmware.console_pieces import AGAIN, LINE_MAX, Incoming, Outgoing, is_piece
from firmware.errors import CommandRefused, SettingError
from firmware.lazy_import import LazyImport

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.boards.board import ConsolePort
    from firmware.charge_point import ChargePoint

ROOM = "firmware.service."
# The modules of ROOM (all in lazy_import.ON_DEMAND), and the commands that they implement.
COMMANDS = {
    "now": ("status", "why", "faults", "health", "inputs"),
    "radio": ("csq", "network", "networks", "scan", "trace"),
    "records": ("sessions", "log"),
    "owner": ("schedule", "override", "skipdelay", "time"),
    "fitting": ("config", "unlock", "clear", "selftest", "reboot"),
    "identity": ("identity", "provision", "commission", "authority", "factoryreset"),
    "update": ("update",),
    "help": ("help",),
}


class Console:
    def __init__(self, port: "ConsolePort", unit: "ChargePoint") -> None:
        self._port = port
        self._unit = unit
        self._line = b""
        self._incoming, self._outgoing = Incoming(), Outgoing()
        self.overlong = 0  # lines that were discarded because they exceeded LINE_MAX
        self._busy = False

    def poll(self) -> None:
        """Answer the commands that were received since the last call. Call in every pause of the main thread."""
        if self._busy:  # writing an answer may wait, and the wait calls poll again
            return
        self._busy = True
        try:
            self._take(self._port.read())
        except OSError:
            pass  # nothing reads the console; only its answer is lost
        finally:
            self._busy = False

    def _take(self, typed: bytes) -> None:
        for byte in typed:
            if byte in b"\r\n":
                line, self._line = self._line, b""
                if len(line) > LINE_MAX:
                    self.overlong += 1
                    self._write(b"error the line is longer than %d bytes; longer commands go in pieces" % LINE_MAX)
                elif line.strip():
                    self._obey(line)
            elif len(self._line) <= LINE_MAX:
                self._line += bytes((byte,))

    def _obey(self, line: bytes) -> None:
        """Process a line: a command, a piece of a command, or a request for a piece of the last answer."""
        command: bytes | None = line
        number = None
        if is_piece(line):
            command, number, reply = self._incoming.take(line)
            if reply:
                self._write(reply.encode())
        if command is None:
            return
        if command.startswith(AGAIN):
            for piece in self._outgoing.again(command[len(AGAIN) :]):
                self._write(piece)
            return
        self._outgoing.begin(number)
        self._say(self._answer(command))
        self._finish()

    def _answer(self, line: bytes) -> "list[str]":
        name = ""
        try:
            name, _, argument = line.decode().strip().partition(" ")
            with LazyImport():
                return _answerer(name)(self._unit, argument.strip()) + ["ok"]
        except UnicodeError:
            return ["error the line is not text"]
        except (CommandRefused, SettingError) as refused:
            return ["error %s" % refused]
        except OSError:
            return ["error flash write failed"]
        except Exception as error:  # a programming error, or a part that failed at the start
            self._unit.health.crashed(name, error)
            return ["error %s" % "; ".join(self._unit.health.failures)]

    def _finish(self) -> None:
        """Carry out the action that a command deferred until its answer was written."""
        if self._unit.after_answer:
            self._unit.after_answer()

    def _say(self, lines: "list[str]") -> None:
        """Write one line at a time, because a fragmented heap may have no block for the whole answer."""
        for place, line in enumerate(lines):
            for part in self._outgoing.lines(line, place == len(lines) - 1):
                self._write(part)

    def _write(self, line: bytes) -> None:
        self._port.write(line + b"\r\n")


def _answerer(name: str) -> "Callable[[ChargePoint, str], list[str]]":
    """Import and return the function that implements command `name`. Raises CommandRefused if there is none."""
    for module, names in COMMANDS.items():
        if name in names:
            answering = __import__(ROOM + module, None, None, (module,))
            return getattr(answering, "answer_" + name)  # type: ignore[no-any-return]  # a test holds their types
    raise CommandRefused("no command %s; try help" % name)
