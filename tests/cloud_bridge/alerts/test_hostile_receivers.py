"""Does a delivery end in time, and reach no other host, whatever the receiver does? Real sockets, a short deadline."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.alerts import https_post
from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.https_post import post
from cloud_bridge.alerts.services import Request
from tests.cloud_bridge.alerts import receivers
from tests.cloud_bridge.alerts.receivers import Behaviour, Street

SHORT_S = 0.5
LONG_S = 60.0  # a deadline that no delivery of these tests reaches
NOISE_S = 10.0  # allowance for a busy machine; without the deadline, the delivery would never end


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    monkeypatch.setattr(https_post, "DELIVER_WITHIN_S", LONG_S)
    street = Street(tmp_path, monkeypatch)
    yield street
    street.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, street: Street) -> None:
    monkeypatch.setattr(https_post, "DELIVER_WITHIN_S", SHORT_S)


def request_to(port: int) -> Request:
    return Request("hooks.example", port, "/", "application/json", b"{}")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("behave", [receivers.slow, receivers.dripping, receivers.informing])
def test_a_receiver_that_does_not_answer_is_left_in_time(street: Street, behave: Behaviour) -> None:
    receiver = street.receiver(behave)
    began_s = time.monotonic()
    with pytest.raises(NotDelivered, match="Timeout"):
        post(request_to(receiver.port))
    assert time.monotonic() - began_s < SHORT_S + NOISE_S
    assert len(receiver.requests) <= 1


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (receivers.endless_head, "RemoteProtocolError"),
        (receivers.closing, "RemoteProtocolError|ReadError"),
        (receivers.nonsense, "RemoteProtocolError"),
    ],
)
def test_an_answer_that_is_none_ends_the_delivery(street: Street, behave: Behaviour, reason: str) -> None:
    receiver = street.receiver(behave)
    with pytest.raises(NotDelivered, match=reason):
        post(request_to(receiver.port))
    assert len(receiver.requests) == 1


def test_a_huge_answer_is_not_read(street: Street) -> None:
    post(request_to(street.receiver(receivers.endless_body).port))


def test_a_redirect_is_not_followed(street: Street) -> None:
    inside = street.receiver()
    outside = street.receiver(receivers.redirecting(inside.port))
    with pytest.raises(NotDelivered, match="it answered 307"):
        post(request_to(outside.port))
    assert inside.requests == []
    assert street.lookups == ["hooks.example"]


@pytest.mark.usefixtures("impatient")
def test_one_that_accepts_and_never_shakes_hands_is_left_in_time(street: Street) -> None:
    with socket.create_server((receivers.HERE, 0)) as silent:
        began_s = time.monotonic()
        with pytest.raises(NotDelivered, match="ConnectTimeout|ReadTimeout"):
            post(request_to(silent.getsockname()[1]))
        assert time.monotonic() - began_s < SHORT_S + NOISE_S
