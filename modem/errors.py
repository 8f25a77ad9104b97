"""Exceptions of the modem layer.

Each is a ModemError. Misuse by the caller raises ValueError or RuntimeError; a fault of the serial line raises OSError. A TCP
connection (stream.py) raises OSError only, as a socket does.
"""


class ModemError(Exception):
    """Base class: the modem, or the line to it, failed."""


class CommandError(ModemError):
    """The modem answered a command with an error result."""

    def __init__(self, command: str, final: str, code: int | None, name: str | None) -> None:
        """`final` is the final result line; `code` and `name` are the +CME ERROR number and its text, None if not given."""
        super().__init__("%s: %s" % (command, name or final))
        self.command = command
        self.final = final
        self.code = code
        self.name = name


class CommandTimeout(ModemError):
    """No final result was received within `timeout_ms`. The client discards a late response when it resynchronises."""

    def __init__(self, command: str, timeout_ms: int) -> None:
        super().__init__("%s: no answer in %d ms" % (command, timeout_ms))
        self.command = command
        self.timeout_ms = timeout_ms


class ModemHung(ModemError):
    """The modem does not answer any command. A reset or a power cycle is needed."""


class ModemRestarted(ModemError):
    """The modem restarted while a command was pending (supply dip, watchdog or reset). Its volatile settings are lost."""


class ProtocolError(ModemError):
    """The response is malformed: bytes were lost or interleaved. `text` is the response."""

    def __init__(self, why: str, text: str = "") -> None:
        super().__init__("%s: %r" % (why, text) if text else why)
        self.text = text


class SimError(ModemError):
    """The SIM is not usable. `state` is that of +CPIN (NOT INSERTED, SIM PIN, SIM PUK, NOT READY), or the error's name."""

    def __init__(self, state: str) -> None:
        super().__init__("SIM: %s" % state)
        self.state = state


class NotRegistered(ModemError):
    """Registration timed out. `stat` is the last +CGREG <stat>: 0 not searching, 2 searching, 3 denied, 4 unknown."""

    def __init__(self, stat: int) -> None:
        super().__init__("no network, the modem is %s" % _STATES.get(stat, "in state %d" % stat))
        self.stat = stat


_STATES = {0: "not searching", 2: "searching", 3: "refused"}
