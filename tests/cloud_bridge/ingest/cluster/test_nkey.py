"""Does a NATS server accept our keys as its own?"""

from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as some

from cloud_bridge.ingest.cluster.nkey import BadKey, Signer, new_seed


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
