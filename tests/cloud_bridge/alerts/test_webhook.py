"""Does a webhook carry a proof of sender, time and body?"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.alerts.errors import NotDelivered, TargetRefused
from cloud_bridge.alerts.https_post import host_header
from cloud_bridge.alerts.services import webhook_request
from cloud_bridge.alerts.webhook import post, signature
from tests.cloud_bridge.alerts.receivers import Street


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    street = Street(tmp_path, monkeypatch)
    yield street
    street.close()


def test_a_signature_proves_time_and_body() -> None:
    body = json.dumps({"id": 1}).encode()
    proof = hmac.new(b"key", b"1767225600." + body, hashlib.sha256).hexdigest()
    assert signature("key", body, 1_767_225_600) == f"t=1767225600,v1={proof}"


def test_it_comes_as_it_was_signed(street: Street) -> None:
    receiver = street.receiver()
    post(f"https://hooks.example:{receiver.port}/a?b=c,d", "key", {"id": 1}, 0)
    (request,) = receiver.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a?b=c,d HTTP/1.1"
    assert f"Host: hooks.example:{receiver.port}" in lines
    assert f"Chargekeeper-Signature: {signature('key', body, 0)}" in lines
    assert json.loads(body) == {"id": 1}
    assert street.lookups == ["hooks.example"], (
        "once: a second answer, which DNS rebinding would give, is not asked for"
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://hooks.example/", "hooks.example"),
        ("https://hooks.example:8443/", "hooks.example:8443"),
        ("https://[2606:4700:4700::1111]:8443/", "[2606:4700:4700::1111]:8443"),
    ],
)
def test_the_receiver_reads_its_own_name(url: str, host: str) -> None:
    assert host_header(webhook_request(url, b"", ())) == host


def test_a_certificate_of_another_name_is_refused(street: Street) -> None:
    receiver = street.receiver()
    with pytest.raises(NotDelivered, match="ConnectError"):
        post(f"https://else.example:{receiver.port}/", "key", {}, 0)
    assert receiver.requests == []


@pytest.mark.parametrize("url", ["http://hooks.example/", "https://a@hooks.example/", "json://hooks.example/"])
def test_a_stored_target_that_is_no_webhook_is_not_called(street: Street, url: str) -> None:
    with pytest.raises(TargetRefused):
        post(url, "key", {}, 0)
    assert street.lookups == []
