"""The event loop of a process of ours, on which many connections may have something at the same moment.

asyncio asks for all sockets that are ready and serves each of them before anything else: when 2,000 connections are lost at
once, whoever waits for a page waits for five turns of 2,000 steps. Here a turn takes no more than AT_ONCE of them, and the
kernel gives the others their turn in the order in which they became ready (epoll_wait(2), "NOTES"). Of Linux alone.
"""

import asyncio
import math
import os
import select
import selectors
from typing import Any

AT_ONCE = 50  # sockets in one turn: about 2 ms


class FewAtOnce(selectors.EpollSelector):
    """Of those that are ready, AT_ONCE at most; the others with the next calls."""

    def __init__(self) -> None:
        super().__init__()
        self._few = select.epoll.fromfd(os.dup(self.fileno()))  # the same one, of which we ask for fewer
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
        """As that of the library: a time is rounded up to milliseconds, so that nobody comes too early; None: for ever."""
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
