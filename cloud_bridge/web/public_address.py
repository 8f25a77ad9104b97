"""The address under which people reach the pages: always CHARGEKEEPER_PUBLIC_URL, never what a request says.

A proxy may serve the pages below a path, such as https://example.org/chargers. Internally this path does not exist: routes,
templates and redirects assume that the pages start at "/". PublicAddress removes the path from a request, if the proxy has
left it there, and adds it to paths in response headers; `below` adds it to the links of a page.

The Host header and the scheme are replaced before anything reads them. A client therefore controls neither where our links
lead nor whether a cookie may be sent in clear text. Without a public address there is no replacement, and no links are made
from the Host header either: all links within the pages are paths, and links in letters lead to this machine.

If people reach the service over TLS, browsers are told to use TLS always (HSTS), and our cookies get a prefix that makes
browsers accept them only over TLS and from this host (RFC 6265bis, 4.1.3), so a neighbouring host below the same domain cannot
set them. Internally the cookies have their names without the prefix.
"""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_bridge.app_state import AppState
from cloud_bridge.settings import Settings

PORTS = {"http": 80, "https": 443}
COOKIES = "chargekeeper_"  # prefix of the names of our cookies
HSTS = "max-age=31536000"  # one year (RFC 6797)
LED_BY = {"location": "", "hx-redirect": "", "link": "<"}  # headers with a path of ours, and what precedes the path
_LINK = re.compile(r'(\s(?:href|src|action|formaction|hx-[a-z:-]+)=")/(?!/)')
_COOKIE_PATH = re.compile(r"(; path=)/(?=;|$)", re.IGNORECASE)


class Address(NamedTuple):
    """The parts of the public address."""

    url: str  # whole, without a trailing slash
    scheme: str
    netloc: str  # as in a Host header
    host: str
    port: int
    root: str  # path below which the pages are: "" or "/chargers"

    @property
    def cookie_prefix(self) -> str:
        """Prefix of our cookies' names outside. Browsers refuse "__Host-" below a path."""
        if self.scheme == "http":
            return ""
        return "__Secure-" if self.root else "__Host-"


@lru_cache(maxsize=8)
def parse(url: str) -> Address:
    """Parse a URL that settings.py has validated."""
    parts = urlsplit(url)
    return Address(
        url, parts.scheme, parts.netloc, parts.hostname or "", parts.port or PORTS[parts.scheme], parts.path.rstrip("/")
    )


def address_of(request: HTTPConnection) -> Address:
    """Return the public address of the running bridge."""
    return _address(request.scope)


def below(root: str, html: str) -> str:
    """Return the page with `root` in front of every link to a path of ours.

    Text written by people cannot be mistaken for an attribute, because its quotation marks are escaped.
    """
    return _LINK.sub(rf"\g<1>{root}/", html) if root else html


class PublicAddress:
    """ASGI middleware, outside all others but HeadAsGet."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = _address(scope)
        if address.root and scope["path"] == address.root:  # relative links would be resolved against the parent path
            await RedirectResponse(address.root + "/", 308)(scope, receive, send)
            return

        async def send_outside(message: Message) -> None:
            if message["type"] == "http.response.start":
                _outside(address, MutableHeaders(scope=message))
            await send(message)

        await self._app(_inside(scope, address), receive, send_outside)


def _address(scope: Scope) -> Address:
    return parse(_settings(scope).public_address)


def _settings(scope: Scope) -> Settings:
    app_state: AppState = scope["app"].state.bridge
    return app_state.settings


def _inside(scope: Scope, address: Address) -> Scope:
    """Return the request's scope as the routes see it."""
    inside = dict(scope, scheme=address.scheme)
    if _settings(scope).public_url:
        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        inside["headers"] = [*others, (b"host", address.netloc.encode())]
        inside["server"] = (address.host, address.port)
    if address.cookie_prefix:
        inside["headers"] = [
            (name, _own_cookies(value, address.cookie_prefix) if name == b"cookie" else value)
            for name, value in inside["headers"]
        ]
    if address.root and scope["path"].startswith(address.root + "/"):
        inside["path"] = scope["path"][len(address.root) :]
        inside["raw_path"] = scope.get("raw_path", b"").removeprefix(address.root.encode())
    return inside


def _own_cookies(header: bytes, prefix: str) -> bytes:
    """Convert a Cookie header to internal names: remove our prefix, and drop cookies that have our internal names without
    it."""
    kept = []
    for cookie in header.decode("latin-1").split(";"):
        cookie = cookie.strip()
        if cookie.startswith(prefix + COOKIES):
            kept.append(cookie.removeprefix(prefix))
        elif not cookie.startswith(COOKIES):
            kept.append(cookie)
    return "; ".join(kept).encode("latin-1")


def _outside(address: Address, headers: MutableHeaders) -> None:
    """Convert response headers for the outside."""
    if address.scheme == "https":
        headers["Strict-Transport-Security"] = HSTS
    for name, before in LED_BY.items() if address.root else ():
        path = headers.get(name, "").removeprefix(before)
        if path.startswith("/") and not path.startswith("//"):
            headers[name] = before + address.root + path
    headers.raw[:] = [
        (name, _cookie_outside(address, value.decode("latin-1")).encode("latin-1") if name == b"set-cookie" else value)
        for name, value in headers.raw
    ]


def _cookie_outside(address: Address, cookie: str) -> str:
    prefix = address.cookie_prefix if cookie.startswith(COOKIES) else ""
    return prefix + (_COOKIE_PATH.sub(rf"\g<1>{address.root}", cookie) if address.root else cookie)
