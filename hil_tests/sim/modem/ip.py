"""The modem's own TCP/IP stack: the AT+CIPxxx commands (AT manual V1.12 chapter 8) over real sockets.

Context states, in the order in which a connection is set up:

    IP INITIAL -CSTT-> IP START -CIICR-> IP GPRSACT -CIFSR-> IP STATUS -CIPSTART-> IP PROCESSING
    any of them -coverage gone for long-> PDP DEACT -CIPSHUT-> IP INITIAL

CIPMUX=1 permits several links; CIPMUX=0 permits one.
"""

from hil_tests.sim.modem.command import AtError, CmeError, Command, Final, Handler
from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.registration import Registration
from hil_tests.sim.modem.relay import Relay
from hil_tests.sim.modem.sockets import Sockets, loopback
from hil_tests.sim.modem.terminal import Terminal

CONNECT_LIMIT_S = 75  # AT+CIPSTART with CIPMUX=1, manual section 8.2.2
SEND_BYTES = 1460  # AT+CIPSEND?
HEX_READ_BYTES = 730  # AT+CIPRXGET=3
OWN_ADDRESS = "10.64.0.17"

ONWARD = {"IP GPRSACT", "IP STATUS", "IP PROCESSING"}  # the context is up


class Ip:
    """The stack of one modem, from power-on to power-off."""

    def __init__(self, world: World, registration: Registration, terminal: Terminal, links: int = 6) -> None:
        self._links = links
        self._world, self._registration, self._terminal = world, registration, terminal
        self._sockets = Sockets(world, registration)
        self._announced: set[int] = set()
        self.power_off()

    def power_off(self) -> None:
        """Reset the stack. The far ends are not notified."""
        self._drop()
        self.state = "IP INITIAL"
        self._many_links = False
        self._quick_send = False
        self._manual_read = False

    def context_lost(self) -> None:
        """Close the PDP context: the network has ended it."""
        if self.state in ONWARD:
            self._drop()
            self.state = "PDP DEACT"
            self._terminal.say("+PDP: DEACT")

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        return {
            "+CIPMUX": self._cipmux,
            "+CIPQSEND": self._cipqsend,
            "+CIPRXGET": self._ciprxget,
            "+CSTT": self._cstt,
            "+CIICR": self._ciicr,
            "+CIFSR": self._cifsr,
            "+CIPSTATUS": self._cipstatus,
            "+CIPSTART": self._cipstart,
            "+CIPSEND": self._cipsend,
            "+CIPACK": self._cipack,
            "+CIPCLOSE": self._cipclose,
            "+CIPSHUT": self._cipshut,
            "+CDNSGIP": self._cdnsgip,
            "+CIPSPRT": self._accepted,
            "+CIPTKA": self._accepted,
            "+CIPHEAD": self._accepted,
            "+CIPRDTIMER": self._accepted,
            "+CDNSCFG": self._accepted,
        }

    # Settings

    async def _accepted(self, _command: Command) -> None:
        """Accept a command that is not modelled and has no visible effect here."""

    async def _cipmux(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CIPMUX: {int(self._many_links)}")
        elif self.state != "IP INITIAL":
            raise CmeError(3)
        else:
            self._many_links = bool(command.number(0, within=range(2)))

    async def _cipqsend(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CIPQSEND: {int(self._quick_send)}")
        else:
            self._quick_send = bool(command.number(0, within=range(2)))

    # The context

    async def _cstt(self, command: Command) -> None:
        if self.state != "IP INITIAL" or len(command.text(0)) > 50:
            raise CmeError(3)
        self.state = "IP START"

    async def _ciicr(self, _command: Command) -> None:
        if self.state != "IP START":
            raise CmeError(3)
        self.state = "IP CONFIG"
        await self._world.wait("pdp_activate")
        if not self._sockets.has_service():
            self.state = "PDP DEACT"
            raise AtError("no packet service")
        self.state = "IP GPRSACT"
        self._sockets.spawn(self._watch_context())

    async def _cifsr(self, _command: Command) -> Final:
        if self.state not in ONWARD:
            raise CmeError(3)
        if self.state == "IP GPRSACT":
            self.state = "IP STATUS"
        self._terminal.say(OWN_ADDRESS)
        return Final(None)

    async def _cipshut(self, _command: Command) -> Final:
        await self._world.wait("shut")
        self._sockets.close_all()
        self._announced.clear()
        self.state = "IP INITIAL"
        return Final("SHUT OK")

    async def _watch_context(self) -> None:
        await self._world.outage("pdp_lost")
        self.context_lost()

    # Connections

    async def _cipstart(self, command: Command) -> Final:
        if command.kind != "write":
            raise AtError(command.kind)
        fields = command.arguments
        link = 0
        if self._many_links:
            link = command.number(0, within=range(self._links))
            fields = fields[1:]
        if len(fields) < 3 or fields[0].upper() != "TCP" or not fields[2].isdecimal():
            raise CmeError(50)
        if self.state not in ("IP STATUS", "IP PROCESSING"):
            raise CmeError(3)
        if self._sockets.is_open(link):
            return Final(then=(self._mark(link, "ALREADY CONNECT"),))
        if self._sockets.is_connecting(link):
            raise CmeError(3)
        self.state = "IP PROCESSING" if self._many_links else "TCP CONNECTING"
        self._announced.discard(link)
        self._sockets.connect(
            link,
            (fields[1], int(fields[2])),
            CONNECT_LIMIT_S,
            lambda: self._announce(link),
            lambda: self._closed(link),
            lambda error: self._connected(link, error),
        )
        return Final()

    def _connected(self, link: int, error: Exception | None) -> None:
        if error is None:
            if not self._many_links:
                self.state = "CONNECT OK"
            self._terminal.say(self._mark(link, "CONNECT OK"))
            return
        if not self._many_links:
            self._terminal.say("STATE: TCP CLOSED")
        self._terminal.say(self._mark(link, "CONNECT FAIL"))

    async def _cipsend(self, command: Command) -> Final | None:
        if command.kind == "read":
            for number in range(self._links) if self._many_links else (None,):
                self._terminal.say(f"+CIPSEND: {'' if number is None else f'{number},'}{SEND_BYTES}")
            return None
        arguments = list(command.arguments)
        link = int(arguments.pop(0)) if self._many_links and arguments and arguments[0].isdecimal() else 0
        relay = self._live(link)
        if arguments and not (arguments[0].isdecimal() and 0 < int(arguments[0]) <= SEND_BYTES):
            raise CmeError(50)
        self._terminal.put(b"\r\n> ")
        if arguments:
            payload: bytes | None = await self._terminal.counted(int(arguments[0]))
        else:
            payload = await self._terminal.until_ctrl_z()
        if payload is None:
            return Final()
        if not relay.open:
            return Final(self._mark(link, "SEND FAIL"))
        accepted = relay.send(payload)
        if self._quick_send:
            return Final(f"DATA ACCEPT:{f'{link},' if self._many_links else ''}{accepted}")
        await relay.flushed()
        return Final(self._mark(link, "SEND OK" if relay.open else "SEND FAIL"))

    async def _ciprxget(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CIPRXGET: {int(self._manual_read)}")
            return
        mode = command.number(0, within=range(5))
        if mode in (0, 1):
            if self._sockets.relays:
                raise CmeError(3)
            self._manual_read = bool(mode)
            return
        link = command.number(1, within=range(self._links)) if self._many_links else 0
        named = f"{mode},{link}" if self._many_links else f"{mode}"
        relay = self._sockets.relays.get(link)
        if relay is None or not (relay.open or relay.waiting_bytes):
            raise CmeError(3)
        if mode == 4:
            self._terminal.say(f"+CIPRXGET: {named},{relay.waiting_bytes}")
            return
        longest = SEND_BYTES if mode == 2 else HEX_READ_BYTES
        limit = command.number(1 + self._many_links, within=range(1, longest + 1))
        payload = relay.take(limit)
        self._announced.discard(link)
        header = f"\r\n+CIPRXGET: {named},{len(payload)},{relay.waiting_bytes}\r\n"
        self._terminal.put(header.encode() + (payload if mode == 2 else payload.hex().upper().encode()))

    async def _cipack(self, command: Command) -> None:
        relay = self._live(command.number(0, 0, within=range(self._links)))
        unacknowledged = relay.unacknowledged_bytes
        self._terminal.say(f"+CIPACK: {relay.accepted_bytes},{relay.acknowledged_bytes},{unacknowledged}")

    async def _cipclose(self, command: Command) -> Final:
        """End a connection, or an attempt to connect."""
        link = command.number(0, 0, within=range(self._links)) if self._many_links else 0
        if not self._sockets.is_connecting(link):
            self._live(link)
        self._sockets.close(link)
        if not self._many_links:
            self.state = "TCP CLOSED"
        return Final(self._mark(link, "CLOSE OK"))

    async def _cipstatus(self, command: Command) -> Final | None:
        if command.kind == "write":
            self._terminal.say(f"+CIPSTATUS: {self._row(command.number(0, within=range(self._links)))}")
            return None
        rows = [f"C: {self._row(link)}" for link in range(self._links)] if self._many_links else []
        return Final(then=(f"STATE: {self.state}", *rows))

    async def _cdnsgip(self, command: Command) -> Final:
        try:
            answer = f'1,"{command.text(0)}","{loopback(command.text(0))}"'
        except LookupError:
            answer = "0,8"
        return Final(then=(f"+CDNSGIP: {answer}",))

    def _row(self, link: int) -> str:
        if link not in self._sockets.relays:
            return f'{link},,"","","","INITIAL"'
        host, port = self._sockets.remote[link]
        word = "CONNECTED" if self._sockets.relays[link].open else "CLOSED"
        return f'{link},0,"TCP","{host}","{port}","{word}"'

    def _live(self, link: int) -> Relay:
        relay = self._sockets.relays.get(link)
        if relay is None or not relay.open:
            raise CmeError(3)
        return relay

    def _announce(self, link: int) -> None:
        """Report data that came in. With manual reading a URC is sent once, until the client reads. Otherwise the data
        is sent."""
        relay = self._sockets.relays.get(link)
        if relay is None:
            return
        if self._manual_read:
            if link not in self._announced:
                self._announced.add(link)
                self._terminal.say(f"+CIPRXGET: 1,{link}" if self._many_links else "+CIPRXGET: 1")
            return
        payload = relay.take(SEND_BYTES)
        if self._many_links:
            self._terminal.put(f"\r\n+RECEIVE,{link},{len(payload)}:\r\n".encode() + payload)
        else:
            self._terminal.put(payload)

    def _closed(self, link: int) -> None:
        if not self._many_links:
            self.state = "TCP CLOSED"
        self._terminal.say(f"{link}, CLOSED" if self._many_links else "CLOSED")

    def _mark(self, link: int, text: str) -> str:
        return f"{link}, {text}" if self._many_links else text

    def _drop(self) -> None:
        self._sockets.drop()
        self._announced.clear()

    def close(self) -> None:
        """Close the real sockets at the end of the simulation."""
        self._sockets.reset()
