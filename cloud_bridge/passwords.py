"""Password strength checks and argon2 hashes. Does not use the database.

A hash takes about 50 ms of two cores and 64 MiB, by design. So only a few are computed at a time, on threads of lower
priority, and other requests wait for a turn. Many simultaneous logins slow down logins and nothing else. Callers must
not hold a database connection meanwhile.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from cloud_bridge.errors import BridgeError
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

MIN_LENGTH = 10  # characters; length matters most (NIST SP 800-63B)
MAX_LENGTH = 200
JUDGED_LENGTH = 72  # characters given to zxcvbn, whose time grows with the square of the length
STRONG_SCORE = 3  # of 4: "safely unguessable", more than 10^8 guesses (zxcvbn's README)
OURS = ("chargekeeper", "charger", "charge point")  # the words that an attacker tries first here

AT_ONCE = 3
STRANGERS_AT_ONCE = 2  # of AT_ONCE, for unknown browsers, so that one place is left for known ones
TURN_WITHIN_S = 5.0  # a request that waits longer is refused
MAX_WAITING = 200
LOWER_PRIORITY = 10  # niceness, so that messages and pages come first

_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106's low-memory choice
# Verified for an unknown name, so that it takes as long as a wrong password. The hash of 256 random bits that were not
# kept. It is a constant because computing it would add a tenth of a second to every start and every command.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$oS81NB28gNcCAUWevQI/jw$tVnrjhWMEnrw5W4njij4bWwHM0ifxGvw34NyV7ZI+6o"

Result = TypeVar("Result")


class WeakPassword(BridgeError):
    """The password is too short, too long or easy to guess. The text says why."""


class HashingBusy(BridgeError):
    """There are too many logins at once. Try again in a few seconds."""


class Passwords:
    """Computes and verifies hashes. Thread-safe. Every call blocks until the hash is computed."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "password", initializer=_step_back)

    def close(self) -> None:
        self._threads.shutdown()

    def hash(self, password: str) -> str:
        return self._run(lambda: _hasher.hash(password))

    def hash_chosen(self, password: str, known: Iterable[str]) -> str:
        """Return the hash of a password that a person chose. `known` are words that an attacker knows, such as the
        person's name and address.

        Raises WeakPassword.
        """
        _check_length(password)

        def check_and_hash() -> str:
            _check_strength(password, known)
            return _hasher.hash(password)

        return self._run(check_and_hash)

    def matches(self, kept_hash: str | None, password: str) -> bool:
        """Return whether the password matches the hash. A hash of None never matches, and takes as long."""
        return self._run(lambda: _verified(_NOBODY if kept_hash is None else kept_hash, password))

    def _run(self, work: Callable[[], Result]) -> Result:
        return self._threads.submit(work).result()


class PasswordTurns:
    """Limits how many requests use `passwords` at a time. The others wait on the event loop, without a thread.

    Known requests, from a session or from a browser with an earlier login, do not wait behind unknown ones.
    """

    def __init__(self, passwords: Passwords) -> None:
        self.refused = 0  # requests that found the queue full or waited too long
        self._passwords = passwords
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._strangers = asyncio.Semaphore(STRANGERS_AT_ONCE)
        self._waiting = {True: 0, False: 0}  # requests by whether they are known

    @property
    def waiting(self) -> int:
        return sum(self._waiting.values())

    @asynccontextmanager
    async def turn(self, is_known: bool = False) -> AsyncIterator[Passwords]:
        """Wait for a turn, at most TURN_WITHIN_S, and hold it for the block. Raises HashingBusy."""
        async with AsyncExitStack() as turn:
            await self._wait(turn, [self._turns] if is_known else [self._strangers, self._turns], is_known)
            yield self._passwords

    async def _wait(self, turn: AsyncExitStack, places: list[asyncio.Semaphore], is_known: bool) -> None:
        if self._waiting[is_known] >= MAX_WAITING:
            self.refused += 1
            raise HashingBusy(_TRY_AGAIN)
        self._waiting[is_known] += 1
        try:
            async with asyncio.timeout(TURN_WITHIN_S):
                for place in places:
                    await turn.enter_async_context(place)
        except TimeoutError:
            self.refused += 1
            raise HashingBusy(_TRY_AGAIN) from None
        finally:
            self._waiting[is_known] -= 1


_TRY_AGAIN = N_("too many people are logging in at this moment: try again in a few seconds")


WARNINGS = (  # our default, then those of zxcvbn (feedback.py), worded to follow other text in a sentence
    N_("this password is easy to guess"),
    N_("straight rows of keys are easy to guess"),
    N_("short keyboard patterns are easy to guess"),
    N_('repeats like "aaa" are easy to guess'),
    N_('repeats like "abcabcabc" are only slightly harder to guess than "abc"'),
    N_('sequences like "abc" or "6543" are easy to guess'),
    N_("recent years are easy to guess"),
    N_("dates are often easy to guess"),
    N_("this is a top-10 common password"),
    N_("this is a top-100 common password"),
    N_("this is a very common password"),
    N_("this is similar to a commonly used password"),
    N_("a word by itself is easy to guess"),
    N_("names and surnames by themselves are easy to guess"),
    N_("common names and surnames are easy to guess"),
)


def _check_length(password: str) -> None:
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(_("a password has {least} to {most} characters").format(least=MIN_LENGTH, most=MAX_LENGTH))


def _check_strength(password: str, known: Iterable[str]) -> None:
    from zxcvbn import zxcvbn  # imported here: half a megabyte of word lists that only a new password needs

    found = zxcvbn(password[:JUDGED_LENGTH], user_inputs=[*known, *OURS])
    if found["score"] < STRONG_SCORE:
        warning = found["feedback"]["warning"].rstrip(".")
        why = f"{warning[:1].lower()}{warning[1:]}" or WARNINGS[0]
        raise WeakPassword(_("{why}: take four words that have nothing to do with each other").format(why=_(why)))


def _verified(kept_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(kept_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def _step_back() -> None:
    """Lower the priority of the calling thread, relative to that of the process; only root could raise it again. On
    Linux niceness is per thread. The threads that argon2 starts for its lanes inherit it."""
    os.nice(LOWER_PRIORITY)
