"""A webhook is a POST of JSON with `Chargekeeper-Signature: t=<seconds>,v1=<hex>`, where v1 is HMAC-SHA256 with the
subscription's key over `<seconds>.<body>`. Whoever receives it compares that, and turns away what is older than minutes.
"""

import hashlib
import hmac
import ipaddress
import json
import socket
from typing import Any

import httpx2

from cloud_bridge.alerts.mail import NotDelivered

ANSWER_WITHIN_S = 10


class PublicOnly(httpx2.BaseTransport):
    """Asks for the host's addresses once and connects to one that it has seen: a name that leads into our own network
    a moment later (DNS rebinding) leads nowhere. The certificate has to be the name's all the same."""

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        address = public_address(request.url.host)
        if address is None:
            raise NotDelivered("the address is not on the internet")
        request.extensions = {**request.extensions, "sni_hostname": request.url.host}
        request.url = request.url.copy_with(host=address)  # the header Host still says the name
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def post(
    url: str, secret: str, payload: dict[str, Any], now_ms: int, transport: httpx2.BaseTransport | None = None
) -> None:
    """Raises NotDelivered for everything but an answer of 2xx. Follows no redirect, and calls nobody inside."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", "Chargekeeper-Signature": signature(secret, body, now_ms // 1000)}
    public = PublicOnly(transport or httpx2.HTTPTransport())
    try:
        with (
            httpx2.Client(transport=public, timeout=ANSWER_WITHIN_S, trust_env=False) as client,
            client.stream("POST", url, content=body, headers=headers) as answer,  # whose body nobody reads
        ):
            if not answer.is_success:
                raise NotDelivered(f"it answered {answer.status_code}")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise NotDelivered(f"it could not be reached: {type(error).__name__}") from error


def signature(secret: str, body: bytes, at_s: int) -> str:
    proof = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={proof}"


def public_address(host: str) -> str | None:
    """One of the host's addresses; None unless every one of them is on the internet."""
    try:
        found = [str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None)]
    except (OSError, UnicodeError):
        return None
    return found[0] if found and all(ipaddress.ip_address(address).is_global for address in found) else None
