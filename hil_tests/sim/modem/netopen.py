"""The TCP/IP stack of SIM7500, SIM7600 and A76xx: AT+NETOPEN, AT+CIPOPEN and their relatives.

SIM7500_SIM7600 Series AT Command Manual V3.00 chapter "AT Commands for TCP/IP", A7600 Series TCPIP Application Note
V1.00.

    closed -NETOPEN-> opening -"+NETOPEN: 0"-> open -NETCLOSE-> closed
    opening -"+NETOPEN: 1"-> closed
    opening, open -the network goes-> "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY", broken -NETCLOSE-> closed

UDP, servers and transparent mode are not modelled.
"""

from typing import NoReturn

from hil_tests.sim.modem.command import AtError, Command, Final, Handler
from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.registration import Registration
from hil_tests.sim.modem.relay import Relay
from hil_tests.sim.modem.sockets import Sockets, loopback
from hil_tests.sim.modem.terminal import Terminal

CLOSED, OPENING, OPEN, BROKEN = "closed", "opening", "open", "broken"
CONNECT_LIMIT_S = 120  # AT+CIPTIMEOUT, <cipopen_timeout>
SEND_BYTES = READ_BYTES = 1500  # AT+CIPSEND=?, AT+CIPRXGET=?
HEX_READ_BYTES = 750  # AT+CIPRXGET=3
OWN_ADDRESS = "10.64.0.17"

# <err> of +NETOPEN, +NETCLOSE, +CIPOPEN, +CIPCLOSE and +CIPERROR, Application Note section 4.1
DONE, NETWORK_FAILURE, NOT_OPENED, UNSUPPORTED, NO_SOCKET, TIMEOUT, UNKNOWN_HOST = 0, 1, 2, 4, 5, 10, 11
# Captured: "+CIPCLOSE: 0,4" for a link that is not open and "+NETCLOSE: 2" (A76xx), "+CIPERROR: 4" after AT+CIPSEND on
# such a link (SIM7600). Unverified, since the manuals list the codes without their causes: a refused connection, and a
# link in use.
LINK_NOT_OPEN = UNSUPPORTED
REFUSED, IN_USE = NO_SOCKET, UNSUPPORTED
BY_REMOTE = 1  # <close_reason> of +IPCLOSE
DISCONNECTED = -1  # <cnfSendLength> of +CIPSEND
BEHIND_PAYLOAD = (
    b"\r\n"  # unverified: the blank line between payload and OK, as printed in the Application Note, section 3.2.2
)


