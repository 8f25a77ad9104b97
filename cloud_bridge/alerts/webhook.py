"""A webhook is a POST of JSON with `Chargekeeper-Signature: t=<seconds>,v1=<hex>`, where v1 is HMAC-SHA256 with the
subscription's key over `<seconds>.<body>`. Whoever receives it compares that, and turns away what is older than minutes.
"""

import hashlib
import hmac
import json
from typing import Any

from cloud_bridge.alerts import https_post
from cloud_bridge.alerts.errors import TargetRefused
from cloud_bridge.alerts.services import webhook_request
from cloud_bridge.errors import BridgeError


def post(url: str, secret: str, payload: dict[str, Any], now_ms: int) -> None:
    """Raises NotDelivered for everything but an answer of 2xx. Follows no redirect, and calls nobody inside."""
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
