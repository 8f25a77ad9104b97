"""Rejects requests that contain text which our databases cannot store (cloud_bridge/text.py), before any route runs: in the
path, the query, a form or a JSON body.

It runs inside SecurityHeaders, which has already rejected oversized bodies, so it reads a body as a whole. File contents are
bytes and left to the routes. So are the requests to LEFT_TO_ROUTE, which come from car makers, and the bodies of photo
uploads, from which no text is stored (photo_uploads.py).
"""

import asyncio
import json
from collections.abc import Callable
from email.message import Message
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from cloud_bridge.text import holds_storable, is_storable
from cloud_bridge.web.security.photo_uploads import takes_photo

NOT_FOUND = 404  # no page links to such an address
REQUEST_TIMEOUT = 408
UNPROCESSABLE = 422
BODY_WITHIN_S = (
    30.0  # 64 kB at 17 kbit/s; http_protocol.py closes the connection 10 s later. Further bytes do not extend it
)
# A car maker's redirect and its signed calls: their routes store no text of them unchecked, and report what is wrong.
LEFT_TO_ROUTE = ("/vehicles/return/", "/api/webhooks/")
Refuse = Callable[[HTTPConnection, int], Response]


class TextCheck:
    """ASGI middleware. `refuse` makes the response to a rejected request."""

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (is_storable(scope["path"]) and scope["path"].startswith(LEFT_TO_ROUTE)):
            await self._app(scope, receive, send)
            return
        if not is_storable(scope["path"]) or b"\0" in unquote_to_bytes(scope["query_string"]):
            await self._refuse(HTTPConnection(scope), NOT_FOUND)(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("content-length", "0") == "0" or takes_photo(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await _whole_body(receive)
        except TimeoutError:
            await self._refuse(HTTPConnection(scope), REQUEST_TIMEOUT)(scope, receive, send)
            return
        if body is None:  # the client has disconnected
            return
        if not is_storable_body(headers.get("content-type", ""), body):
            await self._refuse(HTTPConnection(scope), UNPROCESSABLE)(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)


def is_storable_body(content_type: str, body: bytes) -> bool:
    """Return True if all texts in the body can be stored, or if the body cannot be parsed: the route then refuses it with a
    reason."""
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() == "multipart/form-data":
        return _is_storable_multipart(parameters, body)
    if b"\0" in body:
        return False
    if kind.strip().lower() == "application/x-www-form-urlencoded":
        return b"\0" not in unquote_to_bytes(body)
    if b"\\u" not in body:  # JSON can only write U+0000 and surrogates as escapes
        return True
    try:
        return holds_storable(json.loads(body))
    except (ValueError, RecursionError):
        return True


def _is_storable_multipart(parameters: str, body: bytes) -> bool:
    """Check a multipart form (RFC 7578). Its texts have to be UTF-8, as browsers send them, because some other encodings write
    U+0000 with other bytes."""
    named = Message()
    named["Content-Type"] = f"multipart/form-data;{parameters}"
    if str(named.get_param("charset", "utf-8")).lower() != "utf-8":
        return False
    for part in body.split(b"--" + str(named.get_param("boundary", "")).encode("latin-1")):
        head, _, content = part.partition(b"\r\n\r\n")
        if b"\0" in head or (b"\0" in content and b"filename" not in head.lower()):
            return False
    return True


async def _whole_body(receive: Receive) -> bytes | None:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that delivers the body again, and then what follows it."""
    parts: list[AsgiMessage] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> AsgiMessage:
        return parts.pop() if parts else await receive()

    return receive_again
