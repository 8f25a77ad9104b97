"""The services that alerts are sent to: the fields of each form, how they are stored, and the request that is made from them.
Pure.

What a person types has to match one of our patterns as a whole. Only what the pattern captures is stored, and addresses are
built from the stored parts. An account therefore chooses a topic, a chat or a host on the internet, and nothing else of a
request. To add a service, add a member of Via and a row in SERVICES.
"""

import html
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlencode

from cloud_bridge.alerts.public_hosts import is_public
from cloud_bridge.errors import BridgeError
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

NOTHING = re.compile(r"(?!)")  # matches no text
MAX_TARGET = 500  # characters, stored
HTTPS_PORT = 443
TITLE = "Chargekeeper"
JSON = "application/json"
# A dot-atom of RFC 5322 in ASCII: header and envelope parsers cannot read it as two addresses.
EMAIL_ADDRESS = re.compile(
    r"(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?=.{1,180}\Z)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
)


class Via(StrEnum):
    EMAIL = "email"
    WEBHOOK = "webhook"
    DISCORD = "discord"
    PUSHOVER = "pushover"
    SLACK = "slack"
    TELEGRAM = "telegram"
    BROWSER = "browser"  # all browsers in which the person allows it (store/push_browsers.py)
    PUSH = "push"  # a target of an older version that matches none of the services above; nothing is sent to it


class FieldRefused(BridgeError):
    """The text typed in this field does not match the service's format."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


class Request(NamedTuple):
    """A request to a service. `target` is path and query, as in the request line."""

    host: str
    port: int
    target: str
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Field(NamedTuple):
    """One field of a form. What the groups of `pattern` capture is stored."""

    name: str
    label: str
    pattern: re.Pattern[str]
    example: str


class Service(NamedTuple):
    """A service. `stored` matches a stored target, whose parts are separated by spaces. `request` is made from its groups."""

    title: str
    fields: tuple[Field, ...]
    stored: re.Pattern[str] = NOTHING
    request: Callable[[Mapping[str, str], str], Request] | None = None  # of the groups and the text

    def said(self) -> "Service":
        """The service with its texts in the reader's language."""
        fields = (one._replace(label=_(one.label), example=_(one.example)) for one in self.fields)
        return self._replace(title=_(self.title), fields=tuple(fields))


def _json_request(host: str, target: str, content: Mapping[str, Any]) -> Request:
    return Request(host, HTTPS_PORT, target, JSON, json.dumps(content).encode())


def _discord(part: Mapping[str, str], text: str) -> Request:
    """https://discord.com/developers/docs/resources/webhook#execute-webhook"""
    content = {"content": text, "allowed_mentions": {"parse": []}}
    return _json_request("discord.com", f"/api/webhooks/{part['id']}/{part['token']}", content)


def _pushover(part: Mapping[str, str], text: str) -> Request:
    """https://pushover.net/api#messages"""
    form = {"token": part["token"], "user": part["user"], "title": TITLE, "message": text}
    form_type = "application/x-www-form-urlencoded"
    return Request("api.pushover.net", HTTPS_PORT, "/1/messages.json", form_type, urlencode(form).encode())


def _slack(part: Mapping[str, str], text: str) -> Request:
    """https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks; &, < and > are markup there."""
    target = f"/services/{part['team']}/{part['hook']}/{part['token']}"
    return _json_request("hooks.slack.com", target, {"text": html.escape(text, quote=False)})


def _telegram(part: Mapping[str, str], text: str) -> Request:
    """https://core.telegram.org/bots/api#sendmessage; without parse_mode, the text is plain."""
    content = {"chat_id": part["chat"], "text": text}
    return _json_request("api.telegram.org", f"/bot{part['token']}/sendMessage", content)


_DISCORD_ID, _DISCORD_TOKEN = r"[0-9]{17,20}", r"[A-Za-z0-9_-]{60,100}"
_PUSHOVER_KEY = r"[A-Za-z0-9]{30}"
_SLACK_TEAM, _SLACK_HOOK, _SLACK_TOKEN = r"T[A-Z0-9]{6,16}", r"B[A-Z0-9]{6,16}", r"[A-Za-z0-9]{20,40}"
_TELEGRAM_TOKEN, _TELEGRAM_CHAT = r"[0-9]{6,12}:[A-Za-z0-9_-]{30,60}", r"-?[0-9]{1,16}|@[A-Za-z][A-Za-z0-9_]{4,31}"

# RFC 3986 without userinfo and fragment; names as in RFC 1123, internationalised ones in their encoded form (xn--).
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_CHARACTER = r"[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}"
_WEBHOOK = (
    rf"https://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]{{2,45}}\])(?::(?P<port>[1-9][0-9]{{0,4}}))?"
    rf"(?P<target>(?:/(?:{_CHARACTER}|/)*)?(?:\?(?:{_CHARACTER}|[/?])*)?)"
)

