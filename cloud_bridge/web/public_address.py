"""The address under which people reach the pages: CHARGEKEEPER_PUBLIC_URL, and nothing that a request says.

A proxy may serve the pages below a path, https://example.org/chargers. Inside, there is no such path: routes, templates and
redirects are written as if the pages began at "/". PublicAddress takes the path off a request, whether the proxy has left
it there or not, and puts it before what goes out in a header; `below` does the same for the links of a page.

The Host header is replaced before anything reads it, and so is the scheme: who sends a request chooses neither where our
links lead nor whether a cookie may cross the network in clear text. Where no public address is set there is nothing to put
in its place, and no link is made of it either: within the pages all links are paths, and letters lead to this machine.

Where people reach us over TLS, browsers are told to do so always, and our cookies get the prefix that makes a browser hold
that they came over TLS and from this host (RFC 6265bis, 4.1.3): a neighbour below the same domain can plant none. Inside, they
have their names without it.
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
COOKIES = "chargekeeper_"  # how the names of ours begin
HSTS = "max-age=31536000"  # a year (RFC 6797)
LED_BY = {"location": "", "hx-redirect": "", "link": "<"}  # headers whose value is a path of ours, after that
_LINK = re.compile(r'(\s(?:href|src|action|formaction|hx-[a-z:-]+)=")/(?!/)')
_COOKIE_PATH = re.compile(r"(; path=)/(?=;|$)", re.IGNORECASE)


class Address(NamedTuple):
    """The parts of the public address."""

    url: str  # whole, without a slash at its end
    scheme: str
    netloc: str  # as in a Host header
    host: str
    port: int
    root: str  # the path below which the pages lie: "" or "/chargers"

    @property
    def cookie_prefix(self) -> str:
        """Of the names of our cookies, outside. "__Host-" is refused by browsers below a path."""
        if self.scheme == "http":
            return ""
        return "__Secure-" if self.root else "__Host-"


@lru_cache(maxsize=8)
def parse(url: str) -> Address:
    """`url` as settings.py has checked it."""
    parts = urlsplit(url)
    return Address(
        url, parts.scheme, parts.netloc, parts.hostname or "", parts.port or PORTS[parts.scheme], parts.path.rstrip("/")
    )


def address_of(request: HTTPConnection) -> Address:
    """Of the running bridge."""
    return _address(request.scope)


def below(root: str, html: str) -> str:
    """The page with `root` before every link to a path of ours.

    What people have written cannot look like an attribute: its quotation marks are escaped.
    """
    return _LINK.sub(rf"\g<1>{root}/", html) if root else html


class PublicAddress:
    """ASGI middleware, outside all others."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = _address(scope)
        if address.root and scope["path"] == address.root:  # beside the pages, where relative links would go astray
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
    """The request as the routes see it."""
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
    """A Cookie header as it is inside: ours without the prefix, and none in their names that came without it."""
    kept = []
    for cookie in header.decode("latin-1").split(";"):
        cookie = cookie.strip()
        if cookie.startswith(prefix + COOKIES):
            kept.append(cookie.removeprefix(prefix))
        elif not cookie.startswith(COOKIES):
            kept.append(cookie)
    return "; ".join(kept).encode("latin-1")


def _outside(address: Address, headers: MutableHeaders) -> None:
    """What goes out in headers, as the world sees it."""
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
