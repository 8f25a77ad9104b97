"""Read-your-writes: for OWN_WRITES_S after a browser has sent a form, any process reads its pages from the primary. A cookie
marks such browsers; it grants no access."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_bridge.store.standby import OWN_WRITES_S

COOKIE = "chargekeeper_wrote"
ONLY_READ = ("GET", "HEAD")
INTERFACE = "/api/"  # programs keep no cookies


def may_lag(request: Request) -> bool:
    """Return True if the response may be a few seconds out of date."""
    is_page = request.method in ONLY_READ and not request.scope["route"].path.startswith(INTERFACE)
    return is_page and COOKIE not in request.cookies


class OwnWrites:
    """ASGI middleware. The response to any request that may have changed something sets the cookie."""

    def __init__(self, app: ASGIApp, secure: bool) -> None:
        """`secure`: people reach the service over TLS."""
        self._app = app
        self._cookie = _cookie(secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ONLY_READ:
            await self._app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", self._cookie)
            await send(message)

        await self._app(scope, receive, send_marked)


def _cookie(secure: bool) -> str:
    response = Response()
    response.set_cookie(COOKIE, "1", OWN_WRITES_S, httponly=True, samesite="lax", secure=secure)
    return response.headers["set-cookie"]
