"""A unit's socket: non-blocking, with TLS where it wants it, from a source address of its choice."""

import errno
import socket
import ssl
import struct
from contextlib import suppress
from typing import NamedTuple

RECEIVE_BYTES = 65_536
IP_BIND_ADDRESS_NO_PORT = 24  # ip(7): the port is chosen at connect, so that one address has 28,000 for each door
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: no FIN, and nothing that is under way is delivered


class Door(NamedTuple):
    """Where a broker listens."""

    host: str
    port: int


class Link:
    """One connection. Every method raises OSError when it is over; the caller closes it then."""

    def __init__(self, door: Door, source: str | None, context: ssl.SSLContext | None) -> None:
        self._out = bytearray()
        self._context, self._host = context, door.host
        self._wants_write = False  # of a handshake
        self.is_open = False  # TCP and TLS are there
        self.watched_for_write = True  # for whoever has it in an epoll
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
        """Whether it waits for room, or for the connection."""
        return bool(self._out) or self._wants_write or self._is_connecting

    def ready(self) -> None:
        """The socket is readable or writable: goes on with connecting and with what is left to send."""
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
        """Now, or as soon as there is room."""
        self._out += data
        self._flush()

    def receive(self) -> bytes:
        """What has come; nothing if there is no more for now. Raises OSError at the end of the stream."""
        try:
            data = self._socket.recv(RECEIVE_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        if not data:
            raise ConnectionResetError("the broker closed the connection")
        return data

    @property
    def has_pending(self) -> bool:
        """Whether TLS has decrypted more than was received: the socket itself does not become readable for it."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def close(self, is_reset: bool = False) -> None:
        """Without a goodbye of TLS: the socket is non-blocking, and nobody waits for it."""
        if is_reset:
            with suppress(OSError):  # it is over already
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
