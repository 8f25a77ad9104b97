"""The TCP connections of one modem by link number, for all command sets.

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
ABANDONED_LIMIT = 16  # half-open connections kept open for their servers


class Sockets:
    """The connections from power-on to the end of the simulation."""

    def __init__(self, world: World, registration: Registration) -> None:
        self._world, self._registration = world, registration
        self._abandoned: deque[Relay] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempts: dict[int, asyncio.Task[None]] = {}
        self.relays: dict[int, Relay] = {}
        self.remote: dict[int, tuple[str, int]] = {}

    @property
    def plmn(self) -> str:
        """The PLMN of the operator that carries the connections, "" without one."""
        return self._registration.operator.plmn if self._registration.operator else ""

    def has_service(self) -> bool:
        """Return whether the network opens a PDP context now."""
        return bool(self._registration.attached and self.plmn and self._world.gives_context(self.plmn))

    def is_open(self, link: int) -> bool:
        """Return whether there is a connection that its far end has not closed."""
        return link in self.relays and self.relays[link].open

    def is_connecting(self, link: int) -> bool:
        """Return whether an attempt to connect is in progress."""
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
        """Start an attempt. `on_result` gets None, LookupError (no such host), TimeoutError or another OSError."""
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
        """End a connection, or an attempt to connect. The far end reads end of file."""
        if link in self._attempts:
            self._attempts[link].cancel()
        if link in self.relays:
            self.relays.pop(link).close()

    def close_all(self) -> None:
        """End all connections as the modem would: the far ends read end of file."""
        for relay in self.relays.values():
            relay.close()
        self.drop()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start work that ends with the connections."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def drop(self) -> None:
        """End all work. Open connections stay open for their servers."""
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
        """Close all real sockets at the end of the simulation."""
        self.drop()
        while self._abandoned:
            self._abandoned.popleft().reset()


def loopback(host: str) -> str:
    """Resolve a host by the simulated DNS. Raises LookupError for every address but loopback."""
    address = KNOWN_HOSTS.get(host.lower(), host)
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise LookupError(host)
