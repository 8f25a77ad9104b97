"""One POST over HTTPS to a host on the internet, with one deadline for all of it. Blocks.

The address is passed to httpcore in parts, so no URL parser is involved. httpcore follows no redirects, ignores proxies in the
environment and stores no cookies. Its timeouts apply to single reads and writes. `_Timed` limits each of them to the rest of
the deadline, so a receiver that sends single bytes gains no time.
"""

import ssl
import time
from collections.abc import Iterable
from functools import cache
from typing import Any

import httpcore2

from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.public_hosts import public_addresses
from cloud_bridge.alerts.services import HTTPS_PORT, Request
from cloud_bridge.store.alerts import LONGEST_WAIT_MS
from cloud_bridge.words import N_

DELIVER_WITHIN_S = 15.0  # from the name lookup to the head of the response
MAX_DIGITS = 9  # in Retry-After

ANSWERED = "it answered "  # followed by the status
UNREACHED = N_("it could not be reached")
_ERRORS = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError)


def post(request: Request) -> None:
    """Send the request. Raises NotDelivered for everything but a 2xx response. The body of the response is not read."""
    backend = _PublicOnly(time.monotonic() + DELIVER_WITHIN_S)
    url = httpcore2.URL(scheme=b"https", host=request.host.encode(), port=request.port, target=request.target.encode())
    headers = [
        ("Host", host_header(request)),
        ("Content-Type", request.content_type),
        ("User-Agent", "Chargekeeper"),
        *request.headers,
    ]
    try:
        with (
            httpcore2.ConnectionPool(tls_context(), max_connections=1, network_backend=backend) as pool,
            pool.stream("POST", url, headers=headers, content=request.body) as answer,
        ):
            if not 200 <= answer.status < 300:
                raise NotDelivered(f"{ANSWERED}{answer.status}", answer.status, _retry_after_ms(answer.headers))
    except _ERRORS as error:
        raise NotDelivered(f"{UNREACHED}: {type(error).__name__}") from error


def _retry_after_ms(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Return Retry-After if it is in seconds (RFC 9110, section 10.2.3); 0 if it is missing or unusable."""
    said = next((value for name, value in headers if name.lower() == b"retry-after"), b"")
    return min(int(said) * 1000, LONGEST_WAIT_MS) if said.isdigit() and len(said) <= MAX_DIGITS else 0


def host_header(request: Request) -> str:
    """Return the Host header (RFC 9110, section 7.2). httpcore's own lacks the brackets around an IPv6 address."""
    host = f"[{request.host}]" if ":" in request.host else request.host
    return host if request.port == HTTPS_PORT else f"{host}:{request.port}"


@cache
def tls_context() -> ssl.SSLContext:
    """Return the TLS context, which verifies the host's certificate with the authorities of this machine."""
    return ssl.create_default_context()


class _PublicOnly(httpcore2.NetworkBackend):
    """Connects only to addresses on the internet, and only until the deadline."""

    def __init__(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        failed: Exception = httpcore2.ConnectError(N_("no address"))
        for address in public_addresses(host, port, _left_s(self._deadline_s)):
            try:
                left_s = _left_s(self._deadline_s)
                return _Timed(
                    self._inner.connect_tcp(address, port, left_s, socket_options=socket_options or ()),
                    self._deadline_s,
                )
            except httpcore2.ConnectError as error:
                failed = error
        raise failed


class _Timed(httpcore2.NetworkStream):
    """A connection whose reads and writes end at the deadline."""

    def __init__(self, inner: httpcore2.NetworkStream, deadline_s: float) -> None:
        self._inner = inner
        self._deadline_s = deadline_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left_s(self._deadline_s))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left_s(self._deadline_s))  # at most the few kilobytes of a payload

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        # CPython's handshake has one deadline for all its packets (_ssl.c, _ssl__SSLSocket_do_handshake_impl).
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, _left_s(self._deadline_s)), self._deadline_s)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left_s(deadline_s: float) -> float:
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise httpcore2.ReadTimeout(N_("the deadline has passed"))
    return left_s