SERVICES: dict[Via, Service] = {
    Via.EMAIL: Service(N_("E-mail"), ()),
    Via.BROWSER: Service(N_("My devices"), ()),
    Via.WEBHOOK: Service(
        "Webhook",
        (Field("target", N_("Address"), re.compile(f"({_WEBHOOK})"), "https://hooks.example.org/chargers"),),
        re.compile(_WEBHOOK),
    ),
    Via.DISCORD: Service(
        "Discord",
        (
            Field(
                "address",
                N_("Webhook URL of the channel"),
                re.compile(rf"https://discord(?:app)?\.com/api/webhooks/({_DISCORD_ID})/({_DISCORD_TOKEN})"),
                "https://discord.com/api/webhooks/…/…",
            ),
        ),
        re.compile(rf"(?P<id>{_DISCORD_ID}) (?P<token>{_DISCORD_TOKEN})"),
        _discord,
    ),
    Via.PUSHOVER: Service(
        "Pushover",
        (
            Field("user", N_("User key"), re.compile(rf"({_PUSHOVER_KEY})"), N_("30 letters and digits")),
            Field(
                "token",
                N_("API token of your application"),
                re.compile(rf"({_PUSHOVER_KEY})"),
                N_("30 letters and digits"),
            ),
        ),
        re.compile(rf"(?P<user>{_PUSHOVER_KEY}) (?P<token>{_PUSHOVER_KEY})"),
        _pushover,
    ),
    Via.SLACK: Service(
        "Slack",
        (
            Field(
                "address",
                N_("URL of the incoming webhook"),
                re.compile(rf"https://hooks\.slack\.com/services/({_SLACK_TEAM})/({_SLACK_HOOK})/({_SLACK_TOKEN})"),
                "https://hooks.slack.com/services/T…/B…/…",
            ),
        ),
        re.compile(rf"(?P<team>{_SLACK_TEAM}) (?P<hook>{_SLACK_HOOK}) (?P<token>{_SLACK_TOKEN})"),
        _slack,
    ),
    Via.TELEGRAM: Service(
        "Telegram",
        (
            Field("token", N_("Token of your bot"), re.compile(rf"({_TELEGRAM_TOKEN})"), "123456789:…"),
            Field("chat", N_("Chat ID"), re.compile(rf"({_TELEGRAM_CHAT})"), N_("-1001234567890 or @channel")),
        ),
        re.compile(rf"(?P<token>{_TELEGRAM_TOKEN}) (?P<chat>{_TELEGRAM_CHAT})"),
        _telegram,
    ),
}


def target_of(via: Via, typed: Mapping[str, str]) -> str:
    """Return what is stored of a form. Raises FieldRefused."""
    parts: list[str] = []
    for field in _service(via).fields:
        found = field.pattern.fullmatch(typed.get(field.name, "").strip())
        if found is None:
            raise FieldRefused(field.name, _("this does not look like {example}").format(example=_(field.example)))
        parts += found.groups()[:1] if via is Via.WEBHOOK else found.groups()
    target = " ".join(parts)
    if parts:
        try:
            check_target(via, target)
        except BridgeError as error:
            raise FieldRefused(_service(via).fields[0].name, str(error)) from error
    return target


def check_target(via: Via, target: str) -> None:
    """Raise BridgeError if we do not send to `target`, which has the stored form."""
    service = _service(via)
    if len(target) > MAX_TARGET:
        raise BridgeError(_("this address is too long"))
    if not service.fields:
        if target:
            raise BridgeError(_("e-mail goes to the address of the account, and Web Push to its browsers"))
        return
    found = service.stored.fullmatch(target)
    if found is None:
        raise BridgeError(
            _("this is no {service} address of the form {example}").format(
                service=service.title, example=service.fields[0].example
            )
        )
    if via is Via.WEBHOOK:
        _check_host(found["host"], int(found["port"] or HTTPS_PORT))


def push_request(via: Via, target: str, text: str) -> Request:
    """Make the request. Raises BridgeError for a target that check_target refuses."""
    check_target(via, target)
    service = SERVICES[via]
    found = service.stored.fullmatch(target)
    if found is None or service.request is None:
        raise BridgeError(_("this is no push service"))
    return service.request(found.groupdict(), text)


def webhook_request(target: str, body: bytes, headers: tuple[tuple[str, str], ...]) -> Request:
    """Make the request. Raises BridgeError for a target that check_target refuses."""
    check_target(Via.WEBHOOK, target)
    return https_request(target, JSON, body, headers)


def https_request(url: str, content_type: str, body: bytes, headers: tuple[tuple[str, str], ...]) -> Request:
    """Make a request to an address that somebody else has chosen. Raises BridgeError unless it is HTTPS to a host on the
    internet."""
    found = SERVICES[Via.WEBHOOK].stored.fullmatch(url)
    if found is None:
        raise BridgeError(_("this is no address of the form https://host/path"))
    host, port, path = found["host"], int(found["port"] or HTTPS_PORT), found["target"]
    _check_host(host, port)
    target = path if path.startswith("/") else f"/{path}"
    return Request(host.strip("[]"), port, target, content_type, body, headers)


def shown(via: Via, target: str) -> str:
    """Return the target as its owner sees it. Keys and tokens are shown only by their last characters, like passwords."""
    if via is Via.WEBHOOK:
        return target
    if via is Via.TELEGRAM:
        return target.rpartition(" ")[2]
    return f"…{target[-4:]}" if target else ""


def _service(via: Via) -> Service:
    if via not in SERVICES:
        raise BridgeError(
            _("this address is of an older version and is not used any more: remove it, and add it again")
        )
    return SERVICES[via]


def _check_host(host: str, port: int) -> None:
    """Check the host without a name server; the addresses are checked when the connection is made."""
    inside = BridgeError(_("this address is not on the internet"))
    if port > 0xFFFF:
        raise BridgeError(_("a port is from 1 to 65535"))
    if host.startswith("["):
        if not is_public(host.strip("[]")):
            raise inside
    elif "." not in host:
        raise inside  # localhost, or a name in a local network
    elif re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]*", host.rpartition(".")[2]):  # such a name is a form of IPv4 address
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise inside from None
        if not is_public(host):
            raise inside
