"""A request's database connection: `Reading` or `Writing`, a parameter of the path function.

FastAPI acquires it before the path function runs and releases it when the function has returned, before the response is sent
(scope="function"). A slow client therefore holds no connection, and writes are committed before the response; if the commit
fails, the response is an error.

Rules, which tests/cloud_bridge/web/test_connections.py checks for every route:

- `Reading` comes first in the signature, so that the checks after it (caller, charge point) use the same connection. A
  check that runs before it, or on a route without it, opens a short transaction of its own.
- `Writing` comes last: the checks are done, and no read transaction is open during the write. Its transaction begins
  with the first statement, so SQLite's write lock is not held while the request waits for a thread.
- A route that hashes a password, or calls a car maker, a mail server or a broker, has neither. It opens
  `database.reading()` or `writing()` around its statements only.

With a standby (store/standby.py), `Reading` of a page uses the standby. Exceptions are a browser that has just sent a form,
which has to see its changes, and the checks, which have to see the present access rights.

A request waits for a thread between these steps. If requests that hold a connection waited for a thread while every thread
waited for a connection, all would be blocked until the pool's timeout. At most AT_ONCE requests therefore hold a connection;
the others wait on the event loop, where they occupy no thread. The rest of the pool is left to transactions that begin and end
on one thread.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import contextmanager_in_threadpool
from sqlalchemy import Connection
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cloud_bridge.app_state import AppState
from cloud_bridge.store.database import CONNECTION_WITHIN_S, CONNECTIONS
from cloud_bridge.web.own_writes import may_lag

AT_ONCE = CONNECTIONS * 3 // 4


class ConnectionTurns:
    """Limits how many requests hold a connection at a time. Used on one event loop."""

    def __init__(self, at_once: int = AT_ONCE, within_s: float = CONNECTION_WITHIN_S) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._within_s = within_s

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn. Raises sqlalchemy.exc.TimeoutError, like the pool itself."""
        try:
            async with asyncio.timeout(self._within_s):
                await self._turns.acquire()
        except TimeoutError:
            raise PoolTimeout("too many requests use the database") from None
        try:
            yield
        finally:
            self._turns.release()


async def reading(request: Request) -> AsyncIterator[Connection]:
    """Yield a connection with one consistent snapshot for the whole request. Raises sqlalchemy.exc.TimeoutError."""
    standby = _app_state(request).standby
    if standby is None or not may_lag(request):
        async with _held(request, _app_state(request).database.reading()) as connection:
            yield connection
        return
    async with _turn(request), contextmanager_in_threadpool(standby.reading()) as connection:
        yield connection


async def writing(request: Request) -> AsyncIterator[Connection]:
    """Yield a connection in one transaction, committed when the path function returns and rolled back when it raises."""
    async with _held(request, _app_state(request).database.writing_on_demand()) as connection:
        yield connection


Reading = Annotated[Connection, Depends(reading, scope="function")]
Writing = Annotated[Connection, Depends(writing, scope="function")]


@contextmanager
def connection_for_check(request: Request) -> Iterator[Connection]:
    """Yield the request's own connection if it holds one now; otherwise one for these statements alone."""
    held: Connection | None = getattr(request.state, "connection", None)
    if held is not None:
        yield held
        return
    with _app_state(request).database.reading() as connection:
        yield connection


def _turn(request: Request) -> AbstractAsyncContextManager[None]:
    turns: ConnectionTurns = request.app.state.connection_turns
    return turns.turn()


@asynccontextmanager
async def _held(request: Request, transaction: AbstractContextManager[Connection]) -> AsyncIterator[Connection]:
    async with _turn(request), contextmanager_in_threadpool(transaction) as connection:
        request.state.connection = connection
        try:
            yield connection
        finally:
            request.state.connection = None


def _app_state(request: Request) -> AppState:
    app_state: AppState = request.app.state.bridge
    return app_state
