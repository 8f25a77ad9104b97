"""One letter, or one push message, through apprise. Blocks for as long as the other side takes."""

from urllib.parse import quote

import apprise

TITLE = "Chargekeeper"


class NotDelivered(Exception):
    """Why not, in a few words without the target or its secrets."""


def send_mail(server: str | None, address: str | None, words: str) -> None:
    """`server` is the operator's, as apprise writes it (settings.mail). Raises NotDelivered."""
    if server is None or address is None:
        raise NotDelivered("there is no mail server, or no address")
    joint = "&" if "?" in server else "?"
    notify(f"{server}{joint}to={quote(address, safe='')}", words)


def notify(target: str, words: str) -> None:
    """Raises NotDelivered."""
    service = apprise.Apprise()
    if not service.add(target) or not service.notify(body=words, title=TITLE):
        raise NotDelivered("the service refused it")
