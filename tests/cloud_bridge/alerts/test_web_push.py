"""Can only the browser decrypt its messages, and can a hostile subscription address no other host?"""

import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from ssl import SSLSocket
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from py_vapid import Vapid02

from cloud_bridge.alerts.errors import NotDelivered, ReceiverGone
from cloud_bridge.alerts.push_key import FILE_NAME, KeyUnusable, PushKey
from cloud_bridge.alerts.web_push import (
    MAX_ENDPOINT,
    PADDED_BYTES,
    Notice,
    _message,
    _padded,
    checked_target,
    push_request,
    send,
)
from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.errors import BridgeError
from tests.cloud_bridge.alerts.browsers import PushedBrowser, base64url, from_base64url
from tests.cloud_bridge.alerts.receivers import Receiver, Street
from tests.cloud_bridge.running import START_MS

NOTICE = Notice("The garage is back: we hear from it again.", "/charge-points/cp-1", "contact cp-1")
BROWSER = PushedBrowser()


@pytest.fixture
def key(tmp_path: Path) -> PushKey:
    return PushKey(tmp_path / "data", "mailto:ann@example.org")


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    street = Street(tmp_path, monkeypatch)
    yield street
    street.close()


def answering(head: bytes) -> Any:
    def behave(receiver: Receiver, connection: SSLSocket) -> None:
        receiver.answers()
        connection.sendall(head + b"Content-Length: 0\r\n\r\n")

    return behave


