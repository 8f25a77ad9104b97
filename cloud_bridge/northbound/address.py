"""The address of a back-end, as an operator types it. It may be inside our own network, so nobody else may set it.
Pure."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from cloud_bridge.errors import BridgeError
from cloud_bridge.ingest.ocpp.identity import encoded

MAX_URL = 300  # characters


def check_url(url: str, is_plain_allowed: bool) -> str:
    """Return the address without a slash at its end. Raises BridgeError, which says what is wrong but never repeats the
    address: it may contain a password."""
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise BridgeError(f"the address of the back-end has at most {MAX_URL} characters of ASCII, and no spaces")
    parts = _split(url)
    if parts is None or parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise BridgeError("the address of the back-end begins with wss:// and a host, or ws:// without TLS")
    if parts.username is not None or parts.password is not None:
        raise BridgeError("leave user and password out of the address: the key comes from standard input")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise BridgeError("the address of the back-end has neither ? nor #")
    if parts.scheme == "ws" and not is_plain_allowed and not _is_this_machine(parts.hostname):
        raise BridgeError("ws:// sends the key in clear text: use wss://, or say --plain")
    return url.rstrip("/")


def host_of(url: str) -> str:
    """Return the host (with the port, if any), to be shown to people."""
    parts = _split(url)
    return "" if parts is None else parts.hostname or ""


def where(url: str, identity: str) -> str:
    """Return the URL that is connected to."""
    return f"{url}/{encoded(identity)}"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
