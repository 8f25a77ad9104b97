"""Checks what browsers and authenticators send for passkeys, with the library `webauthn`. Any input gives a result or raises
PasskeyRefused.

The library's parsers raise various exceptions (KeyError, TypeError, binascii.Error), and its CBOR decoder resolves tags. All
input is therefore checked first (plain_cbor.py), and every exception becomes a PasskeyRefused.

The library and its certificates take a twentieth of the bridge's startup time, so they are imported when a passkey is first
used.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from cloud_bridge.store.passkeys import PasskeyRow, StoredPasskey
from cloud_bridge.web.security.challenges import CHALLENGE_MS
from cloud_bridge.web.security.plain_cbor import is_plain_cbor
from cloud_bridge.web.security.relying_party import RelyingParty

if TYPE_CHECKING:
    from webauthn.helpers.structs import AuthenticationCredential, RegistrationCredential

SERVICE = "Chargekeeper"  # shown by authenticators
SENT_MAX = 20_000  # characters that a browser may send; an attestation with the maker's certificate has 5,000
CREDENTIAL_ID_MAX = 1023  # bytes (WebAuthn 4, "Credential ID")
PUBLIC_KEY_MAX = 1024  # bytes; an RSA key with 4,096 bits has 550
FLAGS_AT, FIXED_BYTES = (
    32,
    37,
)  # of the authenticator data (WebAuthn 6.1): position of the flags, and length of the fixed part
HAS_KEY = 0x40  # flag: a key follows, as 16 bytes AAGUID, 2 bytes length of the credential id, the id, and the key


class PasskeyRefused(Exception):
    """Not a passkey, or not one for this service. The text gives the reason, for tests and the log."""


class Assertion(NamedTuple):
    """The answer to a login challenge, not yet verified."""

    credential_id: bytes
    user_handle: bytes | None
    challenge: bytes
    sent: "AuthenticationCredential"


class Attestation(NamedTuple):
    """A new passkey, not yet verified."""

    challenge: bytes
    sent: "RegistrationCredential"


def request_options(party: RelyingParty, challenge: bytes) -> str:
    """Return the JSON for navigator.credentials.get(), which accepts any passkey of this service."""
    import webauthn
    from webauthn.helpers import structs

    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=party.id,
            challenge=challenge,
            timeout=CHALLENGE_MS,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
    )


def creation_options(
    party: RelyingParty, challenge: bytes, name: str, handle: bytes, credential_ids: Sequence[bytes]
) -> str:
    """Return the JSON for navigator.credentials.create(). An authenticator that has one of `credential_ids` does not create
    another passkey."""
    import webauthn
    from webauthn.helpers import structs

    return webauthn.options_to_json(
        webauthn.generate_registration_options(
            rp_id=party.id,
            rp_name=SERVICE,
            user_name=name,
            user_id=handle,
            challenge=challenge,
            timeout=CHALLENGE_MS,
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,  # so that a login needs no name
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in credential_ids],
        )
    )


def read_assertion(text: str) -> Assertion:
    """Parse the answer to a login challenge. Raises PasskeyRefused."""
    from webauthn import helpers

    with _refused():
        sent = helpers.parse_authentication_credential_json(text)
        challenge = helpers.parse_client_data_json(sent.response.client_data_json).challenge
        return Assertion(sent.raw_id, sent.response.user_handle, challenge, sent)


def read_attestation(text: str) -> Attestation:
    """Parse a new passkey. Raises PasskeyRefused."""
    from webauthn import helpers

    with _refused():
        sent = helpers.parse_registration_credential_json(text)
        return Attestation(helpers.parse_client_data_json(sent.response.client_data_json).challenge, sent)


def check_assertion(assertion: Assertion, party: RelyingParty, passkey: StoredPasskey) -> int:
    """Verify the signature, and return the authenticator's counter. The caller has to check that the counter has increased and
    that the challenge is ours. Raises PasskeyRefused."""
    from webauthn import verify_authentication_response

    if assertion.user_handle != passkey.handle:  # also refuse None: a discoverable credential always sends its handle
        raise PasskeyRefused("the passkey is of somebody else")
    with _refused():
        _must_be_plain(assertion.sent.response.authenticator_data)
        checked = verify_authentication_response(
            credential=assertion.sent,
            expected_challenge=assertion.challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        return checked.new_sign_count


def check_attestation(attestation: Attestation, party: RelyingParty) -> PasskeyRow:
    """Verify a new passkey from an authenticator of any maker. The caller has to check that the challenge is ours. Raises
    PasskeyRefused."""
    from webauthn import helpers, verify_registration_response

    with _refused():
        if not is_plain_cbor(attestation.sent.response.attestation_object):
            raise PasskeyRefused("the attestation is not plain CBOR")
        _must_be_plain(helpers.parse_cbor(attestation.sent.response.attestation_object)["authData"])
        checked = verify_registration_response(
            credential=attestation.sent,
            expected_challenge=attestation.challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
        row = PasskeyRow(checked.credential_id, checked.credential_public_key, checked.sign_count)
        if len(row.credential_id) > CREDENTIAL_ID_MAX or len(row.public_key) > PUBLIC_KEY_MAX:
            raise PasskeyRefused("its id or its key is too long")
        key = helpers.decode_credential_public_key(row.public_key)
        helpers.decoded_public_key_to_cryptography(key)  # raises for an invalid key
        return row


def _must_be_plain(authenticator_data: bytes) -> None:
    """Raise PasskeyRefused if the authenticator data contain CBOR that is_plain_cbor rejects."""
    at = FIXED_BYTES
    if len(authenticator_data) > at and authenticator_data[FLAGS_AT] & HAS_KEY:
        at += 18 + int.from_bytes(authenticator_data[at + 16 : at + 18], "big")
    if not is_plain_cbor(authenticator_data[at:]):
        raise PasskeyRefused("the authenticator data are not plain CBOR")


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except PasskeyRefused:
        raise
    except Exception as error:  # parsers raise arbitrary exceptions for hostile input
        raise PasskeyRefused(f"{type(error).__name__}: {error}") from error
