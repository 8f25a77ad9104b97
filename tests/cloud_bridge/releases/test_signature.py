"""Is a signature only accepted from the right key, in the two formats that signers write?"""

import hashlib
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.releases.release_errors import BadKey, BadSignature
from cloud_bridge.releases.signature import digest, read_private_key, read_public_key, read_signature, sign, verify
from tests.cloud_bridge.releases.making import KEY

LINE = b'{"version":"1.4.0"}'
PUBLIC = KEY.public_key()
PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8


def test_what_a_key_has_signed_is_verified_by_it_alone() -> None:
    """[S1-3b]"""
    signature = sign(KEY, LINE)
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert len(signature) == 64
    verify([PUBLIC], 0, LINE, signature)
    verify([other, PUBLIC], 1, LINE, signature)
    for keys, number, line, said in (
        ([other], 0, LINE, signature),
        ([other, PUBLIC], 0, LINE, signature),
        ([PUBLIC], 0, LINE + b" ", signature),
        ([PUBLIC], 0, LINE, bytes(64)),
        ([PUBLIC], 0, LINE, b"\xff" * 64),
    ):
        with pytest.raises(BadSignature, match="has not signed this manifest"):
            verify(keys, number, line, said)
    with pytest.raises(BadSignature, match="there is no public key 1"):
        verify([PUBLIC], 1, LINE, signature)


def test_der_and_raw_are_one_signature() -> None:
    der = KEY.sign(LINE, ec.ECDSA(hashes.SHA256()))
    raw = read_signature(der)
    verify([PUBLIC], 0, LINE, raw)
    assert read_signature(raw) == raw
    assert digest(LINE) == hashlib.sha256(LINE).hexdigest()


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 1024)])
def test_a_key_of_another_curve_or_kind_is_refused(key: "ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey") -> None:
    with pytest.raises(BadKey, match="P-256"):
        read_private_key(key.private_bytes(PEM, PKCS8, serialization.NoEncryption()))
    public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(BadKey, match="P-256"):
        read_public_key(public)


def test_a_key_with_a_password_and_what_is_no_key_are_refused() -> None:
    locked = ed25519.Ed25519PrivateKey.generate().private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"x"))
    for pem in (locked, b"", b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(BadKey, match="not an unencrypted private key in PEM"):
            read_private_key(pem)
    with pytest.raises(BadKey, match="not a public key in PEM"):
        read_public_key(b"hello")


@given(st.binary(max_size=100).filter(lambda data: len(data) != 64))
def test_any_bytes_are_a_signature_or_refused(data: bytes) -> None:
    with suppress(BadSignature):
        assert len(read_signature(data)) == 64
