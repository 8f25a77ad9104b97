"""Calls to a provider, with a bound on everything: time, size, redirects. What comes back is JSON or an error."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from cloud_bridge.vehicles.providers.provider import ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble

STEP_S = 8.0  # to connect, and between two pieces of an answer
TOTAL_S = 20.0  # for the whole answer
MAX_BYTES = 1024 * 1024
MAX_WAIT_MS = 24 * 3600 * 1000  # of a Retry-After that we believe


class Bounded(httpx2.BaseTransport):
    """Reads the whole answer here, so that none is endless; httpx only bounds the time between two pieces."""

    def __init__(self, inner: httpx2.BaseTransport | None = None) -> None:
        self._inner = inner or httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        until_s = time.monotonic() + TOTAL_S
        request.headers["Accept-Encoding"] = "identity"
        response = self._inner.handle_request(request)
        body = bytearray()
        try:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise httpx2.ReadError("a compressed answer, which was not asked for")
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MAX_BYTES:
                    raise httpx2.ReadError(f"an answer longer than {MAX_BYTES} bytes")
                if time.monotonic() > until_s:
                    raise httpx2.ReadTimeout(f"an answer that took longer than {TOTAL_S} s")
        finally:
            response.close()
        return httpx2.Response(response.status_code, headers=response.headers, content=bytes(body), request=request)

    def close(self) -> None:
        self._inner.close()


CLIENT: dict[str, Any] = {"timeout": STEP_S, "follow_redirects": False, "trust_env": False}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is JSON of an object."""

    body: dict[str, Any]
    headers: httpx2.Headers


Explain = Callable[[int, dict[str, Any]], tuple[Trouble, str]]  # status, body -> trouble, advice for the driver


def ask(
    transport: httpx2.BaseTransport, method: str, url: str, access_token: str, explain: Explain, **parts: Any
) -> Answer:
    """One call with the access token. Raises ProviderError."""
    client = httpx2.Client(transport=transport, **CLIENT)
    headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"} | parts.pop("headers", {})
    try:
        response = client.request(method, url, headers=headers, **parts)
    except httpx2.HTTPError as error:
        raise unreachable(error) from error
    body = _object(response)
    if response.is_success and body is not None:
        return Answer(body, response.headers)
    trouble, advice = explain(response.status_code, body or {}) if not response.is_success else (Trouble.OUTAGE, "")
    said = f"HTTP {response.status_code}" + ("" if body is not None else " that is no JSON")
    raise ProviderError(trouble, said, advice, retry_after_ms(response.headers.get("Retry-After")))


def unreachable(error: Exception) -> ProviderError:
    """No answer at all. Only the kind of error is told: its text may hold an address with a token in it."""
    return ProviderError(Trouble.OUTAGE, type(error).__name__)


def retry_after_ms(value: str | None) -> int | None:
    """Seconds, as all providers here send it; a date or nonsense is None."""
    if value is None or not value.isascii() or not value.isdigit():
        return None
    return min(int(value) * 1000, MAX_WAIT_MS)


def _object(response: httpx2.Response) -> dict[str, Any] | None:
    if not response.content and response.is_success:
        return {}
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
