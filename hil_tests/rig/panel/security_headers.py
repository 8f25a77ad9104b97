"""Restrict the panel to programs and pages of this machine. Pages of other sites are refused.

Otherwise a web page elsewhere could reach a server on loopback through its visitor's browser: by a form, by a script,
or by a host name of its own that resolves to 127.0.0.1.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_NAMES = {"127.0.0.1", "localhost", "[::1]"}
ANSWER_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class LoopbackOnly:
    """ASGI middleware that refuses a foreign Host or Origin with 403, and adds security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not _is_ours(Headers(scope=scope)):
            refusal = PlainTextResponse("The panel only talks to pages and programs of this machine.\n", 403)
            await refusal(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(ANSWER_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _is_ours(headers: Headers) -> bool:
    host = headers.get("host", "")
    origin = headers.get("origin")
    return _name(host) in OWN_NAMES and origin in (None, f"http://{host}")


def _name(host: str) -> str:
    """Return a Host header without its port."""
    return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
