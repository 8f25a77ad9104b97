"""One message to a browser by Web Push (RFC 8030), encrypted for that browser (RFC 8291) and signed by us (RFC 8292). Blocks.

The address of the push service and the browser's keys come from the browser, and so potentially from anybody. They are matched
as a whole when they are received, and the address is called like that of a webhook (https_post.py): only public hosts, over
TLS, without redirects, and with one deadline.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec

from cloud_bridge.alerts import https_post
from cloud_bridge.alerts.errors import NotDelivered, ReceiverGone, TargetRefused
from cloud_bridge.alerts.push_key import KeyUnusable, PushKey
from cloud_bridge.alerts.services import HTTPS_PORT, TITLE, Request, https_request
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.push_browsers import PushTarget
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

MAX_ENDPOINT = 1000  # characters, stored
POINT_BYTES, AUTH_BYTES = 65, 16  # RFC 8291, sections 3.1 and 3.2
PADDED_BYTES = (
    2048  # length of every message, so that its length reveals nothing; push services accept 4096 with the encryption
)
TTL_S = 24 * 3600  # how long the push service stores a message for a phone that is off
SIGNED_FOR_S = 12 * 3600  # RFC 8292, section 2: at most 24 hours
TOPIC_LENGTH = 32  # RFC 8030, section 5.4: characters of base64url
GONE = (404, 410)  # RFC 8030, section 7.3


class Notice(NamedTuple):
    """What the browser shows. `path` is the page of ours that a click opens. A newer message with the same `tag` replaces an
    older one."""

    words: str
    path: str
    tag: str


def checked_target(endpoint: str, p256dh: str, auth: str) -> PushTarget:
    """Return the subscription that a browser sent. Raises BridgeError unless all of it is usable."""
    if len(endpoint) > MAX_ENDPOINT:
        raise BridgeError(_("the address of the push service is too long"))
    request = https_request(endpoint, "", b"", ())
    if ":" in request.host:
        raise BridgeError(_("the address of a push service must have a host name"))
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _decoded(p256dh, POINT_BYTES))
        _decoded(auth, AUTH_BYTES)
    except ValueError as error:
        raise BridgeError(_("the browser's keys cannot be used")) from error
    return PushTarget(request.host, endpoint, p256dh, auth)


def send(key: PushKey, target: PushTarget, notice: Notice, now_ms: int) -> None:
    """Send the message. Raises NotDelivered; ReceiverGone if the browser has ended its subscription."""
    try:
        request = push_request(key, target, notice, now_ms)
    except KeyUnusable as error:
        raise NotDelivered(N_("the key for Web Push cannot be used")) from error
    except BridgeError as error:
        raise TargetRefused(str(error)) from error
    try:
        https_post.post(request)
    except NotDelivered as error:
        if error.status in GONE:
            raise ReceiverGone(N_("the browser is not notified any more")) from error
        raise


def push_request(key: PushKey, target: PushTarget, notice: Notice, now_ms: int) -> Request:
    """Make the request. Raises BridgeError for a target that `checked_target` refuses, and KeyUnusable."""
    checked_target(*target[1:])
    body = http_ece.encrypt(
        _padded(notice),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_decoded(target.p256dh, POINT_BYTES),
        auth_secret=_decoded(target.auth, AUTH_BYTES),
        version="aes128gcm",
    )
    request = https_request(target.endpoint, "application/octet-stream", body, ())
    origin = f"https://{request.host}" + ("" if request.port == HTTPS_PORT else f":{request.port}")
    headers = (
        ("Authorization", key.authorization(origin, now_ms // 1000 + SIGNED_FOR_S)),
        ("Content-Encoding", "aes128gcm"),
        ("TTL", str(TTL_S)),
        ("Topic", hashlib.sha256(notice.tag.encode()).hexdigest()[:TOPIC_LENGTH]),
    )
    return request._replace(headers=headers)


def _padded(notice: Notice) -> bytes:
    """Return the message as JSON, padded with spaces, which JSON ignores. Words that are too long are shortened."""
    words = notice.words
    while len(message := _message(notice, words)) > PADDED_BYTES:
        words = words[:-20]
    return message.ljust(PADDED_BYTES)


def _message(notice: Notice, words: str) -> bytes:
    text = words if words == notice.words else f"{words}…"
    content = {"title": TITLE, "body": text, "path": notice.path, "tag": notice.tag}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _decoded(text: str, length: int) -> bytes:
    """Decode base64url without padding, as browsers write it. Raises ValueError."""
    if not text.isascii() or len(text) != -(-length * 4 // 3):
        raise ValueError("not so many bytes")
    found = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if (
        len(found) != length or urlsafe_b64encode(found).rstrip(b"=") != text.encode()
    ):  # the decoder skips invalid characters
        raise ValueError("not base64url")
    return found
