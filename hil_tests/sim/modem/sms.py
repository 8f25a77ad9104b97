"""The SMS commands that a client sends at its start. No message is ever sent or received.

AT manual V1.12 chapter 4.
"""

from hil_tests.sim.modem.command import Command, Handler
from hil_tests.sim.modem.terminal import Terminal

SERVICE_CENTRE = '"+447785016005",145'
STORES = '("SM"),("SM"),("SM")'
USED = '"SM",0,30,"SM",0,30,"SM",0,30'


class Sms:
    """An empty message store. `+CMGF` and `+CNMI` remember their settings."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._text_mode = 0
        self._indications = "0,0,0,0,0"

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        return {
            "+CMGF": self._cmgf,
            "+CNMI": self._cnmi,
            "+CPMS": self._cpms,
            "+CSCA": self._csca,
            "+CSMP": self._taken,
            "+CMGL": self._taken,
            "+CMGD": self._taken,
            "+CMGR": self._taken,
        }

    async def _taken(self, _command: Command) -> None:
        """Accept the command: there is nothing to list, to read or to delete."""

    async def _cmgf(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CMGF: {self._text_mode}")
        elif command.kind == "write":
            self._text_mode = command.number(0, within=range(2))

    async def _cnmi(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CNMI: {self._indications}")
        elif command.kind == "test":
            self._terminal.say("+CNMI: (0-3),(0-3),(0,2,3),(0-2),(0,1)")
        else:
            self._indications = ",".join(command.arguments)

    async def _cpms(self, command: Command) -> None:
        if command.kind == "test":
            self._terminal.say(f"+CPMS: {STORES}")
        elif command.kind == "read":
            self._terminal.say(f"+CPMS: {USED}")
        else:
            self._terminal.say("+CPMS: 0,30,0,30,0,30")

    async def _csca(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CSCA: {SERVICE_CENTRE}")
