"""The WebSocket of one charger, with what the door keeps of it. Runs on the event loop.

Frames are given to the door as they come, with no task and no queue between: a charger whose frames wait for the store is not
read, and the network holds the others back. A frame that comes whole and alone is read here (whole_frame.py), and everything
else of the protocol, from the handshake to the close, is the library's. Which of them reads is known from the bytes that it
has not made a frame of yet: there have to be none.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from socket import SHUT_RDWR, socket

from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from cloud_bridge.ingest.ocpp.charger import ChargerState
from cloud_bridge.ingest.ocpp.configuration import SettingUp, is_due
from cloud_bridge.ingest.ocpp.dialect import Dialect
from cloud_bridge.ingest.ocpp.dialects import chosen
from cloud_bridge.ingest.ocpp.error_budget import ErrorBudget
from cloud_bridge.ingest.ocpp.frames import MAX_FRAME_BYTES, Reply
from cloud_bridge.ingest.ocpp.line import Line
from cloud_bridge.ingest.ocpp.outgoing import Calls, Outgoing
from cloud_bridge.ingest.ocpp.records import Record
from cloud_bridge.ingest.ocpp.vendors import SIGNAL_ASKS, csq_told
from cloud_bridge.ingest.ocpp.whole_frame import size_on_wire, text_frame, text_in

MAX_UNCOMMITTED = 64  # frames of one charger that the store has not committed; then its socket is not read
SIGNAL_EVERY_S = 900.0  # as often as it is worth a message over GPRS
CLOSE_WITHIN_S = 5.0  # of the closing handshake: a charger that does not answer it would hold its file for longer
MAX_UNSENT_BYTES = 64 * 1024  # for a charger that does not read what it is sent
UNKNOWN = math.inf  # bytes; then the library reads all of it

Take = Callable[[bytes], object]  # a frame; must not raise

QUIET = logging.getLogger(f"{__name__}.websockets")  # each stranger would be a trace
QUIET.setLevel(logging.CRITICAL)


class OcppConnection(ServerConnection):
    """Begins when the socket is accepted. Over TLS it is made only after the handshake."""

    is_made = False
    unit_id = ""  # known and proven once it is let in
    since_ms = 0  # the stamp of its presence; before it is let in, of what was told of its charger last
    dialect: Dialect  # that was agreed upon, likewise
    has_answered = False  # a CALL of ours
    credentials_ms: int | None = None  # when its secret was changed last, as of just before it was compared

    def __init__(self, server: Server, accepted: socket, address: str, network: str | None) -> None:
        """`network` is what limits go by; None while it is a proxy's."""
        protocol = ServerProtocol(select_subprotocol=_choose, max_size=MAX_FRAME_BYTES, logger=QUIET)
        super().__init__(protocol, server, ping_interval=None, ping_timeout=None, close_timeout=CLOSE_WITHIN_S)
        self.address = address
        self.network = network
        self.charger = ChargerState()
        self.line = Line(self.loop.time())
        self.calls = Calls()
        self.note_call: Callable[[bytes], None] = _nothing  # each of ours, for support
        self.error_budget = ErrorBudget()
        self._next_signal_s = 0.0
        self._setting_up: SettingUp | None = None  # on this connection
        self.has_sign = False  # of its line, since the door looked last
        self._accepted = accepted
        self._take: Take | None = None  # who is given its frames
        self._unread = UNKNOWN  # bytes that the library has, and has made no frame of
        self._parts: list[bytes] = []  # of a message of several frames
        self._held: deque[bytes] = deque()  # messages that were read with others, while too many are uncommitted
        self._uncommitted = 0

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.is_made = True
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if not self._unread and self._is_ready and (message := text_in(data)) is not None:
            self._receive(message)
            return
        self._unread += len(data)
        super().data_received(data)
        if self.protocol.close_expected():  # by its close, or for its fault
            self.loop.call_later(CLOSE_WITHIN_S, self.abort)

    def process_event(self, event: Event) -> None:
        if isinstance(event, Request):
            self._unread = UNKNOWN if self.protocol.reader.buffer else 0
        elif isinstance(event, Frame):
            size = size_on_wire(len(event.data))
            self._unread = self._unread - size if size <= self._unread else UNKNOWN
            if event.opcode in DATA_OPCODES:
                self._parts.append(bytes(event.data))
                if event.fin:
                    whole, self._parts = b"".join(self._parts), []
                    self._receive(whole)
                return
            if event.opcode in (Opcode.PING, Opcode.PONG):
                self.has_sign = True
                self.line.sign(self.loop.time(), event.opcode is Opcode.PONG)
                if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:  # pongs that it does not read
                    self.abort()
        super().process_event(event)

    # Called by the door.

    async def serve(self, take: Take) -> None:
        """Give `take` each message from now on, until the connection has ended. No UTF-8, or what is called binary, is a
        message too: that is the parser's business."""
        self._take = take
        self._go_on()
        await self.wait_closed()

    def took(self) -> None:
        """A message waits for its commit."""
        self._uncommitted += 1
        if self._uncommitted == MAX_UNCOMMITTED:
            self.transport.pause_reading()

    def committed(self, answer: str | None) -> None:
        """It is stored, and answered by that."""
        self._uncommitted -= 1
        if self._uncommitted == MAX_UNCOMMITTED // 2:
            self._go_on()
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
        self.calls.add(Outgoing("TriggerMessage", self.dialect.trigger(message), _whatever, is_own=True))

    def ask_for_interval(self) -> None:
        """To send its heartbeat as often as we want it; one that cannot is asked for each (line.py)."""
        self.calls.add(Outgoing(*self.dialect.ask_interval[:2], _whatever, is_own=True))

    def set_up(self, now_s: int) -> None:
        """By our wishes (configuration.py), where it was not lately. `now_s` is a time of the clock, in seconds since 1970."""
        if self._setting_up is None and is_due(self.charger.set_up_s, now_s):
            self._setting_up = SettingUp(self.dialect.set_up)
            self._go_on_setting_up(now_s)

    def ask_for_signal(self) -> None:
        """Where its maker has a way to, once in a while."""
        asked = SIGNAL_ASKS.get(self.charger.vendor)
        if asked is None or self.loop.time() < self._next_signal_s:
            return
        self._next_signal_s = self.loop.time() + SIGNAL_EVERY_S
        self.calls.add(
            Outgoing("DataTransfer", {"vendorId": asked[0], "messageId": asked[1]}, self._take_signal, is_own=True)
        )

    def write(self, frame: str) -> None:
        """To the charger. One that does not read is cut off."""
        if self.protocol.state is not OPEN:
            return
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.abort()
            return
        self.transport.write(text_frame(frame.encode()))

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

    def _go_on_setting_up(self, began_s: int) -> None:
        step = None if self._setting_up is None else self._setting_up.next()
        if step is None:
            self.charger.set_up_s = began_s
        else:
            self.calls.add(Outgoing(step.action, step.payload, partial(self._take_setting, began_s), is_own=True))

    def _take_setting(self, began_s: int, reply: Reply | None) -> list[Record]:
        """One that is silent is set up when it boots again."""
        if reply is not None and self._setting_up is not None:
            self.charger.note_settings(self._setting_up.answered(reply))
            self._go_on_setting_up(began_s)
        return []

    def _take_signal(self, reply: Reply | None) -> list[Record]:
        csq = None if reply is None else csq_told(reply.payload.get("data"))
        if csq is not None:
            self.charger.csq = csq
        return []

    @property
    def _is_ready(self) -> bool:
        """For the next message to be given away as it comes."""
        return self._take is not None and not self._parts and not self._held and self._uncommitted < MAX_UNCOMMITTED

    def _receive(self, message: bytes) -> None:
        if self.transport.is_closing():  # ended by what was before it
            return
        if self._take is None or self._held or self._uncommitted >= MAX_UNCOMMITTED:
            self._held.append(message)  # no more than was read at once: reading pauses
            self.transport.pause_reading()
        else:
            self._take(message)

    def _go_on(self) -> None:
        """With what was held back, and then with what comes."""
        while self._held and self._take is not None and self._uncommitted < MAX_UNCOMMITTED:
            message = self._held.popleft()
            if not self.transport.is_closing():
                self._take(message)
        if not self._held and self._uncommitted < MAX_UNCOMMITTED:
            self.transport.resume_reading()


def _choose(_protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    found = chosen(offered)
    return None if found is None else Subprotocol(found[0])


def _nothing(_frame: bytes) -> None:
    """Before it is let in."""


def _whatever(_reply: Reply | None) -> list[Record]:
    """Any answer is one: that it came is what was asked."""
    return []
