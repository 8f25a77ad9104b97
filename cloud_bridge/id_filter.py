"""A set of ids that takes no more memory however many there are: a Bloom filter (B. H. Bloom, CACM 13 (7), 1970).

It never forgets one. With a million in it, it takes one in 50,000 others for one of them; with 100,000, one in 30 thousand
million.
"""

from hashlib import blake2b

BITS = 1 << 25  # 4 MB
HASHES = 6


class IdFilter:
    """Ids of units."""

    def __init__(self) -> None:
        self._bits = bytearray(BITS // 8)  # the system gives the pages when they are written

    def add(self, unit_id: str) -> None:
        for bit in _bits(unit_id):
            self._bits[bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, unit_id: str) -> bool:
        return all(self._bits[bit >> 3] & 1 << (bit & 7) for bit in _bits(unit_id))


def _bits(unit_id: str) -> list[int]:
    digest = int.from_bytes(blake2b(unit_id.encode(), digest_size=8).digest())
    first, apart = digest >> 32, digest | 1  # an odd number apart, so that they are as many
    return [(first + at * apart) % BITS for at in range(HASHES)]
