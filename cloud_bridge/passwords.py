"""People's passwords: which ones are strong enough, and their argon2 hashes. No database.

A hash takes some 50 ms of two cores and 64 MiB, on purpose. So few are made at a time, on threads of lower priority,
and the others wait for their turn: a crowd at the login slows down logins, and nothing else. Whoever calls must hold
no connection of the database meanwhile.
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

MIN_LENGTH = 10  # characters; length counts most (NIST SP 800-63B)
MAX_LENGTH = 200
JUDGED_LENGTH = 72  # zxcvbn reads no more: its time grows with the square of the length
STRONG_SCORE = 3  # of 4: "safely unguessable", more than 10^8 guesses (zxcvbn's README)
OURS = ("chargekeeper", "charger", "charge point")  # the words that a guesser tries first here

AT_ONCE = 3
STRANGERS_AT_ONCE = 2  # of these: a crowd of them leaves a place for everybody else
TURN_WITHIN_S = 5.0  # then a person would rather be told than wait on
MAX_WAITING = 200
LOWER_PRIORITY = 10  # of nice(1): messages and pages come first

_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106's low-memory choice
# An unknown name costs as much time as a wrong password. Of 256 random bits that nobody kept; not made anew by each
# process, since that takes a tenth of a second of every start and every command.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$oS81NB28gNcCAUWevQI/jw$tVnrjhWMEnrw5W4njij4bWwHM0ifxGvw34NyV7ZI+6o"

Result = TypeVar("Result")


class WeakPassword(BridgeError):
    """It would be guessed; the text says why."""


class HashingBusy(BridgeError):
    """Too many logins at once: to be tried again in a few seconds."""


class Passwords:
    """Hashes and checks. Thread-safe; every call blocks for the time that a hash takes."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "password", initializer=_step_back)

    def close(self) -> None:
        self._threads.shutdown()

    def hash(self, password: str) -> str:
        return self._run(lambda: _hasher.hash(password))

    def hash_chosen(self, password: str, known: Iterable[str]) -> str:
        """The hash of a password that a person chose. `known` are words that a guesser has: the name, the address.

        Raises WeakPassword.
        """
        _check_length(password)

        def check_and_hash() -> str:
            _check_strength(password, known)
            return _hasher.hash(password)

        return self._run(check_and_hash)

    def matches(self, kept_hash: str | None, password: str) -> bool:
        """Whether it is the password of the hash. None never matches, and takes as long."""
        return self._run(lambda: _verified(_NOBODY if kept_hash is None else kept_hash, password))

    def _run(self, work: Callable[[], Result]) -> Result:
        return self._threads.submit(work).result()


class PasswordTurns:
    """Hands out `passwords` to so many at a time; the others wait on the event loop, where they hold no thread.

    Whoever is known, by a session or by a login in the same browser before, does not wait for those who are not.
    """

    def __init__(self, passwords: Passwords) -> None:
        self.refused = 0  # that could not wait, or waited in vain
        self._passwords = passwords
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._strangers = asyncio.Semaphore(STRANGERS_AT_ONCE)
        self._waiting = {True: 0, False: 0}  # by whether they are known

    @property
    def waiting(self) -> int:
        return sum(self._waiting.values())

    @asynccontextmanager
    async def turn(self, is_known: bool = False) -> AsyncIterator[Passwords]:
        """Waits for TURN_WITHIN_S at most. Raises HashingBusy."""
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


WARNINGS = (  # ours, and then those of zxcvbn (feedback.py), as a sentence goes on with them
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
    from zxcvbn import zxcvbn  # half of a megabyte of words, that only a new password needs

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
    """By so much from what the process was given: only root may go the other way. Linux has a priority for each thread; the
    lanes of argon2 are started by this one, and inherit it."""
    os.nice(LOWER_PRIORITY)
