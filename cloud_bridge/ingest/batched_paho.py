"""paho on a socket that is read and written in large pieces.

paho takes every packet with three system calls and a select, and sends every acknowledgement with two more. Together
they are most of what a message costs it, and with a fleet behind one connection they are all to the same socket. Here
paho reads from what one call has fetched, and the acknowledgements of a whole commit leave in one.
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
    """What paho asks of a socket. Acknowledgements may come from any thread, all else is paho's own."""

    def __init__(self, inner: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._inner = inner
        self._loop = loop  # sends the acknowledgements, once a turn
        self._fetched = memoryview(b"")
        self._lock = Lock()  # of what follows
        self._acknowledgements = bytearray()
        self._unsent = bytearray()  # at most an answer to all that the broker may have in flight (IN_FLIGHT), and pings

    def recv(self, size: int) -> bytes:
        if not self._fetched:
            self._fetched = memoryview(self._inner.recv(FETCH_BYTES))
        taken, self._fetched = self._fetched[:size], self._fetched[size:]
        return bytes(taken)

    def pending(self) -> int:
        """paho asks for it, because a TLS socket too may hold what select does not see."""
        return len(self._fetched) or (self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0)

    def send(self, data: bytes | bytearray) -> int:
        """Takes it all. What the broker does not read now goes out before what is sent next, at the latest a ping."""
        with self._lock:
            self._unsent += data
            with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                del self._unsent[: self._inner.send(self._unsent)]
        return len(data)

    def acknowledge(self, packet_id: int) -> None:
        """Soon, on this connection or not at all: on the next one the broker delivers the message again."""
        with self._lock:
            is_first = not self._acknowledgements
            self._acknowledgements += packets.puback(packet_id)
        if is_first:
            self._loop.call_soon_threadsafe(self._send_acknowledgements)

    def shut_down(self) -> None:
        """End the connection, from any thread. paho notices and connects again."""
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
        with suppress(OSError):  # paho's thread notices, and says so
            self.send(sent)


class BatchedClient(paho.Client):
    """Messages are acknowledged through `batched`, the socket of the connection that brought them.

    `on_thread_error` is called on paho's thread with every exception that would have ended it; it must not raise.
    """

    batched: BatchedSocket  # from the first connection on: before it nothing is read

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_thread_error: Callable[[BaseException], None], **options: Any
    ) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, manual_ack=True, **options)
        self._batching_loop = loop
        self._on_thread_error = on_thread_error

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """All that was fetched, and not one packet at a time."""
        code = super().loop_read(max_packets)
        while code is MQTTErrorCode.MQTT_ERR_SUCCESS and self.batched.pending():
            code = super().loop_read(max_packets)
        return code

    def loop_stop(self) -> MQTTErrorCode:
        """paho looks at its thread twice. One that was told to disconnect may end in between, and there is none to join."""
        thread = self._thread
        if thread is None:
            return MQTTErrorCode.MQTT_ERR_INVAL
        self._thread_terminate = True
        if thread is not current_thread():
            thread.join()
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _thread_main(self) -> None:
        """paho's own thread ends with the first exception of a callback or of its parser, and nothing is received from
        then on. Here only the connection ends: the next one brings what was not acknowledged."""
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
        """Where paho itself puts its WebSocket in front of the socket."""
        self.batched = BatchedSocket(cast(socket.socket, super()._create_socket()), self._batching_loop)
        return self.batched