def test_the_library_encrypts_as_the_appendix_of_rfc_8291() -> None:
    sender = ec.derive_private_key(
        int.from_bytes(from_base64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), ec.SECP256R1()
    )
    body = http_ece.encrypt(
        b"When I grow up, I want to be a watermelon",
        salt=from_base64url("DGv6ra1nlYgDCS1FRnbzlw"),
        private_key=sender,
        dh=from_base64url("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        auth_secret=from_base64url("BTBZMqHH6r4Tts7J_aSIgg"),
        version="aes128gcm",
    )
    assert base64url(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A"
        "_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_does_a_message_arrive_that_only_the_browser_can_read(key: PushKey, street: Street) -> None:
    receiver = street.receiver()
    browser = PushedBrowser(f"https://hooks.example:{receiver.port}/push/abc")
    send(key, browser.target, NOTICE, START_MS)
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    assert browser.reads(body) == {
        "title": "Chargekeeper",
        "body": NOTICE.words,
        "path": NOTICE.path,
        "tag": NOTICE.tag,
    }
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert first == "POST /push/abc HTTP/1.1"
    assert (headers["Content-Encoding"], headers["TTL"], len(headers["Topic"])) == ("aes128gcm", "86400", 32)
    assert b"garage" not in receiver.requests[0]
    assert b"cp-1" not in receiver.requests[0]
    assert Vapid02.verify(headers["Authorization"])
    token = headers["Authorization"].split("t=")[1].split(",")[0]
    claims = json.loads(from_base64url(token.split(".")[1]))
    expected = {"aud": f"https://hooks.example:{receiver.port}", "exp": START_MS // 1000 + 12 * 3600}
    assert claims == expected | {"sub": "mailto:ann@example.org"}


def test_no_two_messages_are_encrypted_alike(key: PushKey) -> None:
    first, second = (push_request(key, BROWSER.target, NOTICE, START_MS).body for _ in range(2))
    assert first[:16] != second[:16], "the salt"
    assert first[21:86] != second[21:86], "the key"


@given(st.text(max_size=3000))
def test_is_every_message_of_the_same_length(words: str) -> None:
    with_surrogates_gone = words.encode(errors="ignore").decode()
    notice = NOTICE._replace(words=with_surrogates_gone)
    padded = _padded(notice)
    assert len(padded) == PADDED_BYTES
    told = json.loads(padded)["body"]
    assert told == notice.words or (told.endswith("…") and notice.words.startswith(told[:-1]))
    assert len(_message(notice, "")) < PADDED_BYTES


@pytest.mark.parametrize("status", [404, 410])
def test_is_a_browser_that_is_gone_told_from_one_that_is_busy(key: PushKey, street: Street, status: int) -> None:
    receiver = street.receiver(answering(b"HTTP/1.1 %d No\r\n" % status))
    with pytest.raises(ReceiverGone):
        send(key, PushedBrowser(f"https://hooks.example:{receiver.port}/x").target, NOTICE, START_MS)


@pytest.mark.parametrize(
    ("said", "wait_ms"),
    [
        (b"Retry-After: 600\r\n", 10 * MINUTE_MS),
        (b"Retry-After: 999999999\r\n", 6 * HOUR_MS),
        (b"Retry-After: 9999999999999999999\r\n", 0),
        (b"Retry-After: -1\r\n", 0),
        (b"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", 0),
        (b"", 0),
    ],
)
def test_how_long_does_a_busy_service_want_to_be_left_alone(
    key: PushKey, street: Street, said: bytes, wait_ms: int
) -> None:
    receiver = street.receiver(answering(b"HTTP/1.1 429 Busy\r\n" + said))
    with pytest.raises(NotDelivered) as refused:
        send(key, PushedBrowser(f"https://hooks.example:{receiver.port}/x").target, NOTICE, START_MS)
    assert (refused.value.status, refused.value.retry_after_ms) == (429, wait_ms)
    assert not isinstance(refused.value, ReceiverGone)


@pytest.mark.parametrize(
    "endpoint",
    [
        *(
            "http://push.example/x",
            "https://127.0.0.1/x",
            "https://localhost/x",
            "https://[::1]/x",
            "https://10.0.0.1/",
        ),
        *(
            "https://[2001:4860:4860::8888]/x",
            "https://169.254.169.254/latest",
            "https://push/x",
            "https://2130706433/x",
        ),
        *("https://user@push.example/", "https://push.example\\@10.0.0.1/", "https://push.example/x\r\nX-Evil: 1"),
        *("https://push.example/é", "https://push.example/ x", "//push.example/x", "", "https://push.example:99999/x"),
        "https://push.example/" + "x" * MAX_ENDPOINT,
    ],
)
def test_a_hostile_endpoint_is_never_taken(endpoint: str) -> None:
    with pytest.raises(BridgeError):
        checked_target(endpoint, BROWSER.fields["p256dh"], BROWSER.fields["auth"])


@pytest.mark.parametrize(
    "change",
    [
        {"p256dh": ""},
        {"p256dh": base64url(b"\x04" + b"\x01" * 64)},  # not on the curve
        {"p256dh": base64url(b"\x00" * 65)},
        {"p256dh": BROWSER.fields["p256dh"] + "="},
        {"p256dh": "é" * 87},
        {"auth": ""},
        {"auth": "A" * 23},
        {"auth": base64url(bytes(15))},
        {"auth": "!" * 22},
        {"auth": "A" * 21 + "B"},  # bits beyond the 16 bytes
    ],
)
def test_keys_that_are_none_are_never_taken(change: dict[str, str]) -> None:
    with pytest.raises(BridgeError, match="keys cannot be used"):
        checked_target(**(BROWSER.fields | change))


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with ThreadPoolExecutor(4) as threads:
        made = set(threads.map(lambda _: PushKey(folder, "mailto:a@b.example").public(), range(8)))
    assert made == {PushKey(folder, "mailto:a@b.example").public()}
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert len(from_base64url(made.pop())) == 65


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_cannot_be_used_is_never_replaced(tmp_path: Path, content: bytes) -> None:
    """Browsers could not use a new key, and the old one may be restored."""
    (tmp_path / FILE_NAME).write_bytes(content)
    key = PushKey(tmp_path, "mailto:a@b.example")
    with pytest.raises(KeyUnusable):
        key.public()
    with pytest.raises(NotDelivered, match="the key for Web Push cannot be used"):
        send(key, BROWSER.target, NOTICE, START_MS)
    assert (tmp_path / FILE_NAME).read_bytes() == content
