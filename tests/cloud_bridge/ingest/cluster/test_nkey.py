"""Does a NATS server accept our keys as its own?"""

import base64
import binascii
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as some

from cloud_bridge.ingest.cluster.nkey import BadKey, Signer, is_signed_by, new_seed


def test_a_seed_and_its_public_key_say_what_they_are() -> None:
    seed = new_seed()
    assert seed.startswith("SA") and len(seed) == 58
    assert Signer(seed).public.startswith("A") and len(Signer(seed).public) == 56
    assert new_seed() != seed


def test_what_is_signed_can_be_verified() -> None:
    signer = Signer(new_seed())
    signature = signer.sign(b"claims")
    key = signer._key.public_key().public_bytes_raw()
    Ed25519PublicKey.from_public_bytes(key).verify(signature, b"claims")


@given(some.integers(0, 56), some.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_a_seed_with_one_wrong_letter_is_refused(at: int, letter: str) -> None:
    seed = new_seed()
    bent = seed[:at] + letter + seed[at + 1 :]
    if bent != seed:
        with pytest.raises(BadKey):
            Signer(bent)


@given(some.text(max_size=80))
def test_any_text_is_refused_or_read(text: str) -> None:
    with suppress(BadKey):
        Signer(text)


def written(raw: bytes) -> str:
    """As NATS writes keys, with a right checksum."""
    return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode().rstrip("=")


@pytest.mark.parametrize("kind", range(32))
def test_only_the_seed_of_an_account_is_one(kind: int) -> None:
    """SU is that of a user, SN that of a server."""
    seed = written(bytes((18 << 3, kind << 3)) + bytes(32))
    if kind == 0:
        assert Signer(seed).public.startswith("A")
    else:
        with pytest.raises(BadKey, match="begins with SA"):
            Signer(seed)


@pytest.mark.parametrize(
    "raw", [bytes((18 << 3, 0)) + bytes(31), bytes((18 << 3, 0)) + bytes(33), bytes(34), b"", bytes(2)]
)
def test_a_seed_of_another_length_or_beginning_is_none(raw: bytes) -> None:
    with pytest.raises(BadKey):
        Signer(written(raw))


def test_the_public_key_is_that_of_the_seed() -> None:
    zeros = Signer(written(bytes((18 << 3, 0)) + bytes(32)))
    assert zeros.public == written(
        b"\0" + Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    )


def test_who_has_signed_is_told_by_the_key_of_a_server() -> None:
    key = Ed25519PrivateKey.generate()
    raw, signature = key.public_key().public_bytes_raw(), key.sign(b"claims")
    server = written(bytes([13 << 3]) + raw)
    assert is_signed_by(server, b"claims", signature)
    assert not is_signed_by(server, b"other", signature) and not is_signed_by(server, b"claims", signature[1:])
    assert not is_signed_by(written(bytes([0]) + raw), b"claims", signature), "of an account"
    assert not is_signed_by(written(bytes([13 << 3]) + raw + b"x"), b"claims", signature)
    assert not is_signed_by(written(bytes([13 << 3]) + raw[1:]), b"claims", signature)
    assert not is_signed_by(server[:-1], b"claims", signature) and not is_signed_by("\u00e9", b"claims", signature)
