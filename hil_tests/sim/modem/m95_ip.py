"""The TCP/IP stack of Quectel's M95 and its relatives (M26, M66, MC60): the older AT+QIxxx commands.

GSM TCPIP Application Note V1.1 and GSM TCPIP Recommended Process V1.2. States, AT+QISTAT:

    IP INITIAL -QIREGAPP-> IP START -QIACT-> IP GPRSACT -QILOCIP-> IP STATUS -QIOPEN-> TCP CONNECTING
    TCP CONNECTING -"CONNECT OK"-> CONNECT OK -QICLOSE, "CLOSED"-> IP CLOSE -QIOPEN-> TCP CONNECTING
    any of them -QIDEACT-> IP INITIAL, -the network goes-> PDP DEACT -QIDEACT-> IP INITIAL

With AT+QIMUX=1 the state stays IP PROCESSING from the first connection on. UDP, servers, transparent mode and the
second context (AT+QIFGCNT=1) are not modelled.
"""

from hil_tests.sim.modem.command import AtError, CmeError, Command, Final, Handler
from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.registration import Registration
from hil_tests.sim.modem.relay import SEND_WINDOW_BYTES, Relay
from hil_tests.sim.modem.sockets import Sockets, loopback
from hil_tests.sim.modem.terminal import Terminal

CONNECT_LIMIT_S = 75  # AT+QIOPEN, "Maximum Response Time"
SEND_BYTES, READ_BYTES = 1460, 1500
OWN_ADDRESS = "10.64.0.17"
UP = ("IP GPRSACT", "IP STATUS", "IP PROCESSING", "TCP CONNECTING", "CONNECT OK", "IP CLOSE")
MUX_FREE = (
    "IP INITIAL",
    "IP START",
    "IP GPRSACT",
    "IP STATUS",
)  # unverified: a client in the field sets it after AT+QIACT
DIALLABLE = (
    "IP GPRSACT",
    "IP STATUS",
    "IP PROCESSING",
    "IP CLOSE",
)  # unverified: in IP GPRSACT, without AT+QILOCIP before
CLIENT = 1  # <sc> of +QIRDI and AT+QIRD
SHORT, LONG = 1, 2  # AT+QINDI


