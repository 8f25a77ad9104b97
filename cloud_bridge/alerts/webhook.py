"""A webhook is a POST of JSON with `Chargekeeper-Signature: t=<seconds>,v1=<hex>`. v1 is the HMAC-SHA256 of
`<seconds>.<body>`, with the subscription's key. The receiver should verify it, and reject deliveries that are minutes old."""

import hashlib
import hmac
import json
from typing import Any

from cloud_bridge.alerts import https_post
from cloud_bridge.alerts.errors import TargetRefused
from cloud_bridge.alerts.services import webhook_request
from cloud_bridge.errors import BridgeError


def post(url: str, secret: str, payload: dict[str, Any], now_ms: int) -> None:
    """Send the payload. Raises NotDelivered for everything but a 2xx response. Follows no redirects, and connects only to
    hosts on the internet."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    headers = (("Chargekeeper-Signature", signature(secret, body, now_ms // 1000)),)
    try:
        request = webhook_request(url, body, headers)
    except BridgeError as error:
        raise TargetRefused(str(error)) from error
    https_post.post(request)


def signature(secret: str, body: bytes, at_s: int) -> str:
    proof = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={proof}"
