"""A unit's socket: non-blocking, optionally with TLS, from a chosen source address."""

import errno
import socket
import ssl
import struct
from contextlib import suppress
from typing import NamedTuple

RECEIVE_BYTES = 65_536
IP_BIND_ADDRESS_NO_PORT = 24  # ip(7): choose the port at connect, so that one address has 28,000 ports for each door
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: reset without FIN, and without delivery of pending data


class Door(NamedTuple):
    """An address on which a broker listens."""

    host: str
    port: int


class Link:
    """One connection. Every method raises OSError when it has ended; the caller then closes it."""

    def __init__(self, door: Door, source: str | None, context: ssl.SSLContext | None) -> None:
        self._out = bytearray()
        self._context, self._host = context, door.host
        self._wants_write = False  # the TLS handshake does
        self.is_open = False  # after TCP connect and TLS handshake
        self.watched_for_write = True  # set by the owner of the epoll
        self._tcp: socket.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket: socket.socket = self._tcp
        try:
            self._tcp.setblocking(False)
            self._tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if source is not None:
                self._tcp.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
                self._tcp.bind((source, 0))
            if (error := self._tcp.connect_ex((door.host, door.port))) not in (0, errno.EINPROGRESS):
                raise OSError(error, "connect")
        except OSError:
            self._tcp.close()
            raise
        self._is_connecting = True

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def wants_write(self) -> bool:
        """Whether the connection must become writable for it to make progress."""
        return bool(self._out) or self._wants_write or self._is_connecting

    def ready(self) -> None:
        """Continue connecting and sending. Call it when the socket is readable or writable."""
        if self._is_connecting:
            if (error := self._tcp.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)) != 0:
                raise OSError(error, "connect")
            self._is_connecting = False
            if self._context is not None:
                self._socket = self._context.wrap_socket(
                    self._tcp, do_handshake_on_connect=False, server_hostname=self._host
                )
        if not self.is_open:
            self._shake_hands()
        if self.is_open and self._out:
            self._flush()

    def send(self, data: bytes) -> None:
        """Send now, or when the socket has room."""
        self._out += data
        self._flush()

    def receive(self) -> bytes:
        """Return the received bytes, or b"" if there are none yet. Raises OSError at the end of the stream."""
        try:
            data = self._socket.recv(RECEIVE_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        if not data:
            raise ConnectionResetError("the broker closed the connection")
        return data

    @property
    def has_pending(self) -> bool:
        """Whether TLS has more decrypted data, for which the socket does not become readable."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def close(self, is_reset: bool = False) -> None:
        """Close without a TLS close_notify, for which a non-blocking socket would have to wait."""
        if is_reset:
            with suppress(OSError):  # already closed
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._socket.close()

    def _shake_hands(self) -> None:
        if isinstance(self._socket, ssl.SSLSocket):
            try:
                self._wants_write = False
                self._socket.do_handshake()
            except ssl.SSLWantReadError:
                return
            except ssl.SSLWantWriteError:
                self._wants_write = True
                return
        self.is_open = True

    def _flush(self) -> None:
        try:
            sent = self._socket.send(self._out)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        del self._out[:sent]
