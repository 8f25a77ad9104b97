"""The WebSocket of one charger, with what the door keeps of it. Runs on the event loop."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from socket import SHUT_RDWR, socket

from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.dialect import Dialect
from cloud_bridge.ingest.ocpp.dialects import chosen
from cloud_bridge.ingest.ocpp.error_budget import ErrorBudget
from cloud_bridge.ingest.ocpp.frames import MAX_FRAME_BYTES, Reply
from cloud_bridge.ingest.ocpp.line import Line
from cloud_bridge.ingest.ocpp.outgoing import Calls, Outgoing
from cloud_bridge.ingest.ocpp.records import Record
from cloud_bridge.ingest.ocpp.vendors import SIGNAL_ASKS, csq_told

MAX_UNCOMMITTED = 64  # frames of one charger that the store has not committed; then its socket is not read
MAX_UNREAD = 8  # frames that wait to be read here; then the network holds the others back
SIGNAL_EVERY_S = 900.0  # as often as it is worth a message over GPRS
CLOSE_WITHIN_S = 5.0  # of the closing handshake: a charger that does not answer it would hold its file for longer
MAX_UNSENT_BYTES = 64 * 1024  # for a charger that does not read what it is sent


QUIET = logging.getLogger(f"{__name__}.websockets")  # each stranger would be a trace
QUIET.setLevel(logging.CRITICAL)


class OcppConnection(ServerConnection):
    """Begins when the socket is accepted. Over TLS it is made only after the handshake."""

    is_made = False
    unit_id = ""  # known and proven once it is let in
    dialect: Dialect  # that was agreed upon, likewise
    has_answered = False  # a CALL of ours
    credentials_ms: int | None = None  # when its secret was changed last, as of just before it was compared

    def __init__(self, server: Server, accepted: socket, network: str) -> None:
        protocol = ServerProtocol(select_subprotocol=_choose, max_size=MAX_FRAME_BYTES, logger=QUIET)
        super().__init__(
            protocol, server, ping_interval=None, ping_timeout=None, close_timeout=CLOSE_WITHIN_S, max_queue=MAX_UNREAD
        )
        self.network = network
        self.charger = ChargerState()
        self.line = Line(self.loop.time())
        self.calls = Calls()
        self._accepted = accepted
        self._uncommitted = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self.note_call: Callable[[bytes], None] = _nothing  # each of ours, for support
        self.error_budget = ErrorBudget()
        self._next_signal_s = 0.0
        self.has_sign = False  # of its line, since the door looked last

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.is_made = True
        super().connection_made(transport)

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode in (Opcode.PING, Opcode.PONG):
            self.has_sign = True
            self.line.sign(self.loop.time(), event.opcode is Opcode.PONG)
            if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:  # pongs that it does not read
                self.abort()
        super().process_event(event)

    # Called by the door.

    async def next_frame(self) -> bytes:
        """The next one, once there is room for it in what is uncommitted. No UTF-8, or what is called binary, is a frame too:
        that is the parser's business. Raises ConnectionClosed."""
        await self._has_room.wait()
        return await self.recv(decode=False)

    def take(self) -> None:
        """A frame waits for its commit."""
        self._uncommitted += 1
        if self._uncommitted >= MAX_UNCOMMITTED:
            self._has_room.clear()

    def committed(self, answer: str | None) -> None:
        """It is stored, and answered by that."""
        self._uncommitted -= 1
        if self._uncommitted < MAX_UNCOMMITTED // 2:
            self._has_room.set()
        if answer is not None:
            self.write(answer)

    def send_next_call(self) -> None:
        """Of ours, if one waits, none is under way and the charger is ready for it."""
        now_s = self.loop.time()
        if self.line.may_call(now_s) and (frame := self.calls.next(now_s)) is not None:
            self.note_call(frame.encode())
            self.write(frame)

    def ask_for(self, message: str) -> None:
        """To report something. One that cannot says so, and has been heard."""
        self.calls.add(Outgoing("TriggerMessage", self.dialect.trigger(message), _whatever))

    def ask_for_interval(self) -> None:
        """To send its heartbeat as often as we want it; one that cannot is asked for each (line.py)."""
        self.calls.add(Outgoing(*self.dialect.ask_interval[:2], _whatever))

    def ask_for_signal(self) -> None:
        """Where its maker has a way to, once in a while."""
        asked = SIGNAL_ASKS.get(self.charger.vendor)
        if asked is None or self.loop.time() < self._next_signal_s:
            return
        self._next_signal_s = self.loop.time() + SIGNAL_EVERY_S
        self.calls.add(Outgoing("DataTransfer", {"vendorId": asked[0], "messageId": asked[1]}, self._take_signal))

    def write(self, frame: str) -> None:
        """To the charger. One that does not read is cut off."""
        if self.protocol.state is not OPEN:
            return
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.abort()
            return
        self.protocol.send_text(frame.encode())
        self.send_data()

    def ask_for_pong(self) -> None:
        """A ping. Its pong comes by itself (process_event)."""
        if self.protocol.state is OPEN:
            self.protocol.send_ping(b"")
            self.send_data()

    def abort(self) -> None:
        """End it at once, also in the middle of the handshake."""
        if self.is_made:
            self.transport.abort()
            return
        with suppress(OSError):  # it has ended already
            self._accepted.shutdown(SHUT_RDWR)  # the handshake fails with the end of the stream

    def _take_signal(self, reply: Reply | None) -> list[Record]:
        csq = None if reply is None else csq_told(reply.payload.get("data"))
        if csq is not None:
            self.charger.csq = csq
        return []


def _choose(_protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    found = chosen(offered)
    return None if found is None else Subprotocol(found[0])


def _nothing(_frame: bytes) -> None:
    """Before it is let in."""


def _whatever(_reply: Reply | None) -> list[Record]:
    """Any answer is one: that it came is what was asked."""
    return []