class M95Ip:
    """The stack of one modem, from power-on to power-off."""

    def __init__(self, world: World, registration: Registration, terminal: Terminal, links: int) -> None:
        self._world, self._terminal, self._links = world, terminal, links
        self._sockets = Sockets(world, registration)
        self._announced: set[int] = set()
        self.power_off()

    def power_off(self) -> None:
        """Reset the stack. The far ends are not notified."""
        self._drop()
        self.state = "IP INITIAL"
        self._many_links = False
        self._by_name = False  # AT+QIDNSIP
        self._indication = 0  # AT+QINDI; 0: data is sent at once
        self._echoes = True  # AT+QISDE: what the client sends after the prompt is echoed
        self._apn = ""

    def context_lost(self) -> None:
        """Close the PDP context: the network has ended it."""
        if self.state in UP:
            self._drop()
            self.state = "PDP DEACT"
            self._terminal.say("+PDP DEACT")

    def close(self) -> None:
        """Close the real sockets at the end of the simulation."""
        self._sockets.reset()

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        accepted = ("+QIFGCNT", "+QIMODE", "+QIHEAD", "+QISHOWRA", "+QISRVC", "+QIPROMPT", "+QITCFG", "+QIDNSCFG")
        return dict.fromkeys(accepted, self._accepted) | {
            "+QICSGP": self._qicsgp,
            "+QIMUX": self._qimux,
            "+QIDNSIP": self._qidnsip,
            "+QINDI": self._qindi,
            "+QISDE": self._qisde,
            "+QIREGAPP": self._qiregapp,
            "+QIACT": self._qiact,
            "+QILOCIP": self._qilocip,
            "+QIDEACT": self._qideact,
            "+QISTAT": self._qistat,
            "+QISTATE": self._qistat,
            "+QIOPEN": self._qiopen,
            "+QICLOSE": self._qiclose,
            "+QISEND": self._qisend,
            "+QISACK": self._qisack,
            "+QIRD": self._qird,
        }

    # Settings

    async def _accepted(self, _command: Command) -> None:
        """Accept a command that is not modelled and has no visible effect here."""

    async def _qicsgp(self, command: Command) -> None:
        """Set the APN. 1 is GPRS; 0 (CSD) is not modelled."""
        if command.kind == "read":
            self._terminal.say(f'+QICSGP: 1,"{self._apn}","",""')
            return
        command.number(0, within=range(1, 2))
        self._apn = command.text(1)

    async def _qimux(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+QIMUX: {int(self._many_links)}")
        elif self.state not in MUX_FREE:
            raise CmeError(3)
        else:
            self._many_links = bool(command.number(0, within=range(2)))

    async def _qidnsip(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+QIDNSIP: {int(self._by_name)}")
        else:
            self._by_name = bool(command.number(0, within=range(2)))

    async def _qindi(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+QINDI: {self._indication}")
        else:
            self._indication = command.number(0, within=range(3))

    async def _qisde(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+QISDE: {int(self._echoes)}")
        else:
            self._echoes = bool(command.number(0, within=range(2)))

    # The context

    async def _qiregapp(self, command: Command) -> None:
        if self.state != "IP INITIAL":
            raise CmeError(3)
        self._apn = command.text(0, self._apn)
        self.state = "IP START"

    async def _qiact(self, _command: Command) -> None:
        if self.state != "IP START":
            raise CmeError(3)
        self.state = "IP CONFIG"
        await self._world.wait("pdp_activate")
        if not self._sockets.has_service():
            self.state = "PDP DEACT"
            raise AtError("no packet service")
        self.state = "IP GPRSACT"
        self._sockets.spawn(self._watch_context())

    async def _watch_context(self) -> None:
        await self._world.outage("pdp_lost")
        self.context_lost()

    async def _qilocip(self, _command: Command) -> Final:
        if self.state not in UP:
            raise CmeError(3)
        if self.state == "IP GPRSACT":
            self.state = "IP STATUS"
        self._terminal.say(OWN_ADDRESS)
        return Final(None)  # no OK

    async def _qideact(self, _command: Command) -> Final:
        await self._world.wait("shut")
        self._sockets.close_all()
        self._announced.clear()
        self.state = "IP INITIAL"
        return Final("DEACT OK")

    async def _qistat(self, _command: Command) -> Final:
        rows = [f"+QISTATE: {self._row(link)}" for link in range(self._links)] if self._many_links else []
        return Final(then=(f"STATE: {self.state}", *rows))

    def _row(self, link: int) -> str:
        if link not in self._sockets.relays:
            return f'{link},"","","","INITIAL"'
        host, port = self._sockets.remote[link]
        return f'{link},"TCP","{host}","{port}","{"CONNECTED" if self._sockets.is_open(link) else "CLOSED"}"'

    # Connections

    async def _qiopen(self, command: Command) -> Final:
        fields, link = command.arguments, 0
        if self._many_links:
            link, fields = command.number(0, within=range(self._links)), fields[1:]
        if len(fields) != 3 or fields[0].upper() != "TCP" or not fields[2].isdecimal():
            raise CmeError(50)
        if self._sockets.is_open(link):
            return Final(then=(self._mark(link, "ALREADY CONNECT"),))
        if self.state not in DIALLABLE or self._sockets.is_connecting(link):
            raise CmeError(3)
        host = fields[1]
        if not self._by_name and not _is_address(host):
            raise CmeError(50)  # AT+QIDNSIP=0 accepts only addresses
        self.state = "IP PROCESSING" if self._many_links else "TCP CONNECTING"
        self._announced.discard(link)
        self._sockets.connect(
            link,
            (host, int(fields[2])),
            CONNECT_LIMIT_S,
            lambda: self._announce(link),
            lambda: self._ended(link, "CLOSED"),
            lambda error: self._connected(link, error),
        )
        return Final()

    def _connected(self, link: int, error: Exception | None) -> None:
        if error is not None:
            self._ended(link, "CONNECT FAIL")
            return
        if not self._many_links:
            self.state = "CONNECT OK"
        self._terminal.say(self._mark(link, "CONNECT OK"))

    def _ended(self, link: int, text: str) -> None:
        if not self._many_links:
            self.state = "IP CLOSE"
        self._terminal.say(self._mark(link, text))

    async def _qiclose(self, command: Command) -> Final:
        link = command.number(0, 0, within=range(self._links)) if self._many_links else 0
        if not (link in self._sockets.relays or self._sockets.is_connecting(link)):
            raise CmeError(3)
        self._sockets.close(link)
        if not self._many_links:
            self.state = "IP CLOSE"
        return Final(self._mark(link, "CLOSE OK"))

    async def _qisend(self, command: Command) -> Final:
        link = command.number(0, within=range(self._links)) if self._many_links else 0
        relay = self._live(link)
        length = command.text(int(self._many_links))
        if length and not (length.isdecimal() and 0 < int(length) <= SEND_BYTES):
            raise CmeError(50)
        self._terminal.put(b"\r\n> ")
        payload = await (self._terminal.counted(int(length)) if length else self._terminal.until_ctrl_z())
        if payload is None:
            return Final()
        if self._echoes and not self._terminal.echo:  # with ATE1 it was echoed as it was typed
            self._terminal.put(payload)
        if not relay.open or relay.unacknowledged_bytes + len(payload) > SEND_WINDOW_BYTES:
            return Final("SEND FAIL")
        relay.send(payload)
        return Final("SEND OK")  # sent, not acknowledged: AT+QISACK reports that

    async def _qisack(self, command: Command) -> None:
        relay = self._live(command.number(0, 0, within=range(self._links)) if self._many_links else 0)
        counts = (relay.accepted_bytes, relay.acknowledged_bytes, relay.unacknowledged_bytes)
        self._terminal.say(f"+QISACK: {', '.join(map(str, counts))}")  # with spaces, as captured

    async def _qird(self, command: Command) -> None:
        """AT+QIRD=<context>,<client or server>,<link>,<length>. Answer OK alone if there is no data."""
        command.number(0, within=range(1))
        command.number(1, within=range(CLIENT, CLIENT + 1))
        link = command.number(2, within=range(self._links))
        limit = command.number(3, within=range(1, READ_BYTES + 1))
        relay = self._sockets.relays.get(link)
        if relay is None:
            raise CmeError(3)
        payload = relay.take(limit)
        if not relay.waiting_bytes:
            self._announced.discard(link)
        if payload:
            host, port = self._sockets.remote[link]
            header = f"\r\n+QIRD: {loopback(host)}:{port},TCP,{len(payload)}\r\n"
            self._terminal.put(header.encode() + payload)

    def _live(self, link: int) -> Relay:
        if not self._sockets.is_open(link):
            raise CmeError(3)
        return self._sockets.relays[link]

    def _announce(self, link: int) -> None:
        """Report data that came in. With AT+QINDI a URC is sent once, until everything is read. Otherwise the data is sent."""
        relay = self._sockets.relays.get(link)
        if relay is None:
            return
        if not self._indication:
            self._terminal.put(relay.take(READ_BYTES))
        elif link not in self._announced:
            self._announced.add(link)
            waiting = relay.waiting_bytes
            sizes = f",1,{waiting},{waiting}" if self._indication == LONG else ""
            self._terminal.say(f"+QIRDI: 0,{CLIENT},{link}{sizes}")

    def _mark(self, link: int, text: str) -> str:
        return f"{link}, {text}" if self._many_links else text

    def _drop(self) -> None:
        self._sockets.drop()
        self._announced.clear()


def _is_address(host: str) -> bool:
    return host.replace(".", "").isdecimal()
