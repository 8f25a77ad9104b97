"""What an authenticator has to sign: new each time, for one purpose in one browser, for five minutes, and once. Pure: the
clock is handed in.

A challenge carries its end and a mark that only our processes can make, so nothing is kept of those that are given out, and
whoever asks for a million of them takes nothing away from others. Only those that have counted are remembered, until their
end; it takes a passkey of somebody's to make one count. Each process remembers its own: behind a load balancer the answer to a
challenge may count once at each, in the same browser.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

CHALLENGE_MS = 5 * 60 * 1000
USED_MAX = 10_000  # remembered at a time; beyond that none counts until the oldest has ended
END_BYTES, SALT_BYTES, MARK_BYTES = 8, 24, 32


class Challenges:
    """Thread-safe. `key` tells the key of the marks, which is the same in every process that may see the answer."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key
        self._used: OrderedDict[bytes, int] = OrderedDict()  # -> its end
        self._lock = Lock()

    def new(self, purpose: str, browser: str, now_ms: int) -> bytes:
        """`browser` is a cookie that no other browser has."""
        begin = (now_ms + CHALLENGE_MS).to_bytes(END_BYTES, "big") + secrets.token_bytes(SALT_BYTES)
        return begin + self._mark(begin, purpose, browser)

    def is_good(self, challenge: bytes, purpose: str, browser: str, now_ms: int) -> bool:
        """Whether we made it for this, it has not ended, and it has not counted yet."""
        begin, mark = challenge[:-MARK_BYTES], challenge[-MARK_BYTES:]
        if not browser or not hmac.compare_digest(mark, self._mark(begin, purpose, browser)):
            return False
        with self._lock:
            return self._end_ms(challenge) > now_ms and challenge not in self._used

    def use(self, challenge: bytes, now_ms: int) -> bool:
        """It counts now. False: it has counted before, or too many others have."""
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
