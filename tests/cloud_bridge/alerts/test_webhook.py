"""Does a webhook reach its receiver with a proof that it was us, and never into our own network?"""

import hashlib
import hmac
import json
import socket
from typing import Any

import httpx2
import pytest

from cloud_bridge.alerts.mail import NotDelivered
from cloud_bridge.alerts.webhook import post, public_address, signature

PUBLIC, INSIDE = "93.184.216.34", "10.0.0.1"


class Receiver(httpx2.BaseTransport):
    """Answers with a status, and keeps what it was asked."""

    def __init__(self, status: int = 204) -> None:
        self.asked: list[httpx2.Request] = []
        self._status = status

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return httpx2.Response(self._status, headers={"Location": "https://10.0.0.1/"})


def resolves(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """One answer of the name server after the other."""
    left = iter(answers)

    def getaddrinfo(host: str, port: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in next(left)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_a_signature_proves_time_and_body() -> None:
    body = json.dumps({"id": 1}).encode()
    proof = hmac.new(b"key", b"1767225600." + body, hashlib.sha256).hexdigest()
    assert signature("key", body, 1_767_225_600) == f"t=1767225600,v1={proof}"


def test_it_goes_to_the_address_that_was_checked_under_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second answer, which DNS rebinding would give, is never asked for."""
    resolves(monkeypatch, [PUBLIC], [INSIDE])
    receiver = Receiver()
    post("https://hooks.example:8443/a?b", "key", {"id": 1}, 0, receiver)
    (asked,) = receiver.asked
    assert str(asked.url) == f"https://{PUBLIC}:8443/a?b"
    assert asked.headers["Host"] == "hooks.example:8443"
    assert asked.extensions["sni_hostname"] == "hooks.example", "whose certificate it has to be"
    assert asked.headers["Chargekeeper-Signature"] == signature("key", b'{"id":1}', 0)


def test_a_name_with_one_address_inside_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, [PUBLIC, INSIDE])
    receiver = Receiver()
    with pytest.raises(NotDelivered, match="not on the internet"):
        post("https://hooks.example/", "key", {}, 0, receiver)
    assert receiver.asked == []


@pytest.mark.parametrize("status", [302, 404, 500])
def test_only_2xx_is_delivered_and_no_redirect_is_followed(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    resolves(monkeypatch, [PUBLIC])
    receiver = Receiver(status)
    with pytest.raises(NotDelivered, match=f"it answered {status}"):
        post("https://hooks.example/", "key", {}, 0, receiver)
    assert len(receiver.asked) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", INSIDE, "169.254.169.254", "[::1]", "0.0.0.0", "a..b"])
def test_a_webhook_never_reaches_into_our_own_network(host: str) -> None:
    assert public_address(host.strip("[]")) is None
    with pytest.raises(NotDelivered):
        post(f"https://{host}/", "key", {}, 0)
