"""HTTP calls to a provider with bounds on time, size and redirects. The result is a JSON object or ProviderError."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from cloud_bridge.vehicles.providers.answers import decoded_object, is_broken
from cloud_bridge.vehicles.providers.provider import ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble, unknown_answer

STEP_S = 8.0  # to connect, and between two pieces of an answer
TOTAL_S = 20.0  # for the whole answer
MAX_BYTES = 1024 * 1024
MAX_WAIT_MS = 24 * 3600 * 1000  # of a Retry-After that we believe
MAX_DIGITS = 9  # of it; Python converts no more than 4300


class Bounded(httpx2.BaseTransport):
    """A transport that reads the whole answer, within TOTAL_S and MAX_BYTES: httpx bounds only the time between two pieces."""

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
    """One call with the access token. `explain` gives the meaning of an error. Blocks for TOTAL_S. Raises ProviderError."""
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
    """Whether an answer with a status of success is a refusal all the same."""
    return bool(body.get("error") or body.get("errors"))


def _explained(response: httpx2.Response, body: dict[str, Any] | None, explain: Explain) -> tuple[Trouble, str]:
    """An answer that cannot be read tells its status only, and of that only 401 is certain: a page of an error with 404 is
    a proxy's, and not the end of a vehicle."""
    if body is None and (response.is_success or is_broken(response.content)):
        return Trouble.OUTAGE, ""
    if body is None and response.status_code != 401:
        return unknown_answer(response.status_code), ""
    trouble, advice = explain(response.status_code, body or {})
    if response.is_success and trouble is Trouble.OUTAGE:
        trouble = Trouble.UNEXPLAINED
    return trouble, advice


def unreachable(error: Exception) -> ProviderError:
    """The error of a call without an answer. It has the kind of error only: the text may contain an address with a token."""
    return ProviderError(Trouble.OUTAGE, type(error).__name__)


def retry_after_ms(value: str | None) -> int | None:
    """Seconds, as all providers here send it, in milliseconds and at most MAX_WAIT_MS. A date or nonsense is None."""
    if value is None or not value.isascii() or not value.isdigit():
        return None
    return min(int(value[:MAX_DIGITS]) * 1000, MAX_WAIT_MS)
