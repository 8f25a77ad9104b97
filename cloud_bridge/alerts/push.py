"""Sends one message to a push service. Blocks."""

from cloud_bridge.alerts import https_post
from cloud_bridge.alerts.errors import TargetRefused
from cloud_bridge.alerts.services import Via, push_request
from cloud_bridge.errors import BridgeError


def notify(via: Via, target: str, text: str) -> None:
    """Send the text. Raises NotDelivered."""
    try:
        request = push_request(via, target, text)
    except BridgeError as error:
        raise TargetRefused(str(error)) from error
    https_post.post(request)
