"""Accept connections on listening sockets while there is room for them.

asyncio's server has three faults for this purpose. It calls the protocol of a TLS connection only after the handshake,
so that connections before that can be neither counted nor closed. It accepts without a limit. When file descriptors run
out, it fails once for each place of the backlog and schedules as many retries (CPython 3.11, base_events: 126 MB of log
in 90 s). The acceptor hands each connection over as a socket, and stops accepting before file descriptors run out.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Sequence
from functools import partial

from cloud_bridge.counters import Counters

AT_ONCE = 8  # connections accepted on one socket before the event loop serves something else
RETRY_S = 1.0  # after the system ran out of file descriptors or memory
NOTHING_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_log = logging.getLogger(__name__)


class Acceptor:
    """Accepts from construction on. `take` receives each connection as a non-blocking socket, and the peer's address.

    `has_room` and `is_busy` are called before each accept. After `has_room` returns False or `is_busy` returns True,
    nothing is accepted until `resume`; new connections wait in the backlog of the system meanwhile. `is_busy` lets
    connections that were already accepted be served first.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        take: Callable[[socket.socket, str], None],
        has_room: Callable[[], bool],
        counters: Counters,
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets = sockets
        self._take, self._has_room, self._is_busy = take, has_room, is_busy
        self._counters = counters
        self._listening = False
        self._closed = False
        self._retry: asyncio.TimerHandle | None = None
        self._start()

    def resume(self) -> None:
        """Accept again if there is room. Call it whenever a connection has ended or has been served."""
        if self._listening or self._closed or self._retry is not None:
            return
        if self._has_room() and not self._is_busy():
            self._start()

    def close(self) -> None:
        """Close the listening sockets. Connections that were handed over stay open."""
        self._stop()
        self._closed = True
        if self._retry is not None:
            self._retry.cancel()
        for one in self._sockets:
            one.close()

    async def wait_closed(self) -> None:
        """Do nothing: there is nothing to wait for. asyncio.Server has a method of this name."""

    def _start(self) -> None:
        self._retry = None
        self._listening = True
        for one in self._sockets:
            one.setblocking(False)
            self._loop.add_reader(one.fileno(), partial(self._accept, one))

    def _stop(self) -> None:
        if self._listening:
            self._listening = False
            for one in self._sockets:
                self._loop.remove_reader(one.fileno())

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_ONCE):
            if not self._listening:
                return
            if self._is_busy():
                self._stop()
                return
            if not self._has_room():
                self._stop()
                self._counters.pauses_full += 1
                _log.warning("connection limit reached: not accepting until a connection closes")
                return
            try:
                accepted, address = listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in NOTHING_LEFT:
                    self._wait(error)
                    return
                continue  # the peer has already closed that connection, accept(2)
            accepted.setblocking(False)
            self._take(accepted, address[0])

    def _wait(self, error: OSError) -> None:
        self._stop()
        self._counters.failed_accepts += 1
        _log.warning("accept failed, retrying: %s", error.strerror)
        self._retry = self._loop.call_later(RETRY_S, self._start)
