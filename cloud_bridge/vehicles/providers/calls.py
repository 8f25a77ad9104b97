"""HTTP calls to a provider with bounds on time, size and redirects. The result is a JSON object or ProviderError."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from cloud_bridge.vehicles.providers.answers import decoded_object, is_broken
from cloud_bridge.vehicles.providers.provider import ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble, unknown_answer

STEP_S = 8.0  # to connect, and between two chunks of a response
TOTAL_S = 20.0  # for the whole response
MAX_BYTES = 1024 * 1024
MAX_WAIT_MS = 24 * 3600 * 1000  # longest Retry-After that is honoured
MAX_DIGITS = 9  # in a Retry-After; Python converts no more than 4300


class Bounded(httpx2.BaseTransport):
    """A transport that reads the whole response within TOTAL_S and MAX_BYTES; httpx limits only the time between two
    chunks."""

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
    """A successful response with a JSON object."""

    body: dict[str, Any]
    headers: httpx2.Headers


Explain = Callable[[int, dict[str, Any]], tuple[Trouble, str]]  # status, body -> trouble, advice for the driver


def ask(
    transport: httpx2.BaseTransport, method: str, url: str, access_token: str, explain: Explain, **parts: Any
) -> Answer:
    """Make one call with the access token. `explain` interprets errors. Blocks for at most TOTAL_S. Raises ProviderError."""
    client = httpx2.Client(transport=transport, **CLIENT)
    headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"} | parts.pop("headers", {})
    try:
        response = client.request(method, url, headers=headers, **parts)
    except httpx2.HTTPError as error:
        raise unreachable(error) from error
    body = decoded_object(response.content) if response.content else {}
    if response.is_success and body is not None and not _reports_error(body):
        return Answer(body, response.headers)
    trouble, advice = _explained(response, body, explain)
    words = f"HTTP {response.status_code}" + ("" if body is not None else " without a JSON object")
    raise ProviderError(trouble, words, advice, retry_after_ms(response.headers.get("Retry-After")))


def _reports_error(body: dict[str, Any]) -> bool:
    """Return True if the body reports an error although the status is a success."""
    return bool(body.get("error") or body.get("errors"))


def _explained(response: httpx2.Response, body: dict[str, Any] | None, explain: Explain) -> tuple[Trouble, str]:
    """Interpret an error. A response that is not JSON has only its status, and of these only 401 is reliable: an error page
    with 404 comes from a proxy, and does not mean that a vehicle is gone."""
    if body is None and (response.is_success or is_broken(response.content)):
        return Trouble.OUTAGE, ""
    if body is None and response.status_code != 401:
        return unknown_answer(response.status_code), ""
    trouble, advice = explain(response.status_code, body or {})
    if response.is_success and trouble is Trouble.OUTAGE:
        trouble = Trouble.UNEXPLAINED
    return trouble, advice


def unreachable(error: Exception) -> ProviderError:
    """Return the error of a call without a response. It has only the exception's type, because the text may contain an address
    with a token."""
    return ProviderError(Trouble.OUTAGE, type(error).__name__)


def retry_after_ms(value: str | None) -> int | None:
    """Convert Retry-After from seconds, which all providers here use, to milliseconds, at most MAX_WAIT_MS. Return None for a
    date or an invalid value."""
    if value is None or not value.isascii() or not value.isdigit():
        return None
    return min(int(value[:MAX_DIGITS]) * 1000, MAX_WAIT_MS)
