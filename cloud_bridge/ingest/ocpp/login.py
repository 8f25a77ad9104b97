"""Read the credentials from the request that opens a WebSocket: path, Basic authentication and client certificate.
Pure.

Chargers differ in how they use what an installer types: some append a slash or repeat the id in the URL. Some send
their key as hexadecimal digits, as OCPP transfers it (AuthorizationKey), and others as the decoded bytes. So a secret
is compared in both forms. An invalid request is refused with a reason that the installer can act on.

A client certificate (security profile 3) is verified by the proxy in front, which passes its subject
(certificate_subject.py). If it has the identity of the charger, the charger is authenticated, with or without a
password. A certificate with another name is refused, whatever else is sent.
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
    """The id and credentials of a request: the password in one or two forms, or a verified certificate."""

    unit_id: str
    secrets: tuple[str, ...]
    is_certified: bool = False


class Refused(NamedTuple):
    status: HTTPStatus
    reason: str
    unit_id: str | None = None  # the id in the request, if it is valid
    called: str = ""  # the identity in the request, if it is not valid


def read_knock(path: str, authorization: Iterable[str], subjects: Iterable[str] = ()) -> Knock | Refused:
    """Read a request. `authorization` are the values of the Authorization header. `subjects` are those of the header in
    which a trusted proxy passes the subject of the client certificate; none or empty without a certificate. Never
    raises."""
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
    """Return the offered subprotocols from the header values."""
    return [one.strip() for value in values for one in value.split(",")]


def _is_of(user: str, unit_id: str) -> bool:
    """Return whether a user name is the identity or the id of the unit."""
    return why_not(user) is None and _unit_id(user) == unit_id


def _unit_id(identity: str) -> str:
    """Return the unit id for an identity. The canary is not a unit, and its id is kept unchanged."""
    return identity if identity == CANARY_ID else unit_id_of(identity)


def _basic(authorization: Iterable[str]) -> tuple[str, bytes] | None:
    """Return user name and password of Basic authentication, or None if there is none or it is invalid."""
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
    """Return the forms of a password to compare: as sent, and decoded if it is hexadecimal. It is bytes, not text
    (ChargeTimeEU/Java-OCA-OCPP#163)."""
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
