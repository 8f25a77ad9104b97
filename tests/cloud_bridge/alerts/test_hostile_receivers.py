"""Does one delivery end in its time, and call nobody else, whatever the receiver does? Real sockets, a short deadline."""

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

WITHIN_S = 0.5
NOISE_S = 10.0  # of a machine with other work; without the deadline it is never


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    monkeypatch.setattr(https_post, "DELIVER_WITHIN_S", WITHIN_S)
    street = Street(tmp_path, monkeypatch)
    yield street
    street.close()


def request_to(port: int) -> Request:
    return Request("hooks.example", port, "/", "application/json", b"{}")


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (receivers.slow, "ReadTimeout"),
        (receivers.dripping, "ReadTimeout"),
        (receivers.informing, "ReadTimeout"),
        (receivers.endless_head, "RemoteProtocolError"),
        (receivers.closing, "RemoteProtocolError|ReadError"),
        (receivers.nonsense, "RemoteProtocolError"),
    ],
)
def test_a_hostile_receiver_is_left_in_time(street: Street, behave: Behaviour, reason: str) -> None:
    receiver = street.receiver(behave)
    began_s = time.monotonic()
    with pytest.raises(NotDelivered, match=reason):
        post(request_to(receiver.port))
    assert time.monotonic() - began_s < WITHIN_S + NOISE_S
    assert len(receiver.requests) == 1


def test_a_huge_answer_is_not_read(street: Street) -> None:
    receiver = street.receiver(receivers.endless_body)
    began_s = time.monotonic()
    post(request_to(receiver.port))
    assert time.monotonic() - began_s < WITHIN_S + NOISE_S


def test_a_redirect_is_not_followed(street: Street) -> None:
    inside = street.receiver()
    outside = street.receiver(receivers.redirecting(inside.port))
    with pytest.raises(NotDelivered, match="it answered 307"):
        post(request_to(outside.port))
    assert inside.requests == []
    assert street.lookups == ["hooks.example"]


def test_one_that_accepts_and_never_shakes_hands_is_left_in_time(street: Street) -> None:
    with socket.create_server((receivers.HERE, 0)) as silent:
        began_s = time.monotonic()
        with pytest.raises(NotDelivered, match="ConnectTimeout|ReadTimeout"):
            post(request_to(silent.getsockname()[1]))
        assert time.monotonic() - began_s < WITHIN_S + NOISE_S
