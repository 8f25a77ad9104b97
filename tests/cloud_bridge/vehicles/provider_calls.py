"""A provider's server, simulated by a list of answers."""

import json
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from cloud_bridge.vehicles.providers.calls import Bounded


class Wire:
    """Returns the answers in order and records the requests. An answer is (status, body), or also headers."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[httpx2.Request] = []
        self._answers = list(answers)
        self.transport = Bounded(httpx2.MockTransport(self._answer))

    def form(self, at: int = -1) -> dict[str, str]:
        """Return the form of a request."""
        return dict(parse_qsl(self.asked[at].content.decode()))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx2.Response(status, content=content, headers=headers[0] if headers else None)
