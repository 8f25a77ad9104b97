"""The TCP/IP stack of Quectel's LTE modems (EC2x, EG9x, BG9x): AT+QICSGP, AT+QIACT, AT+QIOPEN and their relatives.

EC2x&EG9x TCP(IP) Application Note V1.0, BG95&BG77&BG600L TCP/IP Application Note V1.2. States of a link, AT+QISTATE:

    0 initial -QIOPEN-> 1 opening -"+QIOPEN: n,0"-> 2 connected -"+QIURC: "closed""-> 4 closing
    opening -"+QIOPEN: n,err"-> 4 closing
    any of them -QICLOSE-> initial, -QIDEACT-> initial

A link that is not initial cannot be opened: 563. Access modes 0 and 1 are modelled; UDP, servers, transparent mode and
TLS are not.
"""

from dataclasses import dataclass
from typing import NoReturn

from hil_tests.sim.modem.command import AtError, Command, Final, Handler
from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.registration import Registration
from hil_tests.sim.modem.relay import SEND_WINDOW_BYTES, Relay
from hil_tests.sim.modem.sockets import Sockets, loopback
from hil_tests.sim.modem.terminal import Terminal

CONTEXTS = range(1, 17)
CONNECT_LIMIT_S = 150  # "+QIOPEN" comes within 150 s
SEND_BYTES, READ_BYTES = 1460, 1500
OPENING, CONNECTED, CLOSING = 1, 2, 4  # <socket_state>; a link in state 0 is not listed
BUFFER, PUSH = 0, 1  # <access_mode>

ERRORS = {  # chapter "Summary of Error Codes"
    0: "operate successfully",
    552: "invalid parameters",
    555: "operation not supported",
    561: "open PDP context failed",
    563: "socket identity has been used",
    565: "DNS parse failed",
    566: "socket connect failed",
    567: "socket has been closed",
    569: "operation timeout",
    572: "operation not allowed",
}


@dataclass
class Link:
    """A socket service that was opened and not closed yet."""

    host: str
    port: int
    context: int
    access_mode: int
    state: int = OPENING
    read_bytes: int = 0
    announced: bool = False


