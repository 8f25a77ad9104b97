"""Verification of ECDSA signatures on P-256 (FIPS 186-5, 6.4.2; the curve is in SP 800-186, 3.2.1.3). Pure.

All inputs are public, so the code need not run in constant time. It is written as generators that yield after each step,
because MicroPython holds its global lock during an operation on large integers. The steps are short compared with a period of
the control loop (hil_tests/cortex_m measures the longest).
"""

if False:  # for mypy alone
    from collections.abc import Iterator
    from typing import Any

    Point = tuple[int, int] | None  # affine; None is the point at infinity
    Steps = Iterator[None]

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF  # of the field
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # order of G
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B  # y**2 = x**3 - 3 * x + B
GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
GY = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5
NUMBER_BYTES = 32
BITS = 256


def verify(key: bytes, digest: bytes, signature: bytes) -> "Any":
    """A generator that returns whether `signature` is a valid signature of `digest` by the owner of `key`.

    `key` (x and y) and `signature` (r and s) have 64 bytes each, `digest` has 32; numbers are big-endian. Yields None after
    each step. Raises nothing, for any bytes.
    """
    if len(key) != 2 * NUMBER_BYTES or len(signature) != 2 * NUMBER_BYTES or len(digest) != NUMBER_BYTES:
        return False
    (x, y), (r, s) = _numbers(key), _numbers(signature)
    if not _is_on_curve(x, y) or not 0 < r < N or not 0 < s < N:
        return False
    w = yield from _inverse(s, N)
    u1, u2 = int.from_bytes(digest, "big") * w % N, r * w % N
    both = yield from _sum(x, y)
    jx, _, jz = yield from _multiply(u1, u2, (x, y), both)
    # The x of the sum is jx / jz**2, and r is that modulo N. So x is r, or r + N if that is in the field. This comparison
    # saves an inversion.
    square = jz * jz % P
    return bool(jz) and ((r * square - jx) % P == 0 or (r + N < P and ((r + N) * square - jx) % P == 0))


def _numbers(two: bytes) -> "tuple[int, int]":
    return int.from_bytes(two[:NUMBER_BYTES], "big"), int.from_bytes(two[NUMBER_BYTES:], "big")


def _is_on_curve(x: int, y: int) -> bool:
    return x < P and y < P and (y * y - (x * x - 3) * x - B) % P == 0


def _inverse(value: int, modulus: int) -> "Any":
    """Return the inverse of `value`, by the extended Euclidean algorithm. pow() would be a single uninterruptible call."""
    low, high = 1, 0
    small, large = value % modulus, modulus
    while small > 1:
        ratio = large // small
        low, high = high - low * ratio, low
        small, large = large - small * ratio, small
        yield
    return low % modulus


def _sum(x: int, y: int) -> "Any":
    """Return G + (x, y), affine; None if that is the point at infinity."""
    if x == GX:
        if y != GY:
            return None
        over = yield from _inverse(2 * y, P)
        slope = 3 * (x * x - 1) * over % P
    else:
        over = yield from _inverse(x - GX, P)
        slope = (y - GY) * over % P
    sum_x = (slope * slope - GX - x) % P
    return sum_x, (slope * (GX - sum_x) - GY) % P


def _multiply(u1: int, u2: int, key: "Point", both: "Point") -> "Any":
    """Return u1 * G + u2 * key, calculated bit by bit for both at once (Straus; Shamir's trick). `both` is G + key.

    The result is in Jacobian coordinates: (jx, jy, jz) is (jx / jz**2, jy / jz**3), with jz = 0 at infinity.
    """
    addends = (None, (GX, GY), key, both)
    jx, jy, jz = 1, 1, 0
    for bit in range(BITS - 1, -1, -1):
        if jz:
            jx, jy, jz = _double(jx, jy, jz)
            yield
        point = addends[(u1 >> bit & 1) | (u2 >> bit & 1) << 1]
        if point:
            jx, jy, jz = _add(jx, jy, jz, point[0], point[1])
            yield
    return jx, jy, jz


def _double(jx: int, jy: int, jz: int) -> "tuple[int, int, int]":
    """Double a point: dbl-2001-b of the Explicit-Formulas Database. No point of this curve is its own negative, so jy is not
    0.
    """
    delta, gamma = jz * jz % P, jy * jy % P
    beta = jx * gamma % P
    alpha = 3 * (jx - delta) * (jx + delta) % P
    doubled_x = (alpha * alpha - 8 * beta) % P
    return doubled_x, (alpha * (4 * beta - doubled_x) - 8 * gamma * gamma) % P, 2 * jy * jz % P


def _add(jx: int, jy: int, jz: int, x: int, y: int) -> "tuple[int, int, int]":
    """Add (jx, jy, jz) and the affine (x, y), by the group law in mixed coordinates."""
    if not jz:
        return x, y, 1
    square = jz * jz % P
    h, slope = (x * square - jx) % P, (y * square * jz - jy) % P
    if not h:
        return _double(jx, jy, jz) if not slope else (1, 1, 0)
    h2 = h * h % P
    h3, v = h2 * h % P, jx * h2 % P
    sum_x = (slope * slope - h3 - 2 * v) % P
    return sum_x, (slope * (v - sum_x) - jy * h3) % P, jz * h % P
