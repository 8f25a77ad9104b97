"""paho on a socket with batched reads and writes.

paho reads every packet with three system calls and a select, and sends every acknowledgement with two more system
calls. Together they are most of its cost per message. With a fleet behind one connection they all go to the same
socket. Here paho reads from a buffer that one call fills, and the acknowledgements of a whole commit are sent in one
call.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, current_thread
from typing import Any, cast

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from cloud_bridge.ingest import packets

FETCH_BYTES = 64 * 1024


class BatchedSocket:
    """The part of the socket interface that paho uses. `acknowledge` and `shut_down` may be called on any thread."""

    def __init__(self, inner: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = inner
        self._loop = loop  # sends the acknowledgements, once in each iteration
        self._fetched = memoryview(b"")
        self._lock = Lock()  # guards the following two
        self._acknowledgements = bytearray()
        self._unsent = bytearray()  # bounded: PUBACKs for the messages in flight (mqtt.IN_FLIGHT), and pings

    def recv(self, size: int) -> bytes:
        if not self._fetched:
            self._fetched = memoryview(self._inner.recv(FETCH_BYTES))
        taken, self._fetched = self._fetched[:size], self._fetched[size:]
        return bytes(taken)

    def pending(self) -> int:
        """Return the number of buffered bytes. paho calls this because a TLS socket too may hold data that select does
        not see."""
        return len(self._fetched) or (self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0)

    def send(self, data: bytes | bytearray) -> int:
        """Accept all of the data. What the socket does not take now is sent before the next data, which is a ping at
        the latest."""
        with self._lock:
            self._unsent += data
            with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                del self._unsent[: self._inner.send(self._unsent)]
        return len(data)

    def acknowledge(self, packet_id: int) -> None:
        """Queue a PUBACK for this connection. If the connection is lost first, the broker delivers the message
        again."""
        with self._lock:
            is_first = not self._acknowledgements
            self._acknowledgements += packets.puback(packet_id)
        if is_first:
            self._loop.call_soon_threadsafe(self._send_acknowledgements)

    def shut_down(self) -> None:
        """Shut the connection down, from any thread. paho then reconnects."""
        with suppress(OSError):  # it has ended already
            self._inner.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._inner.close()

    def fileno(self) -> int:
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:
        self._inner.setblocking(flag)

    def _send_acknowledgements(self) -> None:
        with self._lock:
            sent, self._acknowledgements = self._acknowledgements, bytearray()
        with suppress(OSError):  # paho's thread detects and reports it
            self.send(sent)


class BatchedClient(paho.Client):
    """A paho client whose messages are acknowledged through `batched`, the socket of the connection that brought them.

    `on_thread_error` is called on paho's thread with every exception that would have ended the thread. It must not
    raise.
    """

    batched: BatchedSocket  # set when the first connection is made; nothing is read before

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_thread_error: Callable[[BaseException], None], **options: Any
    ) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, manual_ack=True, **options)
        self._batching_loop = loop
        self._on_thread_error = on_thread_error

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read all packets in the buffer, not only one."""
        code = super().loop_read(max_packets)
        while code is MQTTErrorCode.MQTT_ERR_SUCCESS and self.batched.pending():
            code = super().loop_read(max_packets)
        return code

    def loop_stop(self) -> MQTTErrorCode:
        """Stop the thread. paho's own method reads `_thread` twice, and the thread may end in between, which leaves
        nothing to join."""
        thread = self._thread
        if thread is None:
            return MQTTErrorCode.MQTT_ERR_INVAL
        self._thread_terminate = True
        if thread is not current_thread():
            thread.join()
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _thread_main(self) -> None:
        """Run paho's loop, and reconnect after an exception. paho's own thread ends with the first exception of a
        callback or of its parser, and nothing is received any more. Here only the connection ends, and on the next one
        the broker redelivers unacknowledged messages."""
        try:
            while True:
                try:
                    self.loop_forever(retry_first_connection=True)
                    return
                except BaseException as error:  # SystemExit and CancelledError too would end the thread silently
                    self._on_thread_error(error)
                    self._sock_close()
                    self._reconnect_wait()
        finally:
            self._thread = None
            self._reset_sockets()  # paho leaves them to the garbage collector

    def _create_socket(self) -> BatchedSocket:
        """Wrap the socket. paho wraps its WebSocket at the same place."""
        self.batched = BatchedSocket(cast(socket.socket, super()._create_socket()), self._batching_loop)
        return self.batched
