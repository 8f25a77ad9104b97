"""HEAD is answered like GET, without the body, on every route (RFC 9110, 9.3.2).

The scope then has IS_HEAD, for pages that record that they were opened.
"""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

IS_HEAD = "chargekeeper.is_head"


class _HeadSent(OSError):
    """Ends a handler that would send more body, as if the client had disconnected."""


class HeadAsGet:
    """ASGI middleware, outside all others."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        is_sent = False

        async def send_head(message: Message) -> None:
            nonlocal is_sent
            if message["type"] != "http.response.body":
                await send(message)
                return
            if not is_sent:
                is_sent = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            if message.get("more_body", False):
                raise _HeadSent

        try:
            await self._app(dict(scope, method="GET", **{IS_HEAD: True}), receive, send_head)
        except (_HeadSent, ClientDisconnect):
            if not is_sent:
                raise
