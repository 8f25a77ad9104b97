"""The service console on USB serial, for an installer's laptop and for a rig: one command a line, or in pieces
(console_pieces.py).

A reply is lines of `name value`, then `ok`; or one line `error` and what to do. It is served in the pauses of the
communication thread, never by the control loop, so no flood of commands can touch the charging. What a command does is
`answer_NAME(unit, argument)` in one of the modules of firmware/service, which is in memory while it answers.
"""

from firmware.console_pieces import AGAIN, LINE_MAX, Incoming, Outgoing, is_piece
from firmware.errors import CommandRefused, SettingError
from firmware.lazy_import import LazyImport

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.boards.board import ConsolePort
    from firmware.charge_point import ChargePoint

ROOM = "firmware.service."
# Its modules (all in lazy_import.ON_DEMAND), and the commands that they answer.
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
        self.overlong = 0  # lines thrown away
        self._busy = False

    def poll(self) -> None:
        """Answer what was typed since the last call; never waits for more. Called in every pause of the link."""
        if self._busy:  # an answer that waits for the line polls again
            return
        self._busy = True
        try:
            self._take(self._port.read())
        except OSError:
            pass  # nobody reads the console: its answer is lost, nothing else is
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
        """A piece of a command, a command, or a question for pieces of the last answer."""
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
            return ["error the flash takes nothing"]
        except Exception as error:  # a mistake of ours, or a part that failed at the start
            self._unit.health.crashed(name, error)
            return ["error %s" % "; ".join(self._unit.health.failures)]

    def _finish(self) -> None:
        """What an answer left to be done once it is out."""
        if self._unit.after_answer:
            self._unit.after_answer()

    def _say(self, lines: "list[str]") -> None:
        """One line after the other: a whole answer in one piece is more than a full heap has in one piece."""
        for place, line in enumerate(lines):
            for part in self._outgoing.lines(line, place == len(lines) - 1):
                self._write(part)

    def _write(self, line: bytes) -> None:
        self._port.write(line + b"\r\n")


def _answerer(name: str) -> "Callable[[ChargePoint, str], list[str]]":
    """What answers this command."""
    for module, names in COMMANDS.items():
        if name in names:
            answering = __import__(ROOM + module, None, None, (module,))
            return getattr(answering, "answer_" + name)  # type: ignore[no-any-return]  # a test holds their types
    raise CommandRefused("no command %s; try help" % name)
