"""What can go wrong between us and the modem.

Everything raised by this package is a ModemError, except misuse by the caller (ValueError, RuntimeError) and what the
platform says of the serial line itself (OSError). A TCP connection speaks OSError only: see stream.py.
"""


class ModemError(Exception):
    """The modem, or the line to it, did not do what was asked."""


class CommandError(ModemError):
    """The modem refused a command: it answered, and the answer was no."""

    def __init__(self, command: str, final: str, code, name):
        """`final` is the modem's own line; `code` and `name` are its +CME or +CMS number and what that means, or None."""
        super().__init__("%s: %s" % (command, name or final))
        self.command = command
        self.final = final
        self.code = code
        self.name = name


class CommandTimeout(ModemError):
    """No final result came in time. The answer may still come; the client will not take it for another's."""

    def __init__(self, command: str, timeout_ms: int):
        super().__init__("%s: no answer in %d ms" % (command, timeout_ms))
        self.command = command
        self.timeout_ms = timeout_ms


class ModemHung(ModemError):
    """The modem answers nothing at all any more: only a reset or its supply can help."""


class ModemRestarted(ModemError):
    """The modem booted while it owed us an answer: supply dip, watchdog or reset. All its volatile settings are gone."""


class ProtocolError(ModemError):
    """What the modem sent does not fit the grammar, so bytes were lost or mixed. `text` is what was seen."""

    def __init__(self, why: str, text: str = ""):
        super().__init__("%s: %r" % (why, text) if text else why)
        self.text = text


class SimError(ModemError):
    """The SIM cannot be used. `state` is +CPIN's word: NOT INSERTED, SIM PIN, SIM PUK, NOT READY..."""

    def __init__(self, state: str):
        super().__init__("SIM: %s" % state)
        self.state = state


class NotRegistered(ModemError):
    """No network took us in time. `stat` is the last +CGREG state: 0 not searching, 2 searching, 3 denied, 4 unknown."""

    def __init__(self, stat: int):
        super().__init__("no network, the modem is %s" % _STATES.get(stat, "in state %d" % stat))
        self.stat = stat


_STATES = {0: "not searching", 2: "searching", 3: "refused"}
