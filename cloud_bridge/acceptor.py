"""Accepts connections on listening sockets for as long as there is room for them.

asyncio's own server calls the protocol of a TLS connection only after the handshake, so nobody could count or close it
before; it accepts without a limit; and with no file left it fails once for each place of the backlog and plans as many
retries each time (CPython 3.11, base_events: 126 MB of log in 90 s). Here each connection is given away as a socket, and
accepting stops before files run out.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Sequence
from functools import partial

from cloud_bridge.counters import Counters

AT_ONCE = 8  # connections of one socket, then it is the turn of others on the event loop
RETRY_S = 1.0  # after the system had no file or memory left
NOTHING_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_log = logging.getLogger(__name__)


class Acceptor:
    """Begins at once. `take` gets each connection, which does not block, and the address it comes from.

    `has_room` is asked before each; after False nothing is accepted until `resume`. What the system holds back meanwhile
    (BACKLOG) is accepted then. `is_busy` is asked too: while it is True, those that were accepted are served first.
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
        """To be called whenever a connection has ended, or has been served."""
        if self._listening or self._closed or self._retry is not None:
            return
        if self._has_room() and not self._is_busy():
            self._start()

    def close(self) -> None:
        """Closes the listening sockets; those that were given away stay."""
        self._stop()
        self._closed = True
        if self._retry is not None:
            self._retry.cancel()
        for one in self._sockets:
            one.close()

    async def wait_closed(self) -> None:
        """As an asyncio.Server has it; nothing to wait for."""

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
                _log.warning("as many connections as there are files for: none is accepted until one ends")
                return
            try:
                accepted, address = listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in NOTHING_LEFT:
                    self._wait(error)
                    return
                continue  # that connection has ended already, accept(2)
            accepted.setblocking(False)
            self._take(accepted, address[0])

    def _wait(self, error: OSError) -> None:
        self._stop()
        self._counters.failed_accepts += 1
        _log.warning("a connection was not accepted: %s", error.strerror)
        self._retry = self._loop.call_later(RETRY_S, self._start)
