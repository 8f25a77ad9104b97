"""Challenges that an authenticator has to sign: each is new, for one purpose in one browser, valid for five minutes and only
once. Pure: the time is a parameter.

A challenge contains its expiry and a MAC that only our processes can compute, so issued challenges need no memory, and a
client that requests a million of them takes nothing away from others. Only used challenges are stored, until they expire;
using one takes a valid passkey. Each process stores its own. Behind a load balancer, one signed challenge can therefore be
accepted once by each process, in the same browser.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

CHALLENGE_MS = 5 * 60 * 1000
USED_MAX = 10_000  # stored at a time; beyond this, no challenge is accepted until the oldest has expired
END_BYTES, SALT_BYTES, MARK_BYTES = 8, 24, 32


class Challenges:
    """Issues and checks challenges. Thread-safe. `key` returns the key of the MAC, which has to be the same in every process
    that may receive the answer."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key
        self._used: OrderedDict[bytes, int] = OrderedDict()  # challenge -> expiry
        self._lock = Lock()

    def new(self, purpose: str, browser: str, now_ms: int) -> bytes:
        """Issue a challenge. `browser` is a cookie value that no other browser has."""
        begin = (now_ms + CHALLENGE_MS).to_bytes(END_BYTES, "big") + secrets.token_bytes(SALT_BYTES)
        return begin + self._mark(begin, purpose, browser)

    def is_good(self, challenge: bytes, purpose: str, browser: str, now_ms: int) -> bool:
        """Return True if we issued the challenge for this purpose and browser, and it has neither expired nor been used."""
        begin, mark = challenge[:-MARK_BYTES], challenge[-MARK_BYTES:]
        if not browser or not hmac.compare_digest(mark, self._mark(begin, purpose, browser)):
            return False
        with self._lock:
            return self._end_ms(challenge) > now_ms and challenge not in self._used

    def use(self, challenge: bytes, now_ms: int) -> bool:
        """Mark the challenge as used. Return False if it was used before, or if too many are stored."""
        with self._lock:
            while self._used and next(iter(self._used.values())) <= now_ms:
                self._used.popitem(last=False)
            if challenge in self._used or len(self._used) >= USED_MAX:
                return False
            self._used[challenge] = self._end_ms(challenge)
            return True

    def _mark(self, begin: bytes, purpose: str, browser: str) -> bytes:
        for_whom = hashlib.sha256(browser.encode()).digest()
        return hmac.new(self._key(), begin + for_whom + purpose.encode(), hashlib.sha256).digest()

    def _end_ms(self, challenge: bytes) -> int:
        return int.from_bytes(challenge[:END_BYTES], "big")
