"""Sends one plain-text letter through the operator's mail server. Blocks for at most MAIL_WITHIN_S."""

import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from threading import Event, Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from cloud_bridge.alerts.errors import NotDelivered, TargetRefused
from cloud_bridge.alerts.services import EMAIL_ADDRESS, TITLE
from cloud_bridge.errors import SettingError
from cloud_bridge.words import N_

MAIL_WITHIN_S = 30.0  # for greeting, TLS, login and letter together
CUT_AGAIN_S = 0.1
SMTPS_PORT = 465
PORTS = {"insecure": 25, "starttls": 587, "ssl": SMTPS_PORT}
FORM = "CHARGEKEEPER_MAIL has to be mailtos://user:password@host, with ?from=address if the user is not an address"


NOT_TAKEN = N_("the mail server did not take it")


class MailServer(NamedTuple):
    """The operator's mail server (settings.mail). `mode` is a key of PORTS."""

    host: str
    port: int
    mode: str
    user: str
    password: str
    sender: str


class Attachment(NamedTuple):
    """A file attached to a letter; text is UTF-8."""

    name: str
    maintype: str
    subtype: str
    content: bytes


def read_server(text: str) -> MailServer:
    """Parse the setting. mailto:// is plaintext; mailtos:// is STARTTLS, or TLS from the first byte on port 465. `mode`, a key
    of PORTS, and `from` may follow as a query. Raises SettingError."""
    try:
        url = urlsplit(text)
        options = dict(parse_qsl(url.query, strict_parsing=bool(url.query)))
        by_scheme = {"mailto": "insecure", "mailtos": "ssl" if url.port == SMTPS_PORT else "starttls"}[url.scheme]
        mode = options.pop("mode", by_scheme)
        port = url.port or PORTS[mode]
    except (KeyError, ValueError) as error:
        raise SettingError(FORM) from error
    host, user = url.hostname or "", unquote(url.username or "")
    sender = options.pop("from", "") or (user if "@" in user else f"{user or 'chargekeeper'}@{host}")
    is_downgrade = by_scheme != "insecure" and mode == "insecure"
    if (
        not host
        or mode not in PORTS
        or options
        or url.path.strip("/")
        or is_downgrade
        or not EMAIL_ADDRESS.fullmatch(sender)
    ):
        raise SettingError(FORM)
    return MailServer(host, port, mode, user, unquote(url.password or ""), sender)


def send_mail(
    server: str | None,
    address: str | None,
    text: str,
    settings_page: str | None = None,
    attachments: Sequence[Attachment] = (),
) -> None:
    """Send a letter to `address` only. `server` is the setting (read_server). `settings_page` is the page where such letters
    can be switched off; mail programs show it. Raises NotDelivered."""
    if server is None or address is None:
        raise NotDelivered(N_("there is no mail server, or no address"))
    if not EMAIL_ADDRESS.fullmatch(address):
        raise TargetRefused(N_("this is no e-mail address"))
    try:
        known = read_server(server)
    except SettingError as error:
        raise NotDelivered(N_("the mail server is not set up")) from error
    letter = _letter(known.sender, address, text, settings_page)
    for one in attachments:
        params = {"charset": "utf-8"} if one.maintype == "text" else None
        letter.add_attachment(one.content, one.maintype, one.subtype, filename=one.name, params=params)
    client = (smtplib.SMTP_SSL if known.mode == "ssl" else smtplib.SMTP)(
        local_hostname=known.sender.rpartition("@")[2], timeout=MAIL_WITHIN_S, **_tls(known)
    )
    ended = Event()
    Thread(target=_cut_at_deadline, args=(client, ended), name="letter", daemon=True).start()
    try:
        _talk(client, known, address, letter.as_bytes())
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotDelivered(f"{NOT_TAKEN}: {type(error).__name__}") from error
    finally:
        ended.set()
        client.close()


def _tls(server: MailServer) -> dict[str, Any]:
    return {"context": ssl.create_default_context()} if server.mode == "ssl" else {}


def _talk(client: smtplib.SMTP, server: MailServer, address: str, letter: bytes) -> None:
    client._host = server.host  # type: ignore[attr-defined]  # whose certificate it has to be; set by the constructor alone
    client.connect(server.host, server.port)
    if server.mode == "starttls":
        client.starttls(context=ssl.create_default_context())
    if server.user and server.password:
        client.login(server.user, server.password)
    client.sendmail(server.sender, [address], letter)
    with suppress(OSError, smtplib.SMTPException):  # the letter is delivered already
        client.quit()


def _letter(sender: str, address: str, text: str, settings_page: str | None) -> EmailMessage:
    letter = EmailMessage(SMTP)
    letter["From"] = sender
    letter["To"] = address
    letter["Subject"] = TITLE
    letter["Date"] = format_datetime(datetime.now(UTC))
    letter["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: suppresses automatic replies
    if settings_page is not None:
        letter["List-Unsubscribe"] = (
            f"<{settings_page}>"  # RFC 2369; the page needs a login, so no one-click unsubscribe
        )
    letter.set_content(text)
    return letter


def _cut_at_deadline(client: smtplib.SMTP, ended: Event) -> None:
    """End the connection at the deadline. smtplib's timeout applies to each read, and a server may send single bytes. The
    connection is shut down repeatedly until the other thread has noticed, because STARTTLS replaces the socket."""
    left = ended.wait(MAIL_WITHIN_S)
    while not left:
        if client.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(client.sock, socket.SHUT_RDWR)
        left = ended.wait(CUT_AGAIN_S)
