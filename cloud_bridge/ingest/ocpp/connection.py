"""The WebSocket connection of one charger, and the door's state for it. Runs on the event loop.

Frames go to the door as they arrive, without a task or a queue between. If too many frames of a charger are
uncommitted, its socket is not read, and TCP's flow control holds the others back. A frame that arrives complete and
alone is parsed here (whole_frame.py). The library does the rest of the protocol, from the handshake to the close. The
fast path is used only while the library has no unparsed bytes.
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

MAX_UNCOMMITTED = 64  # uncommitted frames of one charger; at this number its socket is not read
SIGNAL_EVERY_S = 900.0  # between two queries of the signal, each a message over GPRS
CLOSE_WITHIN_S = 5.0  # for the closing handshake, so that a charger that does not answer holds no file descriptor
MAX_UNSENT_BYTES = 64 * 1024  # buffered for a charger that does not read; beyond this it is disconnected
UNKNOWN = math.inf  # bytes; the library then parses everything

Take = Callable[[bytes], object]  # takes a frame; must not raise

QUIET = logging.getLogger(f"{__name__}.websockets")  # the library logs a traceback for every failed handshake
QUIET.setLevel(logging.CRITICAL)


class OcppConnection(ServerConnection):
    """The connection of a charger. The object is created when the socket is accepted; over TLS `connection_made` is
    called only after the handshake."""

    is_made = False
    unit_id = ""  # set once the charger is authenticated
    since_ms = 0  # the timestamp of its presence; before authentication, that of the charger's last report
    dialect: Dialect  # the negotiated version; set once the charger is authenticated
    has_answered = False  # one of our CALLs
    credentials_ms: int | None = None  # when the charger's secret was last changed, read just before it was compared

    def __init__(self, server: Server, accepted: socket, address: str, network: str | None) -> None:
        """`network` is the peer's network, for limits; None while only the address of a proxy is known."""
        protocol = ServerProtocol(select_subprotocol=_choose, max_size=MAX_FRAME_BYTES, logger=QUIET)
        super().__init__(protocol, server, ping_interval=None, ping_timeout=None, close_timeout=CLOSE_WITHIN_S)
        self.address = address
        self.network = network
        self.charger = ChargerState()
        self.line = Line(self.loop.time())
        self.calls = Calls()
        self.note_call: Callable[[bytes], None] = _nothing  # stores each of our CALLs, for support
        self.error_budget = ErrorBudget()
        self._next_signal_s = 0.0
        self._setting_up: SettingUp | None = None  # the configuration on this connection
        self.has_sign = False  # a ping or pong has come since the door's last look
        self._accepted = accepted
        self._take: Take | None = None  # receives the frames
        self._unread = UNKNOWN  # bytes in the library that are not a complete frame yet
        self._parts: list[bytes] = []  # of a fragmented message
        self._held: deque[bytes] = deque()  # messages from one read, held while too many are uncommitted
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
        if self.protocol.close_expected():  # the charger has closed, or violated the protocol
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
                if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:  # our pongs are not read
                    self.abort()
        super().process_event(event)

    # Called by the door.

    async def serve(self, take: Take) -> None:
        """Pass each message to `take` until the connection ends. Binary messages and invalid UTF-8 are passed too: the
        parser handles them."""
        self._take = take
        self._go_on()
        await self.wait_closed()

    def took(self) -> None:
        """Count a message as uncommitted. Pauses reading if there are too many."""
        self._uncommitted += 1
        if self._uncommitted == MAX_UNCOMMITTED:
            self.transport.pause_reading()

    def committed(self, answer: str | None) -> None:
        """Count a message as committed, and send its answer if there is one."""
        self._uncommitted -= 1
        if self._uncommitted == MAX_UNCOMMITTED // 2:
            self._go_on()
        if answer is not None:
            self.write(answer)

    def send_next_call(self) -> None:
        """Send our next CALL, if one is waiting, none is unanswered and the charger is ready for it."""
        now_s = self.loop.time()
        if self.line.may_call(now_s) and (frame := self.calls.next(now_s)) is not None:
            self.note_call(frame.encode())
            self.write(frame)

    def ask_for(self, message: str) -> None:
        """Ask the charger to send this message. A refusal is a contact too."""
        self.calls.add(Outgoing("TriggerMessage", self.dialect.trigger(message), _whatever, is_own=True))

    def ask_for_interval(self) -> None:
        """Set the charger's heartbeat interval. A charger that does not support it is asked for each message
        (line.py)."""
        self.calls.add(Outgoing(*self.dialect.ask_interval[:2], _whatever, is_own=True))

    def set_up(self, now_s: int) -> None:
        """Configure the charger (configuration.py), unless that was done recently. `now_s` is in seconds since 1970."""
        if self._setting_up is None and is_due(self.charger.set_up_s, now_s):
            self._setting_up = SettingUp(self.dialect.set_up)
            self._go_on_setting_up(now_s)

    def ask_for_signal(self) -> None:
        """Ask for the mobile signal every SIGNAL_EVERY_S, if the maker has a message for it (vendors.py)."""
        asked = SIGNAL_ASKS.get(self.charger.vendor)
        if asked is None or self.loop.time() < self._next_signal_s:
            return
        self._next_signal_s = self.loop.time() + SIGNAL_EVERY_S
        self.calls.add(
            Outgoing("DataTransfer", {"vendorId": asked[0], "messageId": asked[1]}, self._take_signal, is_own=True)
        )

    def write(self, frame: str) -> None:
        """Send a frame. A charger that does not read is disconnected."""
        if self.protocol.state is not OPEN:
            return
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.abort()
            return
        self.transport.write(text_frame(frame.encode()))

    def ask_for_pong(self) -> None:
        """Send a ping. `process_event` receives the pong."""
        if self.protocol.state is OPEN:
            self.protocol.send_ping(b"")
            self.send_data()

    def abort(self) -> None:
        """Close the connection at once, even during the TLS handshake."""
        if self.is_made:
            self.transport.abort()
            return
        with suppress(OSError):  # it is closed already
            self._accepted.shutdown(SHUT_RDWR)  # the handshake fails with end of file

    def _go_on_setting_up(self, began_s: int) -> None:
        step = None if self._setting_up is None else self._setting_up.next()
        if step is None:
            self.charger.set_up_s = began_s
        else:
            self.calls.add(Outgoing(step.action, step.payload, partial(self._take_setting, began_s), is_own=True))

    def _take_setting(self, began_s: int, reply: Reply | None) -> list[Record]:
        """Process the answer to a setting. Without an answer the configuration stops until the next boot."""
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
        """Whether the next message can be passed on directly."""
        return self._take is not None and not self._parts and not self._held and self._uncommitted < MAX_UNCOMMITTED

    def _receive(self, message: bytes) -> None:
        if self.transport.is_closing():  # a previous message has closed the connection
            return
        if self._take is None or self._held or self._uncommitted >= MAX_UNCOMMITTED:
            self._held.append(message)  # bounded by one read, since reading is paused
            self.transport.pause_reading()
        else:
            self._take(message)

    def _go_on(self) -> None:
        """Pass on held messages, and then resume reading."""
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
    """Do nothing, before the charger is authenticated."""


def _whatever(_reply: Reply | None) -> list[Record]:
    """Ignore the content of an answer. That an answer came is enough."""
    return []
