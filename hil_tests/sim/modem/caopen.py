"""The TCP/IP stack of SIM7070, SIM7080 and SIM7090: AT+CNACT, AT+CAOPEN and their relatives.

SIM7070_SIM7080_SIM7090 Series AT Command Manual V1.05 and TCPUDP(S) Application Note V1.03.

    deactivated -CNACT=n,1-> activating -"+APP PDP: n,ACTIVE"-> active -CNACT=n,0, the network-> "+APP PDP: n,DEACTIVE"

An identifier is in use from AT+CAOPEN to AT+CACLOSE, even without a connection. UDP, servers and TLS are not modelled.
"""

import asyncio

from hil_tests.sim.modem.command import AtError, Command, Handler
from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.registration import Registration
from hil_tests.sim.modem.relay import SEND_WINDOW_BYTES
from hil_tests.sim.modem.sockets import Sockets
from hil_tests.sim.modem.terminal import Terminal

CONTEXTS = range(4)  # <pdpidx>
CONNECT_LIMIT_S = 60  # AT+CAOPEN, unverified
SEND_BYTES = READ_BYTES = 1459
OWN_ADDRESS, NO_ADDRESS = "10.64.3.1", "0.0.0.0"
DEACTIVATED, ACTIVE = 0, 1  # AT+CNACT?
CLOSED_BY_REMOTE, CONNECTED = 0, 1  # +CASTATE
MANUAL, PUSH = 0, 1  # <recv_mode>

# <result> of +CAOPEN
DONE, WRONG, UNSUPPORTED, UNKNOWN_HOST, NOT_ACTIVE, REFUSED, FAILED = 0, 4, 7, 20, 21, 23, 27
TAKEN = WRONG  # unverified: the result for an identifier in use


