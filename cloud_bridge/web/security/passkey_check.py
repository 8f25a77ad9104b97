"""What browsers and authenticators send of passkeys, checked by the library `webauthn`: any text at all gives a result or
PasskeyRefused.

The library raises whatever its parsers do (KeyError, TypeError, binascii.Error), and follows what CBOR's tags say, so all
that it is given is looked at before (plain_cbor.py), and all that it raises is a refusal.

The library and its certificates take a twentieth of the bridge's start, so they are imported when a passkey is first used.
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

SERVICE = "Chargekeeper"  # as authenticators show it
SENT_MAX = 20_000  # characters of what a browser sends; with a certificate of the maker 5,000
CREDENTIAL_ID_MAX = 1023  # bytes (WebAuthn 4, "Credential ID")
PUBLIC_KEY_MAX = 1024  # bytes; RSA with 4,096 bits has 550
FLAGS_AT, FIXED_BYTES = (
    32,
    37,
)  # of the authenticator data (WebAuthn 6.1): where the flags are, and what always is there
HAS_KEY = 0x40  # flag: a key follows: 16 bytes of the model, 2 of the credential id's length, the id, the key


class PasskeyRefused(Exception):
    """It is no passkey, or not one for us; the text says which, for tests and the log."""


class Assertion(NamedTuple):
    """Of a login, not yet checked."""

    credential_id: bytes
    user_handle: bytes | None
    challenge: bytes
    sent: "AuthenticationCredential"


class Attestation(NamedTuple):
    """Of a new passkey, not yet checked."""

    challenge: bytes
    sent: "RegistrationCredential"


def request_options(party: RelyingParty, challenge: bytes) -> str:
    """JSON for navigator.credentials.get(): any passkey of ours will do."""
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
    """JSON for navigator.credentials.create(). An authenticator that has one of `credential_ids` makes no second one."""
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
                resident_key=structs.ResidentKeyRequirement.REQUIRED,  # it is found without a name
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in credential_ids],
        )
    )


def read_assertion(text: str) -> Assertion:
    """Raises PasskeyRefused."""
    from webauthn import helpers

    with _refused():
        sent = helpers.parse_authentication_credential_json(text)
        challenge = helpers.parse_client_data_json(sent.response.client_data_json).challenge
        return Assertion(sent.raw_id, sent.response.user_handle, challenge, sent)


def read_attestation(text: str) -> Attestation:
    """Raises PasskeyRefused."""
    from webauthn import helpers

    with _refused():
        sent = helpers.parse_registration_credential_json(text)
        return Attestation(helpers.parse_client_data_json(sent.response.client_data_json).challenge, sent)


def check_assertion(assertion: Assertion, party: RelyingParty, passkey: StoredPasskey) -> int:
    """The authenticator's counter; that it is higher than the last one is the caller's to hold, and so is that the challenge
    is one of ours. Raises PasskeyRefused."""
    from webauthn import verify_authentication_response

    if assertion.user_handle != passkey.handle:  # also none: a passkey that is found without a name sends it
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
    """Which maker the authenticator is of does not matter. That the challenge is one of ours is the caller's to hold. Raises
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
        helpers.decoded_public_key_to_cryptography(key)  # raises for a key that is none
        return row


def _must_be_plain(authenticator_data: bytes) -> None:
    """Raises PasskeyRefused."""
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
    except Exception as error:  # anything that the library's parsers raise for what strangers send
        raise PasskeyRefused(f"{type(error).__name__}: {error}") from error
