"""One connection of a unit to the back-end that it is shown to: the socket, and the calls that await an answer."""

import asyncio
import logging
import secrets
import ssl
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from cloud_bridge.ingest.ocpp.error_budget import ErrorBudget
from cloud_bridge.ingest.ocpp.frames import (
    MAX_FRAME_BYTES,
    Call,
    ErrorCode,
    MessageId,
    Reply,
    call,
    error,
    read_frame,
    result,
)
from cloud_bridge.northbound import link_errors
from cloud_bridge.northbound.address import where
from cloud_bridge.northbound.link_errors import Refusal
from cloud_bridge.northbound.pace import Pace
from cloud_bridge.northbound.reporter import Due
from cloud_bridge.northbound.requests import Order, Payload, Reaction, Said
from cloud_bridge.store.northbound import Setting

SUBPROTOCOL = Subprotocol("ocpp1.6")
OPEN_WITHIN_S = 20.0
ANSWER_WITHIN_S = 30.0
CLOSE_WITHIN_S = 1.0  # another process may be about to have the connection
PING_EVERY_S, PONG_WITHIN_S = 60.0, 30.0
LOOK_EVERY_S = 1.0  # how often to check whether something has become due with time
REQUESTS, REQUESTS_WITHIN_S = 60, 60.0

_log_of_socket = logging.getLogger(f"{__name__}.socket")
_log_of_socket.setLevel(logging.WARNING)  # it would log the key of the handshake


class LinkEnded(Exception):
    """The connection has ended, or was never made. `refusal` is the reason, if there is one to show to people."""

    def __init__(self, refusal: Refusal | None = None) -> None:
        super().__init__("" if refusal is None else refusal.reason.format(detail=refusal.detail))
        self.refusal = refusal


class Duplex(NamedTuple):
    """The callbacks of a connection."""

    next: Callable[[], Due | None]
    answered: Callable[[Due, Reply], Awaitable[None]]
    has_left: Callable[[], bool]
    react: Callable[[str, Payload], Reaction]
    said: Callable[[Said], None]  # called when our own answer has been sent
    carry_out: Callable[[Order], Awaitable[Payload | None]]  # returns None if the unit has not answered


class _NoRedirect(connect):
    """Follows no redirect: the key is for the configured host and for no other."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@asynccontextmanager
async def opened(setting: Setting, trusted: Callable[[], ssl.SSLContext]) -> AsyncIterator[ClientConnection]:
    """Open a connection; it is closed at the end. Raises LinkEnded."""
    key = b64encode(f"{setting.identity}:{setting.secret}".encode()).decode()
    opening = _NoRedirect(
        where(setting.url, setting.identity),
        subprotocols=[SUBPROTOCOL],
        additional_headers={"Authorization": f"Basic {key}"},
        ssl=trusted() if setting.url.startswith("wss:") else None,
        compression=None,
        proxy=None,
        open_timeout=OPEN_WITHIN_S,
        close_timeout=CLOSE_WITHIN_S,
        ping_interval=PING_EVERY_S,
        ping_timeout=PONG_WITHIN_S,
        max_size=MAX_FRAME_BYTES,
        logger=_log_of_socket,
    )
    try:
        socket = await opening
    except InvalidStatus as failure:
        code = failure.response.status_code
        raise LinkEnded(Refusal(link_errors.KEY if code in (401, 403) else link_errors.HTTP, str(code))) from None
    except ssl.SSLCertVerificationError:
        raise LinkEnded(Refusal(link_errors.CERTIFICATE)) from None
    except (InvalidHandshake, InvalidURI):
        raise LinkEnded(Refusal(link_errors.NO_OCPP)) from None
    except (OSError, TimeoutError, EOFError):
        raise LinkEnded(Refusal(link_errors.NO_ANSWER_AT_ALL)) from None
    try:
        if socket.subprotocol != SUBPROTOCOL:
            raise LinkEnded(Refusal(link_errors.NO_OCPP))
        yield socket
    finally:
        await socket.close()


class Conversation:
    """The exchange on one connection: our CALLs one at a time, and the back-end's CALLs, of which one order at a
    time."""

    def __init__(self, socket: ClientConnection, duplex: Duplex, news: asyncio.Event) -> None:
        self._socket = socket
        self._duplex = duplex
        self._news = news  # set when something new is known
        self._asked: tuple[str, asyncio.Future[Reply]] | None = None  # our CALL that awaits its answer
        self._order: asyncio.Task[None] | None = None
        self._requests = Pace(REQUESTS, REQUESTS_WITHIN_S)
        self._errors = ErrorBudget()

    async def run(self) -> None:
        """Run until the unit is away. Raises LinkEnded if the back-end ends the connection."""
        both = [asyncio.create_task(self._listen()), asyncio.create_task(self._report())]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for one in both:
                if one.done():
                    one.result()
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd is not None else 1006
            raise LinkEnded(Refusal(link_errors.CLOSED, str(code))) from None
        finally:
            several = [*both, *([] if self._order is None else [self._order])]
            for one in several:
                one.cancel()
            await asyncio.gather(*several, return_exceptions=True)

    async def _report(self) -> None:
        while True:
            due = self._duplex.next()
            if due is not None:
                await self._duplex.answered(due, await self._answer_to(due))
            elif self._duplex.has_left():
                return
            else:
                await self._something_new()

    async def _something_new(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()

    async def _answer_to(self, due: Due) -> Reply:
        message_id = secrets.token_hex(8)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked = message_id, answer
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._socket.send(call(message_id, due.action, due.payload))
                return await answer
        except TimeoutError:
            raise LinkEnded(Refusal(link_errors.NO_ANSWER, due.action)) from None
        finally:
            self._asked = None

    async def _listen(self) -> None:
        while True:
            said = await self._socket.recv(decode=False)
            frame = read_frame(said)
            if isinstance(frame, Reply):
                if self._asked is not None and frame.message_id == self._asked[0] and not self._asked[1].done():
                    self._asked[1].set_result(frame)
                continue
            if not self._requests.take(time.monotonic()):
                raise LinkEnded(Refusal(link_errors.TOO_OFTEN))
            if isinstance(frame, Call):
                await self._asked_for(frame)
            elif frame.message_id is not None:
                await self._refuse(frame.message_id, frame.code)

    async def _asked_for(self, frame: Call) -> None:
        reaction = self._duplex.react(frame.action, frame.payload)
        if isinstance(reaction, Said):
            await self._send(result(frame.message_id, reaction.payload))
            self._duplex.said(reaction)
            self._news.set()
        elif isinstance(reaction, ErrorCode):
            await self._refuse(frame.message_id, reaction)
        elif self._order is not None and not self._order.done():
            await self._refuse(frame.message_id, ErrorCode.INTERNAL_ERROR, "the order before it is not answered yet")
        else:
            self._order = asyncio.ensure_future(self._carry_out(frame.message_id, reaction))

    async def _carry_out(self, message_id: MessageId, order: Order) -> None:
        try:
            payload = await self._duplex.carry_out(order)
            if payload is None:
                await self._refuse(message_id, ErrorCode.INTERNAL_ERROR, "the charge point has not answered")
            else:
                await self._send(result(message_id, payload))
        except (ConnectionClosed, LinkEnded):
            return  # the task that receives reports it

    async def _refuse(self, message_id: MessageId, code: ErrorCode, why: str = "") -> None:
        if self._errors.take(time.monotonic()):
            await self._send(error(message_id, code, why))

    async def _send(self, frame: Any) -> None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._socket.send(frame)
        except TimeoutError:
            raise LinkEnded(Refusal(link_errors.NO_ANSWER, "-")) from None