class CaOpen:
    """The stack of one modem, from power-on to power-off."""

    def __init__(self, world: World, registration: Registration, terminal: Terminal, links: int) -> None:
        self._world, self._terminal, self._count = world, terminal, links
        self._sockets = Sockets(world, registration)
        self._modes: dict[int, int] = {}  # <recv_mode> of each identifier in use
        self._announced: set[int] = set()
        self.power_off()

    def power_off(self) -> None:
        """Reset the stack. The far ends are not notified."""
        self._drop()
        self._active: set[int] = set()
        self._apn: dict[int, str] = {}

    def context_lost(self) -> None:
        """Close all contexts: the network has ended them."""
        for context in sorted(self._active):
            self._terminal.say(f"+APP PDP: {context},DEACTIVE")
        self._active.clear()
        self._drop()

    def close(self) -> None:
        """Close the real sockets at the end of the simulation."""
        self._sockets.reset()

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        return {
            "+CNCFG": self._cncfg,
            "+CNACT": self._cnact,
            "+CAOPEN": self._caopen,
            "+CASEND": self._casend,
            "+CARECV": self._carecv,
            "+CAACK": self._caack,
            "+CASTATE": self._castate,
            "+CACLOSE": self._caclose,
            "+CACFG": self._accepted,
            "+CASSLCFG": self._accepted,  # clients switch TLS off with this
            "+CACID": self._cacid,
            "+CGNAPN": self._cgnapn,
        }

    async def _accepted(self, _command: Command) -> None:
        """Accept a command that is not modelled and has no visible effect here."""

    async def _cacid(self, command: Command) -> None:
        """Set the identifier for some settings. TinyGSM sends it before each AT+CAOPEN."""
        if command.kind == "write":
            self._number(command, 0, range(self._count))

    async def _cgnapn(self, _command: Command) -> None:
        """Report the APN that the network gave at the attach: none."""
        self._terminal.say('+CGNAPN: 0,""')

    # The context

    async def _cncfg(self, command: Command) -> None:
        if command.kind == "read":
            for context in CONTEXTS:
                self._terminal.say(f'+CNCFG: {context},1,"{self._apn.get(context, "")}","","",0')
            return
        context = self._number(command, 0, CONTEXTS)
        self._number(command, 1, range(5))
        self._apn[context] = command.text(2)

    async def _cnact(self, command: Command) -> None:
        if command.kind == "read":
            for context in CONTEXTS:
                is_up = context in self._active
                address = OWN_ADDRESS if is_up else NO_ADDRESS
                self._terminal.say(f'+CNACT: {context},{ACTIVE if is_up else DEACTIVATED},"{address}"')
            return
        context, wanted = self._number(command, 0, CONTEXTS), self._number(command, 1, range(3))
        if bool(wanted) == (context in self._active) or context in self._activating:
            raise AtError("as it is")  # unverified: ERROR rather than OK
        if wanted:
            self._activating.add(context)
            self._sockets.spawn(self._activate(context))
            return
        self._active.discard(context)
        if not self._active:
            self._sockets.close_all()
            self._modes.clear()
        self._sockets.spawn(self._deactivated(context))

    async def _activate(self, context: int) -> None:
        await self._world.wait("pdp_activate")
        self._activating.discard(context)
        if not self._sockets.has_service():
            self._terminal.say(f"+APP PDP: {context},DEACTIVE")
            return
        self._active.add(context)
        self._terminal.say(f"+APP PDP: {context},ACTIVE")
        await self._world.outage("pdp_lost")
        self.context_lost()

    async def _deactivated(self, context: int) -> None:
        await self._world.wait("shut")
        self._terminal.say(f"+APP PDP: {context},DEACTIVE")

    # Connections

    async def _caopen(self, command: Command) -> None:
        """Open a connection. The result comes before OK: the command lasts as long as the attempt."""
        if command.kind == "read":
            for link in sorted(self._modes):
                if self._sockets.is_open(link):
                    host, port = self._sockets.remote[link]
                    self._terminal.say(f'+CAOPEN: {link},0,"TCP","{host}",{port}')
            return
        link, context = self._number(command, 0, range(self._count)), self._number(command, 1, CONTEXTS)
        port = self._number(command, 4, range(1, 65_536))
        mode = self._number(command, 5, range(2), MANUAL)
        if command.text(2).upper() != "TCP":
            result = UNSUPPORTED
        elif context not in self._active:
            result = NOT_ACTIVE
        elif link in self._modes:
            result = TAKEN
        else:
            self._modes[link] = mode
            self._announced.discard(link)
            result = await self._connect(link, (command.text(3), port))
        self._terminal.say(f"+CAOPEN: {link},{result}")

    async def _connect(self, link: int, remote: tuple[str, int]) -> int:
        outcome: list[Exception | None] = []
        attempt = self._sockets.connect(
            link,
            remote,
            CONNECT_LIMIT_S,
            lambda: self._announce(link),
            lambda: self._terminal.say(f"+CASTATE: {link},{CLOSED_BY_REMOTE}"),
            outcome.append,
        )
        await asyncio.wait({attempt})
        return _result(outcome[0]) if outcome else FAILED  # no outcome: the network ended the context meanwhile

    async def _casend(self, command: Command) -> None:
        """Send data. Without a length, report the free space."""
        link = self._number(command, 0, range(self._count))
        length = self._number(command, 1, range(1, SEND_BYTES + 1), 0)
        if not self._sockets.is_open(link):
            raise AtError("not open")
        relay = self._sockets.relays[link]
        if not length:
            self._terminal.say(f"+CASEND: {SEND_WINDOW_BYTES - relay.unacknowledged_bytes}")
            return
        self._terminal.put(b"\r\n>")
        payload = await self._terminal.counted(length)
        # Unverified: after the payload only OK, without the line +CASEND of SIM7000. If there is no room, ERROR, and
        # nothing is sent.
        if not relay.open or relay.unacknowledged_bytes + length > SEND_WINDOW_BYTES:
            raise AtError("no room")
        relay.send(payload)

    async def _carecv(self, command: Command) -> None:
        if command.kind == "read":
            for link, relay in sorted(self._sockets.relays.items()):
                if relay.waiting_bytes:
                    self._terminal.say(f"+CARECV: {link},{relay.waiting_bytes}")
            return
        link = self._number(command, 0, range(self._count))
        limit = self._number(command, 1, range(1, READ_BYTES + 1))
        if link not in self._sockets.relays:
            raise AtError("not open")
        relay = self._sockets.relays[link]  # unverified: data that came before the far end closed can still be read
        payload = relay.take(limit)
        if not relay.waiting_bytes:
            self._announced.discard(link)
        if payload:
            self._terminal.put(f"\r\n+CARECV: {len(payload)},".encode() + payload + b"\r\n")
        else:
            self._terminal.say("+CARECV: 0")

    async def _caack(self, command: Command) -> None:
        link = self._number(command, 0, range(self._count))
        if link not in self._sockets.relays:
            raise AtError("not open")
        relay = self._sockets.relays[link]
        self._terminal.say(f"+CAACK: {relay.accepted_bytes},{relay.unacknowledged_bytes}")

    async def _castate(self, _command: Command) -> None:
        for link in sorted(self._modes):
            state = CONNECTED if self._sockets.is_open(link) else CLOSED_BY_REMOTE
            self._terminal.say(f"+CASTATE: {link},{state}")

    async def _caclose(self, command: Command) -> None:
        link = self._number(command, 0, range(self._count))
        if link not in self._modes:
            raise AtError("not open")
        self._sockets.close(link)
        del self._modes[link]

    def _announce(self, link: int) -> None:
        """Report data that came in. In manual mode a URC is sent once, until everything is read. In push mode the data
        is sent."""
        relay = self._sockets.relays.get(link)
        if relay is None:
            return
        if self._modes[link] == MANUAL:
            if link not in self._announced:
                self._announced.add(link)
                self._terminal.say(f"+CADATAIND: {link}")
            return
        host, port = self._sockets.remote[link]
        payload = relay.take(READ_BYTES)
        self._terminal.put(f'\r\n+CAURC: "recv",{link},{len(payload)},"{host}",{port}\r\n'.encode() + payload)

    def _number(self, command: Command, place: int, within: range, default: int | None = None) -> int:
        """Return an argument as a number. Raises AtError: these commands give no reason."""
        text = command.text(place)
        if text == "" and default is not None:
            return default
        if not text.isdecimal() or int(text) not in within:
            raise AtError(text)
        return int(text)

    def _drop(self) -> None:
        self._sockets.drop()
        self._activating: set[int] = set()
        self._modes.clear()
        self._announced.clear()


def _result(error: Exception | None) -> int:
    if error is None:
        return DONE
    if isinstance(error, LookupError):
        return UNKNOWN_HOST
    return REFUSED if isinstance(error, ConnectionRefusedError) else FAILED
