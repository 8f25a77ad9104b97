"""An event loop that stays responsive when many sockets become ready at the same moment. Linux only.

asyncio polls all ready sockets and serves every one of them before anything else. When 2,000 connections are lost at
once, a page request waits for five iterations of 2,000 callbacks each. This loop takes at most AT_ONCE sockets in one
iteration. The kernel returns the remaining ones in later iterations, in round-robin order (epoll_wait(2), "NOTES").
"""

import asyncio
import math
import os
import select
import selectors
from typing import Any

AT_ONCE = 50  # sockets in one turn: about 2 ms


class FewAtOnce(selectors.EpollSelector):
    """A selector that returns at most AT_ONCE ready sockets; the others follow with the next calls."""

    def __init__(self) -> None:
        super().__init__()
        self._few = select.epoll.fromfd(os.dup(self.fileno()))  # the same epoll instance, polled with a limit
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        self._keys[key.fd] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        del self._keys[key.fd]
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().modify(fileobj, events, data)
        self._keys[key.fd] = key
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Poll as EpollSelector.select does. The timeout is rounded up to milliseconds, so that no timer fires early;
        None blocks without a timeout."""
        wait_s = -1.0 if timeout is None else max(0.0, math.ceil(timeout * 1000) / 1000)
        found = []
        for fd, happened in self._few.poll(wait_s, AT_ONCE):
            events = (selectors.EVENT_WRITE if happened & ~select.EPOLLIN else 0) | (
                selectors.EVENT_READ if happened & ~select.EPOLLOUT else 0
            )
            key = self._keys.get(fd)
            if key is not None:
                found.append((key, events & key.events))
        return found

    def close(self) -> None:
        self._few.close()
        self._keys.clear()
        super().close()


def new_event_loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(FewAtOnce())