class QuectelIp:
    """The stack of one modem, from power-on to power-off."""

    def __init__(self, world: World, registration: Registration, terminal: Terminal, links: int) -> None:
        self._world, self._terminal, self._count = world, terminal, links
        self._sockets = Sockets(world, registration)
        self._links: dict[int, Link] = {}
        self.power_off()

    def power_off(self) -> None:
        """Reset the stack. The far ends are not notified."""
        self._drop()
        self._configured: dict[int, tuple[str, ...]] = {}
        self._active: dict[int, bool] = {}  # by context; False once the network has ended it
        self._error = 0

    def context_lost(self) -> None:
        """Close all contexts: the network has ended them."""
        for context, is_up in self._active.items():
            if is_up:
                self._active[context] = False
                self._terminal.say(f'+QIURC: "pdpdeact",{context}')
        self._drop()

    def close(self) -> None:
        """Close the real sockets at the end of the simulation."""
        self._sockets.reset()

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        return dict.fromkeys(("+QICFG", "+QISDE", "+QIDNSCFG"), self._accepted) | {
            "+QICSGP": self._qicsgp,
            "+QIACT": self._qiact,
            "+QIDEACT": self._qideact,
            "+QIOPEN": self._qiopen,
            "+QICLOSE": self._qiclose,
            "+QISTATE": self._qistate,
            "+QISEND": self._qisend,
            "+QIRD": self._qird,
            "+QIDNSGIP": self._qidnsgip,
            "+QIGETERROR": self._qigeterror,
        }

    async def _accepted(self, _command: Command) -> None:
        """Accept a command that is not modelled and has no visible effect here."""

    # The context

    async def _qicsgp(self, command: Command) -> None:
        context = self._number(command, 0, CONTEXTS)
        if len(command.arguments) == 1:
            kind, apn, user, password, authentication = self._configured.get(context, ("1", "", "", "", "0"))
            self._terminal.say(f'+QICSGP: {kind},"{apn}","{user}","{password}",{authentication}')
            return
        self._number(command, 1, range(1, 4))
        self._configured[context] = tuple(
            command.text(place, default) for place, default in ((1, "1"), (2, ""), (3, ""), (4, ""), (5, "0"))
        )

    async def _qiact(self, command: Command) -> None:
        if command.kind == "read":
            for context, is_up in sorted(self._active.items()):
                if is_up:
                    self._terminal.say(f'+QIACT: {context},1,1,"10.64.2.{context}"')
            return
        context = self._number(command, 0, CONTEXTS)
        if context in self._active:
            self._fail(572)  # captured from BG95 and EC200: a second AT+QIACT gives ERROR
        await self._world.wait("pdp_activate")
        if not self._sockets.has_service():
            self._fail(561)
        self._active[context] = True
        if sum(self._active.values()) == 1:
            self._sockets.spawn(self._watch_contexts())

    async def _watch_contexts(self) -> None:
        await self._world.outage("pdp_lost")
        self.context_lost()

    async def _qideact(self, command: Command) -> None:
        context = self._number(command, 0, CONTEXTS)
        await self._world.wait("shut")
        self._active.pop(context, None)  # unverified: OK for a context that is not active
        for number, link in list(self._links.items()):
            if link.context == context:
                self._forget(number)
        if not self._active:
            self._drop()

    # Connections

    async def _qiopen(self, command: Command) -> Final | None:
        context, number = self._number(command, 0, CONTEXTS), self._number(command, 1, range(self._count))
        if command.text(2).upper() != "TCP":
            self._fail(555)
        port = self._number(command, 4, range(1, 65_536))
        self._number(command, 5, range(65_536), 0)
        access_mode = self._number(command, 6, range(2), BUFFER)
        if number in self._links:
            return Final(then=(self._opened(number, 563),))
        if not self._active.get(context):
            return Final(then=(self._opened(number, 561),))
        self._links[number] = Link(command.text(3), port, context, access_mode)
        self._sockets.connect(
            number,
            (command.text(3), port),
            CONNECT_LIMIT_S,
            lambda: self._announce(number),
            lambda: self._closed(number),
            lambda error: self._connected(number, error),
        )
        return None

    def _connected(self, number: int, error: Exception | None) -> None:
        self._links[number].state = CONNECTED if error is None else CLOSING
        self._terminal.say(self._opened(number, _code(error)))

    def _opened(self, number: int, error: int) -> str:
        self._error = error
        return f"+QIOPEN: {number},{error}"

    def _closed(self, number: int) -> None:
        self._links[number].state = CLOSING
        self._terminal.say(f'+QIURC: "closed",{number}')

    async def _qiclose(self, command: Command) -> None:
        number = self._number(command, 0, range(self._count))
        # Unverified: OK for a link that is not open. One firmware of BG95 was seen to answer ERROR.
        if number in self._links:
            await self._world.wait("shut")
            self._forget(number)

    async def _qistate(self, command: Command) -> None:
        asked = command.kind == "write" and command.text(0) == "1"
        wanted = [self._number(command, 1, range(self._count))] if asked else range(self._count)
        for number in wanted:
            if number in self._links:
                link = self._links[number]
                local = 49_152 + number
                self._terminal.say(
                    f'+QISTATE: {number},"TCP","{link.host}",{link.port},{local},{link.state},'
                    f'{link.context},0,{link.access_mode},"uart1"'
                )

    async def _qisend(self, command: Command) -> Final | None:
        number = self._number(command, 0, range(self._count))
        relay = self._sockets.relays.get(number)
        until_ctrl_z = command.text(1) == ""
        length = self._number(command, 1, range(SEND_BYTES + 1), SEND_BYTES)
        if relay is None or (length and not relay.open):
            self._fail(567)
        if length == 0:
            counts = (relay.accepted_bytes, relay.acknowledged_bytes, relay.unacknowledged_bytes)
            self._terminal.say(f"+QISEND: {','.join(map(str, counts))}")
            return None
        self._terminal.put(b"\r\n> ")
        payload = await (self._terminal.until_ctrl_z() if until_ctrl_z else self._terminal.counted(length))
        if payload is None:
            return None  # aborted with Escape
        if not relay.open:
            self._fail(567)
        if relay.unacknowledged_bytes + len(payload) > SEND_WINDOW_BYTES:
            return Final("SEND FAIL")  # "the sending buffer is full": nothing was sent
        relay.send(payload)
        return Final("SEND OK")

    async def _qird(self, command: Command) -> None:
        number = self._number(command, 0, range(self._count))
        relay = self._sockets.relays.get(number)
        limit = self._number(command, 1, range(READ_BYTES + 1), READ_BYTES)
        if relay is None:
            self._fail(567)
        link = self._links[number]
        if limit == 0:
            waiting = relay.waiting_bytes
            self._terminal.say(f"+QIRD: {link.read_bytes + waiting},{link.read_bytes},{waiting}")
            return
        payload = self._take(link, relay, limit)
        if payload:
            self._terminal.put(f"\r\n+QIRD: {len(payload)}\r\n".encode() + payload + b"\r\n")
        else:
            self._terminal.say("+QIRD: 0")

    async def _qidnsgip(self, command: Command) -> Final:
        if not self._active.get(self._number(command, 0, CONTEXTS)):
            self._fail(561)
        try:
            address = loopback(command.text(1))
        except LookupError:
            self._error = 565
            return Final(then=('+QIURC: "dnsgip",565',))
        return Final(then=('+QIURC: "dnsgip",0,1,600', f'+QIURC: "dnsgip","{address}"'))

    async def _qigeterror(self, _command: Command) -> None:
        self._terminal.say(f"+QIGETERROR: {self._error},{ERRORS[self._error]}")

    def _announce(self, number: int) -> None:
        """Report data that came in. In buffer mode a URC is sent once, until everything is read. In push mode the data
        is sent."""
        relay, link = self._sockets.relays.get(number), self._links.get(number)
        if relay is None or link is None:
            return
        if link.access_mode == BUFFER:
            if not link.announced:
                link.announced = True
                self._terminal.say(f'+QIURC: "recv",{number}')
            return
        payload = self._take(link, relay, READ_BYTES)
        self._terminal.put(f'\r\n+QIURC: "recv",{number},{len(payload)}\r\n'.encode() + payload)

    def _take(self, link: Link, relay: Relay, limit: int) -> bytes:
        payload = relay.take(limit)
        link.read_bytes += len(payload)
        if not relay.waiting_bytes:
            link.announced = False
        return payload

    def _number(self, command: Command, place: int, within: range, default: int | None = None) -> int:
        """Return an argument as a number. An invalid one gives ERROR, and 552 for AT+QIGETERROR."""
        text = command.text(place)
        if text == "" and default is not None:
            return default
        if not text.isdecimal() or int(text) not in within:
            self._fail(552)
        return int(text)

    def _fail(self, error: int) -> NoReturn:
        """Fail with ERROR. AT+QIGETERROR reports `error`."""
        self._error = error
        raise AtError(ERRORS[error])

    def _forget(self, number: int) -> None:
        self._sockets.close(number)
        self._links.pop(number, None)

    def _drop(self) -> None:
        self._sockets.drop()
        self._links.clear()


def _code(error: Exception | None) -> int:
    if error is None:
        return 0
    if isinstance(error, LookupError):
        return 565
    return 569 if isinstance(error, TimeoutError) else 566
