"""The TCP connections of one modem, by the number of their link, whatever its commands call them.

Only loopback addresses are ever dialled.
"""

import asyncio
import ipaddress
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.registration import Registration
from hil_tests.sim.modem.relay import Relay

KNOWN_HOSTS = {"localhost": "127.0.0.1"}  # the simulated DNS
ABANDONED_LIMIT = 16  # half-open connections kept as their servers see them


class Sockets:
    """From power-on to the end of the simulation."""

    def __init__(self, world: World, registration: Registration) -> None:
        self._world, self._registration = world, registration
        self._abandoned: deque[Relay] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempts: dict[int, asyncio.Task[None]] = {}
        self.relays: dict[int, Relay] = {}
        self.remote: dict[int, tuple[str, int]] = {}

    @property
    def plmn(self) -> str:
        """The operator that carries the connections, "" without one."""
        return self._registration.operator.plmn if self._registration.operator else ""

    def has_service(self) -> bool:
        """Whether the network opens a PDP context now."""
        return bool(self._registration.attached and self.plmn and self._world.gives_context(self.plmn))

    def is_open(self, link: int) -> bool:
        """Is there a connection that its far side has not closed?"""
        return link in self.relays and self.relays[link].open

    def is_connecting(self, link: int) -> bool:
        """Is there an attempt that has not ended yet?"""
        return link in self._attempts

    def connect(
        self,
        link: int,
        remote: tuple[str, int],
        within_s: float,
        on_data: Callable[[], None],
        on_closed: Callable[[], None],
        on_result: Callable[[Exception | None], None],
    ) -> asyncio.Task[None]:
        """Starts an attempt. `on_result` gets None, LookupError (no such host), TimeoutError or another OSError."""
        host, port = remote
        self.remote[link] = remote

        async def attempt() -> None:
            await self._world.wait("connect")
            try:
                async with asyncio.timeout(within_s):
                    await self._world.until_carried(self.plmn)
                    reader, writer = await asyncio.open_connection(loopback(host), port)
            except (OSError, LookupError, OverflowError) as error:
                on_result(error)
                return
            plmn = self.plmn
            self.relays[link] = Relay(reader, writer, lambda: self._world.cross(plmn), on_data, on_closed)
            on_result(None)

        self._attempts[link] = task = self.spawn(attempt())
        task.add_done_callback(lambda _: self._attempts.pop(link, None))
        return task

    def close(self, link: int) -> None:
        """Ends a connection or an attempt at one; the far side reads end of file."""
        if link in self._attempts:
            self._attempts[link].cancel()
        if link in self.relays:
            self.relays.pop(link).close()

    def close_all(self) -> None:
        """Ends everything as the modem would: the far sides read end of file."""
        for relay in self.relays.values():
            relay.close()
        self.drop()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Work that ends with the connections."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def drop(self) -> None:
        """Ends all work and leaves open connections as their servers last saw them."""
        current = asyncio.current_task() if self._tasks else None
        for task in self._tasks - {current}:
            task.cancel()
        for relay in self.relays.values():
            if relay.open:
                relay.abandon()
                self._abandoned.append(relay)
        while len(self._abandoned) > ABANDONED_LIMIT:
            self._abandoned.popleft().reset()
        self.relays.clear()

    def reset(self) -> None:
        """The end of the simulation: real sockets are dropped."""
        self.drop()
        while self._abandoned:
            self._abandoned.popleft().reset()


def loopback(host: str) -> str:
    """The address of a host as the simulated DNS knows it. Raises LookupError for all but loopback."""
    address = KNOWN_HOSTS.get(host.lower(), host)
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise LookupError(host)
