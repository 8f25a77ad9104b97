"""Who asks to be let in, of the request that opens a WebSocket: its path, its Basic authentication, its subprotocols. Pure.

What installers type differs from charger to charger: some append a slash or the id once more, and some send their key as the
hexadecimal digits in which OCPP carries it (AuthorizationKey) and others as the bytes that these are. So a secret is compared
in both forms. A charger that cannot be right is refused with a reason that its installer can act on.

A client certificate (security profile 3) is checked by the proxy in front, which tells its subject (certificate_subject.py).
One in the name of the charger is its proof, with a password or without; one in another name is refused whatever else is sent.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.ingest.ocpp.certificate_subject import common_name
from cloud_bridge.ingest.ocpp.identity import decoded, read_identity, unit_id_of, why_not
from cloud_bridge.words import N_

MAX_SECRET = 128  # characters
KEY_DIGITS = range(32, 41)  # hexadecimal, of an AuthorizationKey

NO_PASSWORD = N_("it sent no password (Basic authentication, security profile 1 or 2)")
OTHER_USER = N_("its user name is not its id")
OTHER_CERTIFICATE = N_("the common name (CN) of its client certificate is not its id")
NO_SUBPROTOCOL = N_("it offers neither the subprotocol ocpp1.6 nor ocpp2.0.1 (OCPP-J)")
WRONG_SECRET = N_("its password is not the secret of this charger")
NOT_OURS = N_("no charger of this id speaks OCPP here")
TRY_AGAIN = N_("we could not check its password: our database is away")
BUSY = N_("too many chargers log in at once")
TOO_MUCH = N_("it sends too many messages")


class Knock(NamedTuple):
    """Somebody who says who he is, and shows a secret in one form or several, or a certificate."""

    unit_id: str
    secrets: tuple[str, ...]
    is_certified: bool = False


class Refused(NamedTuple):
    status: HTTPStatus
    reason: str
    unit_id: str | None = None  # whom it was said to be
    called: str = ""  # what it calls itself, where no unit can have that identity


def read_knock(path: str, authorization: Iterable[str], subjects: Iterable[str] = ()) -> Knock | Refused:
    """`authorization` are the values of the header of that name, and `subjects` of the one in which a proxy of ours tells of a
    client certificate: empty, or none, without one. Never raises."""
    credentials = _basic(authorization)
    identity = read_identity(path, None if credentials is None else credentials[0])
    reason = why_not(identity)
    if reason is not None:
        return Refused(HTTPStatus.NOT_FOUND, reason, called=identity)
    unit_id = _unit_id(identity)
    shown = [one for one in subjects if one]
    if shown:
        if [common_name(one) for one in shown] != [identity]:
            return Refused(HTTPStatus.UNAUTHORIZED, OTHER_CERTIFICATE, unit_id)
        return Knock(unit_id, (), is_certified=True)
    if credentials is None:
        return Refused(HTTPStatus.UNAUTHORIZED, NO_PASSWORD, unit_id)
    user, password = credentials
    if not _is_of(user, unit_id) and not _is_of(decoded(user), unit_id):
        return Refused(HTTPStatus.UNAUTHORIZED, OTHER_USER, unit_id)
    return Knock(unit_id, _forms(password))


def offered(values: Iterable[str]) -> list[str]:
    """The subprotocols, of the headers that name them."""
    return [one.strip() for value in values for one in value.split(",")]


def _is_of(user: str, unit_id: str) -> bool:
    """Whether it is the identity of the unit, or its id."""
    return why_not(user) is None and _unit_id(user) == unit_id


def _unit_id(identity: str) -> str:
    """Our own canary is no unit, and its name no identity of one."""
    return identity if identity == CANARY_ID else unit_id_of(identity)


def _basic(authorization: Iterable[str]) -> tuple[str, bytes] | None:
    """The user name, and the password as it was sent; None where there is none that can be read."""
    values = list(authorization)
    scheme, _, encoded = values[0].strip().partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = b64decode(encoded.strip(), validate=True).partition(b":")
        return (_as_text(user), password) if colon and 0 < len(password) <= MAX_SECRET else None
    except (binascii.Error, ValueError):
        return None


def _forms(password: bytes) -> tuple[str, ...]:
    """It is bytes and no text (ChargeTimeEU/Java-OCA-OCPP#163)."""
    sent = _as_text(password)
    if len(sent) in KEY_DIGITS and len(sent) % 2 == 0:
        try:
            return sent, _as_text(bytes.fromhex(sent))
        except ValueError:
            pass
    return (sent,)


def _as_text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
