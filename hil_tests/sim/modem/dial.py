"""Packet calls: ATD*99# opens a PPP connection to the packet network. `+++`, ATO and ATH leave, resume and end it.

3GPP TS 27.007 section 10.2.1.1 (the number), ITU-T V.250 (D, O, H), SIM800 Series AT Command Manual V1.12 chapter 2.
"""

import asyncio
import re
from collections.abc import Callable

from hil_tests.sim.modem.command import AtError, Command, Final, Handler
from hil_tests.sim.modem.packet_network import PacketNetwork
from hil_tests.sim.modem.ppp import REQUEST_EVERY_S, Peer
from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.registration import Registration
from hil_tests.sim.modem.terminal import Terminal

NUMBER = re.compile(r"\*99(\*[^*#]*(\*(PPP|1)?(\*\d*)?)?)?#")  # *99[*[<called_address>][*[<L2P>][*[<cid>]]]]#
HELD_BYTES = 65_536  # of the connection for the client, while the line is in command mode


class Dial:
    """The packet calls of one power-on, one at a time."""

    def __init__(self, world: World, registration: Registration, terminal: Terminal, connect: str = "CONNECT") -> None:
        self._world, self._registration, self._terminal = world, registration, terminal
        self._connect = connect
        self._call: _Call | None = None

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        return {"D": self._d, "O": self._o, "H": self._h}

    def context_lost(self) -> None:
        """End the call: the network has ended the context."""
        if self._call is not None:
            self._call.end()

    def close(self) -> None:
        """End the call silently, at power-off or ATH."""
        call, self._call = self._call, None
        if call is not None:
            call.end()

    async def _d(self, command: Command) -> Final:
        if not NUMBER.fullmatch(command.text(0)):
            raise AtError(command.text(0))  # no voice and no circuit-switched data here
        if self._call is not None:
            raise AtError("a call is held")
        if self._registration.detached:
            await self._registration.attach()  # 27.007 section 10.2.1.1, like AT+CGACT
        await self._world.wait("pdp_activate")
        operator = self._registration.operator
        if not (self._registration.attached and operator and self._world.gives_context(operator.plmn)):
            return Final("NO CARRIER")
        self._call = _Call(self._world, operator.plmn, self._terminal, self._ended)
        return await self._online(self._call)

    async def _o(self, _command: Command) -> Final:
        if self._call is None:
            return Final("NO CARRIER")
        return await self._online(self._call)

    async def _h(self, _command: Command) -> None:
        self.close()

    async def _online(self, call: "_Call") -> Final:
        self._terminal.say(self._connect)
        if await call.converse():
            return Final()
        self._call = None
        return Final("NO CARRIER")

    def _ended(self) -> None:
        """Report the end of a call. In data mode NO CARRIER is the final result of ATD or ATO, otherwise it is a URC."""
        if self._call is not None and not self._call.online:
            self._call = None
            self._terminal.say("NO CARRIER")


class _Call:
    """One PPP connection. `online` is true while the line carries its data."""

    def __init__(self, world: World, plmn: str, terminal: Terminal, on_over: Callable[[], None]) -> None:
        self._terminal, self._on_over = terminal, on_over
        self._network = PacketNetwork(lambda packet: self._peer.packet(packet), lambda: world.cross(plmn))
        self._peer = Peer(world.random.randbytes(4), self._to_client, self._network.receive)
        self._held = bytearray()
        self._over = asyncio.Event()
        self.online = False
        self._requests = asyncio.create_task(self._request())
        self._outage = asyncio.create_task(self._watch(world))

    async def converse(self) -> bool:
        """Stay in data mode. Return True at the escape sequence, and False at the end of the connection."""
        self.online = True
        self._terminal.put(bytes(self._held))
        self._held.clear()
        try:
            return await self._terminal.online(self._receive, self._over)
        finally:
            self.online = False

    def end(self) -> None:
        """End the connection, for the network, ATH or a loss of the supply."""
        self._peer.terminate()
        self._finish()

    def _receive(self, chunk: bytes) -> None:
        self._peer.receive(chunk)
        if self._peer.closed:
            self._finish()

    def _finish(self) -> None:
        for task in (self._requests, self._outage):
            if task is not asyncio.current_task():
                task.cancel()
        self._network.close()
        if not self._over.is_set():
            self._over.set()
            self._on_over()

    def _to_client(self, chunk: bytes) -> None:
        if self.online:
            self._terminal.carry(chunk)
        else:
            self._held += chunk[: HELD_BYTES - len(self._held)]

    async def _request(self) -> None:
        while not self._peer.closed:
            self._peer.due()
            await asyncio.sleep(REQUEST_EVERY_S)
        self._finish()

    async def _watch(self, world: World) -> None:
        await world.outage("pdp_lost")
        self.end()
