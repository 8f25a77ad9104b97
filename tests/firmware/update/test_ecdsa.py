"""Does the signature check accept exactly what the curve's arithmetic accepts, on both platforms?

The vectors are from RFC 6979; the other cases cover edges, like those of Wycheproof.
"""

import binascii

import pytest

from firmware.update import ecdsa
from firmware.update.ecdsa import BITS, GX, GY, N, P

SECRET = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721  # RFC 6979, A.2.5
KEY = binascii.unhexlify(
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
)
# RFC 6979, A.2.5: SHA-256 of "sample" and of "test", each with r and s.
SIGNED = (
    (
        "AF2BDBE1AA9B6EC1E2ADE1D694F41FC71A831D0268E9891562113D8A62ADD1BF",
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ),
    (
        "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ),
)
DIGEST, SIGNATURE = [binascii.unhexlify(text) for text in SIGNED[0]]
R, S = int.from_bytes(SIGNATURE[:32], "big"), int.from_bytes(SIGNATURE[32:], "big")


def ended(steps):
    """Return the return value of a generator."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


def verified(key=KEY, digest=DIGEST, signature=SIGNATURE):
    return ended(ecdsa.verify(key, digest, signature))


def both(first, second):
    return first.to_bytes(32, "big") + second.to_bytes(32, "big")


def affine(u1, u2, point):
    """Return u1 * G + u2 * point by the code under test; None at infinity."""
    x, _, z = ended(ecdsa._multiply(u1, u2, point, ended(ecdsa._sum(*point))))
    return x * ended(ecdsa._inverse(z * z, P)) % P if z else None


@pytest.mark.parametrize("digest, signature", SIGNED)
def test_the_vectors_of_rfc_6979(digest, signature):
    assert verified(digest=binascii.unhexlify(digest), signature=binascii.unhexlify(signature))


def test_the_key_belongs_to_its_secret():
    assert affine(SECRET, 0, (GX, GY)) == int.from_bytes(KEY[:32], "big")


def test_each_single_bit_matters():
    for place in range(0, 64 * 8, 17):
        bent = bytearray(SIGNATURE)
        bent[place // 8] ^= 1 << place % 8
        assert not verified(signature=bytes(bent)), place
    for place in range(0, 32 * 8, 31):
        bent = bytearray(DIGEST)
        bent[place // 8] ^= 1 << place % 8
        assert not verified(digest=bytes(bent)), place
    for place in range(0, 64 * 8, 61):
        bent = bytearray(KEY)
        bent[place // 8] ^= 1 << place % 8
        assert not verified(key=bytes(bent)), place


EDGES = (0, 1, N - 1, N, N + 1, P, P - N, (1 << BITS) - 1)


@pytest.mark.parametrize("r, s", [(r, s) for r in EDGES for s in EDGES])
def test_numbers_at_the_edges_sign_nothing(r, s):
    assert not verified(signature=both(r, s))


def test_r_and_s_outside_their_bounds_are_refused_even_if_they_are_right_modulo_n():
    assert verified(signature=both(R, N - S))  # both s are valid (FIPS 186-5 requires no low s)
    for signature in (both(R, 0), both(0, S), both(N, S), both(R, N)):
        assert not verified(signature=signature)
    if S + N < 1 << BITS:
        assert not verified(signature=both(R, S + N))


@pytest.mark.parametrize(
    "x, y", [(0, 0), (GX, GY + 1), (GX, 0), (P, GY), (GX + P - P, P - GY + 1), (1, 1), (P - 1, P - 1)]
)
def test_a_point_that_is_not_on_the_curve_is_no_key(x, y):
    assert not verified(key=both(x, y))


def test_coordinates_are_below_the_prime():
    y = int.from_bytes(KEY[32:], "big")
    x = int.from_bytes(KEY[:32], "big")
    for key in (both(x, y), both(x, P - y)):
        assert len(key) == 64
    assert not verified(key=both(x, P - y))  # the negative of the key


@pytest.mark.parametrize("cut", [0, 1, 31, 32, 63])
def test_other_lengths_are_refused(cut):
    assert not verified(signature=SIGNATURE[:cut])
    assert not verified(key=KEY[:cut])
    assert not verified(signature=SIGNATURE + b"\0")
    if cut != 32:
        assert not verified(digest=(DIGEST * 2)[:cut])


def sign(secret, digest, nonce):
    """Return r and s by the textbook; `secret` and `nonce` are small numbers of a test."""
    r = affine(nonce, 0, (GX, GY)) % N
    return both(r, ended(ecdsa._inverse(nonce, N)) * (int.from_bytes(digest, "big") + r * secret) % N)


SECRETS, NONCES = (1, 2, 3, N - 1, N - 2, SECRET), (1, 2, 3, N - 1, 0x1234567)


@pytest.mark.parametrize("secret, nonce", [(secret, nonce) for secret in SECRETS for nonce in NONCES])
def test_keys_and_nonces_for_which_the_sum_meets_itself(secret, nonce):
    """The key is G or its negative: G + key is a doubling, or infinity; and sums equal their own addends on the way."""
    x = affine(secret, 0, (GX, GY))
    y = next(y for y in roots(x) if affine(2, 0, (x, y)) is not None and on_side(secret, x, y))
    signature = sign(secret, DIGEST, nonce)
    assert verified(key=both(x, y), signature=signature)
    assert not verified(key=both(x, P - y), signature=signature)


def roots(x):
    y = pow((x * x - 3) * x + ecdsa.B, (P + 1) // 4, P)
    return y, P - y


def on_side(secret, x, y):
    """Whether y belongs to secret * G."""
    jx, jy, jz = ended(ecdsa._multiply(secret, 0, (GX, GY), ended(ecdsa._sum(GX, GY))))
    return jy * ended(ecdsa._inverse(jz**3 % P, P)) % P == y


def test_a_digest_of_zero_and_one_above_the_order():
    for digest in (bytes(32), N.to_bytes(32, "big"), b"\xff" * 32):
        signature = sign(SECRET, digest, 7)
        assert verified(digest=digest, signature=signature)
        assert not verified(signature=signature)


def test_the_sum_at_infinity_is_refused():
    """u1 * G + u2 * key = 0 for s of any value, if r * secret = -digest."""
    digest = both(0, (N - 5) * SECRET % N)[32:]
    assert not verified(digest=digest, signature=both(5, 3))


def test_it_never_works_for_long_without_a_step():
    assert sum(1 for _ in ecdsa.verify(KEY, DIGEST, SIGNATURE)) > 500