class NetOpen:
    """The stack of one modem, from power-on to power-off."""

    def __init__(self, world: World, registration: Registration, terminal: Terminal, links: int) -> None:
        self._world, self._terminal, self._links = world, terminal, links
        self._sockets = Sockets(world, registration)
        self._announced: set[int] = set()
        self._received: dict[int, int] = {}  # bytes read, by link: AT+CIPACK
        self.power_off()

    def power_off(self) -> None:
        """Reset the stack. The far ends are not notified."""
        self._drop()
        self.state = CLOSED
        self._manual_read = False

    def context_lost(self) -> None:
        """Close the PDP context: the network has ended it."""
        if self.state in (OPENING, OPEN):
            self._drop()
            self.state = BROKEN
            self._terminal.say("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")

    def close(self) -> None:
        """Close the real sockets at the end of the simulation."""
        self._sockets.reset()

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        accepted = (
            "+CIPMODE",
            "+CIPSENDMODE",
            "+CIPTIMEOUT",
            "+CIPCCFG",
            "+CIPHEAD",
            "+CIPSRIP",
            "+CSOCKSETPN",
            "+CTCPKA",
        )
        return dict.fromkeys(accepted, self._accepted) | {
            "+NETOPEN": self._netopen,
            "+NETCLOSE": self._netclose,
            "+IPADDR": self._ipaddr,
            "+CIPOPEN": self._cipopen,
            "+CIPSEND": self._cipsend,
            "+CIPRXGET": self._ciprxget,
            "+CIPCLOSE": self._cipclose,
            "+CIPACK": self._cipack,
            "+CDNSGIP": self._cdnsgip,
        }

    async def _accepted(self, _command: Command) -> None:
        """Accept a command that is not modelled and has no visible effect here."""

    async def _netopen(self, command: Command) -> None:
        if command.kind == "read":
            # Unverified: 1 also in the state BROKEN, until AT+NETCLOSE. "If the network library is still opened",
            # section 4.2.
            self._terminal.say(f"+NETOPEN: {int(self.state in (OPEN, BROKEN))}")
            return
        if self.state != CLOSED:
            self._terminal.say("+IP ERROR: Network is already opened")
            raise AtError(self.state)
        self.state = OPENING
        self._sockets.spawn(self._open())

    async def _open(self) -> None:
        await self._world.wait("pdp_activate")
        if not self._sockets.has_service():
            self.state = CLOSED
            self._terminal.say(f"+NETOPEN: {NETWORK_FAILURE}")
            return
        self.state = OPEN
        self._terminal.say(f"+NETOPEN: {DONE}")
        await self._world.outage("pdp_lost")
        self.context_lost()

    async def _netclose(self, _command: Command) -> None:
        if self.state == CLOSED:
            self._terminal.say(f"+NETCLOSE: {NOT_OPENED}")
            raise AtError(self.state)
        self._sockets.close_all()  # unverified: not refused with <err> 9, "Sockets opened"
        self._announced.clear()
        self.state = CLOSED
        self._sockets.spawn(self._closed_network())

    async def _closed_network(self) -> None:
        await self._world.wait("shut")
        self._terminal.say(f"+NETCLOSE: {DONE}")

    async def _ipaddr(self, _command: Command) -> None:
        if self.state != OPEN:
            self._terminal.say("+IP ERROR: Network not opened")
            raise AtError(self.state)
        self._terminal.say(f"+IPADDR: {OWN_ADDRESS}")

    async def _cipopen(self, command: Command) -> None:
        if command.kind == "read":
            for link in range(self._links):
                host, port = self._sockets.remote.get(link, ("", 0))
                there = f',"TCP","{host}",{port},-1' if self._sockets.is_open(link) else ""
                self._terminal.say(f"+CIPOPEN: {link}{there}")
            return
        link = self._link(command)
        if self.state != OPEN:
            self._fail(f"+CIPOPEN: {link},{NOT_OPENED}")
        if self._sockets.is_open(link) or self._sockets.is_connecting(link):
            self._fail(f"+CIPOPEN: {link},{IN_USE}")
        if command.text(1).upper() != "TCP":
            self._fail(f"+CIPOPEN: {link},{UNSUPPORTED}")
        if not (command.text(3).isdecimal() and 0 < int(command.text(3)) < 65_536):
            raise AtError(command.text(3))
        self._announced.discard(link)
        self._received[link] = 0
        self._sockets.connect(
            link,
            (command.text(2), int(command.text(3))),
            CONNECT_LIMIT_S,
            lambda: self._announce(link),
            lambda: self._terminal.say(f"+IPCLOSE: {link},{BY_REMOTE}"),
            lambda error: self._terminal.say(f"+CIPOPEN: {link},{_code(error)}"),
        )

    async def _cipsend(self, command: Command) -> Final:
        link = self._link(command)
        if self.state != OPEN:
            self._fail(f"+CIPERROR: {NOT_OPENED}")
        if not self._sockets.is_open(link):
            self._fail(f"+CIPERROR: {LINK_NOT_OPEN}")
        length = command.text(1)
        if length and not (length.isdecimal() and 0 < int(length) <= SEND_BYTES):
            raise AtError(length)
        relay = self._sockets.relays[link]
        self._terminal.put(b"\r\n>")
        payload = await (self._terminal.counted(int(length)) if length else self._terminal.until_ctrl_z())
        if payload is None:
            raise AtError("given up with Escape")
        accepted = relay.send(payload) if relay.open else DISCONNECTED
        return Final(then=(f"+CIPSEND: {link},{len(payload)},{accepted}",))

    async def _ciprxget(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CIPRXGET: {int(self._manual_read)}")
            return
        mode = self._number(command, 0, range(5))
        if mode in (0, 1):
            self._manual_read = bool(mode)
            return
        link = self._link(command, 1)
        relay = self._sockets.relays.get(link)
        longest = HEX_READ_BYTES if mode == 3 else READ_BYTES
        limit = self._number(command, 2, range(1, longest + 1), longest)
        if relay is None or (mode != 4 and not relay.waiting_bytes):
            self._fail("+IP ERROR: No data")
        if mode == 4:
            self._terminal.say(f"+CIPRXGET: 4,{link},{relay.waiting_bytes}")
            return
        payload = self._take(link, relay, limit)
        header = f"\r\n+CIPRXGET: {mode},{link},{len(payload)},{relay.waiting_bytes}\r\n"
        self._terminal.put(
            header.encode() + (payload if mode == 2 else payload.hex().upper().encode()) + BEHIND_PAYLOAD
        )

    async def _cipclose(self, command: Command) -> Final | None:
        if command.kind == "read":
            flags = ",".join(str(int(self._sockets.is_open(link))) for link in range(self._links))
            self._terminal.say(f"+CIPCLOSE: {flags}")
            return None
        link = self._link(command)
        if self.state != OPEN:
            self._fail(f"+CIPCLOSE: {link},{NOT_OPENED}")
        if not (link in self._sockets.relays or self._sockets.is_connecting(link)):
            self._fail(f"+CIPCLOSE: {link},{LINK_NOT_OPEN}")
        self._sockets.close(link)
        return Final(then=(f"+CIPCLOSE: {link},{DONE}",))

    async def _cipack(self, command: Command) -> None:
        """Report the bytes sent, how many of them are acknowledged, and the bytes received."""
        link = self._link(command)
        relay = self._sockets.relays.get(link)
        if relay is None:
            self._fail("+IP ERROR: Connection is not created")
        received = self._received[link] + relay.waiting_bytes
        self._terminal.say(f"+CIPACK: {relay.accepted_bytes},{relay.acknowledged_bytes},{received}")

    async def _cdnsgip(self, command: Command) -> None:
        try:
            address = loopback(command.text(0))
        except LookupError:
            self._fail("+CDNSGIP: 0,8")
        self._terminal.say(f'+CDNSGIP: 1,"{command.text(0)}","{address}"')

    def _announce(self, link: int) -> None:
        """Report data that came in. With manual reading a URC is sent once, until the client reads. Otherwise the data
        is sent."""
        relay = self._sockets.relays.get(link)
        if relay is None:
            return
        if self._manual_read:
            if link not in self._announced:
                self._announced.add(link)
                self._terminal.say(f"+CIPRXGET: 1,{link}")
            return
        host, port = self._sockets.remote[link]
        payload = self._take(link, relay, READ_BYTES)
        self._terminal.put(f"\r\nRECV FROM:{host}:{port}\r\n+IPD{len(payload)}\r\n".encode() + payload)

    def _take(self, link: int, relay: Relay, limit: int) -> bytes:
        payload = relay.take(limit)
        self._received[link] += len(payload)
        self._announced.discard(link)
        return payload

    def _link(self, command: Command, place: int = 0) -> int:
        return self._number(command, place, range(self._links))

    def _number(self, command: Command, place: int, within: range, default: int | None = None) -> int:
        """Return an argument as a number. Raises AtError: these commands give no reason."""
        text = command.text(place)
        if text == "" and default is not None:
            return default
        if not text.isdecimal() or int(text) not in within:
            raise AtError(text)
        return int(text)

    def _fail(self, line: str) -> NoReturn:
        """Send a line with the reason, then fail with ERROR."""
        self._terminal.say(line)
        raise AtError(line)

    def _drop(self) -> None:
        self._sockets.drop()
        self._announced.clear()


def _code(error: Exception | None) -> int:
    if error is None:
        return DONE
    if isinstance(error, LookupError):
        return UNKNOWN_HOST
    return TIMEOUT if isinstance(error, TimeoutError) else REFUSED
