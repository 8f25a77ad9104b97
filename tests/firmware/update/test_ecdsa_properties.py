"""Does the signature check agree with OpenSSL, for random keys, texts and damage?"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from firmware.update.ecdsa import N
from tests.firmware.update.signing import Maker
from tests.firmware.update.test_ecdsa import verified

MAKER = Maker()
KEY = bytes.fromhex(MAKER.public[0])
OPENSSL = ec.EllipticCurvePublicNumbers(
    int.from_bytes(KEY[:32], "big"), int.from_bytes(KEY[32:], "big"), ec.SECP256R1()
).public_key()
NUMBERS = st.integers(0, 2**256 - 1) | st.sampled_from([0, 1, N - 1, N, N + 1])


def openssl_says(text: bytes, r: int, s: int) -> bool:
    try:
        OPENSSL.verify(encode_dss_signature(r, s), text, ec.ECDSA(hashes.SHA256()))
        return True
    except InvalidSignature:
        return False


@given(st.binary(max_size=100), st.integers(0, 511) | st.none())
def test_signatures_whole_and_with_one_bit_changed(text: bytes, place: int | None) -> None:
    signature = bytearray(MAKER.signature(text))
    if place is not None:
        signature[place // 8] ^= 1 << place % 8
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    assert openssl_says(text, r, s) == (place is None)
    assert verified(KEY, hashlib.sha256(text).digest(), bytes(signature)) == (place is None)


@given(NUMBERS, NUMBERS)
def test_any_two_numbers(r: int, s: int) -> None:
    both = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert verified(KEY, hashlib.sha256(b"text").digest(), both) == openssl_says(b"text", r, s)
