"""Security headers on every response (no inline content, no foreign origins, no caching), and limits on the size of
requests."""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_bridge.web.security.photo_uploads import MAX_FORM_BYTES, takes_photo

MAX_BODY_BYTES = 64 * 1024
MAX_HEADERS_BYTES = 16 * 1024  # h11 limits the size of headers only if they arrive in pieces
MAX_TARGET_BYTES = 16 * 1024  # path and query; the live stream of 50 charge points needs 7 kB
MAX_CONTENT_TYPE = 256  # Python's parser of its parameters takes quadratic time: 12 s for 60 kB (measured)

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
POLICY_OF_DOCS = POLICY.replace("img-src 'self'", "img-src 'self' data:")  # for the icons in Swagger UI's style sheet
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class SecurityHeaders:
    """ASGI middleware. `refuse` makes the response to a request that is rejected before it is read."""

    def __init__(self, app: ASGIApp, refuse: Callable[[HTTPConnection, int], Response]) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        is_long = len(scope["path"]) + len(scope["query_string"]) > MAX_TARGET_BYTES
        most_bytes = MAX_FORM_BYTES if takes_photo(scope["method"], scope["path"]) else MAX_BODY_BYTES
        status = 414 if is_long else _refusal(Headers(scope=scope), most_bytes)
        answer = self._refuse(HTTPConnection(scope), status) if status else self._app
        await answer(scope, receive, send_with_headers)


def _refusal(headers: Headers, most_bytes: int) -> int | None:
    """Return the status for headers or a body that are too long, or a body without a Content-Length; else None."""
    size = sum(len(name) + len(value) for name, value in headers.raw)
    if size > MAX_HEADERS_BYTES or len(headers.get("content-type", "")) > MAX_CONTENT_TYPE:
        return 431
    if "transfer-encoding" in headers:
        return 411
    length = headers.get("content-length", "0")
    return 413 if not length.isdecimal() or int(length) > most_bytes else None
