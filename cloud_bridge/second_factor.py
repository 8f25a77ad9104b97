"""The second factor of a login: a code of an authenticator app, or a recovery code. Each counts once.

The app's secret is sealed in the database with the keys that seal the car accounts (vehicles/tokens/keys.py), and bound to
its person. Codes go by the clock: by our time, as the wall clock shows it, for the app goes by the true time and no witness
of ours knows that to half a minute (verified_time.py). So, while this machine's clock is wrong by more than a minute,

-   no code of the app is right, whoever types it; recovery codes go by no clock, nor does the reset at the command line;
-   a clock that is set back does not make a code count again that has counted: the last STEPS_KEPT are remembered, whichever
    time they are of, and one of the future does not lock out the codes of now.

A key that is gone, after a restore without its file, has the same effect, until the key is back.
"""

import hmac
import secrets
from enum import Enum, auto

from sqlalchemy import Connection

from cloud_bridge.store import second_factors
from cloud_bridge.store.database import Database
from cloud_bridge.store.second_factors import SecondFactor
from cloud_bridge.store.secrets import CLAIM_ALPHABET
from cloud_bridge.totp import matching_step
from cloud_bridge.vehicles.tokens.encryption import seal, unseal
from cloud_bridge.vehicles.tokens.keys import KeyGone, KeySource

RECOVERY_CODES = 10
RECOVERY_LENGTH = 16  # 30 symbols each: 78 bits, random enough for a plain hash


class Answer(Enum):
    """What was typed."""

    APP_CODE = auto()
    RECOVERY_CODE = auto()
    WRONG = auto()


class SecondFactors:
    """Of all people. Thread-safe; holds no connection between calls."""

    def __init__(self, database: Database, source: KeySource) -> None:
        self._database = database
        self._source = source

    def add(self, connection: Connection, person_id: int, secret: bytes, step: int, now_ms: int) -> list[str]:
        """From now on it is asked for. `step` is that of the code which has shown that the app has the secret: it has counted.
        Returns the recovery codes, which nobody can look up again. Raises KeyGone and AlreadyThere."""
        codes = new_recovery_codes()
        key_id, sealed = self._seal(secret, _place(person_id))
        factor = SecondFactor(key_id, sealed, now_ms, str(step))
        second_factors.add_second_factor(connection, person_id, factor, [normal(code) for code in codes])
        return codes

    def renew_recovery_codes(self, person_id: int) -> list[str]:
        """New ones; those of before count no more."""
        codes = new_recovery_codes()
        with self._database.writing() as connection:
            second_factors.set_recovery_codes(connection, person_id, [normal(code) for code in codes])
        return codes

    def use(self, person_id: int, typed: str, now_ms: int) -> Answer:
        """Whether it is a code of theirs; it does not count again. Raises KeyGone or SealBroken for a code of the app."""
        code = normal(typed)
        if len(code) == RECOVERY_LENGTH:
            with self._database.writing() as connection:
                is_right = second_factors.use_recovery_code(connection, person_id, code)
            return Answer.RECOVERY_CODE if is_right else Answer.WRONG
        with self._database.reading() as connection:
            factor = second_factors.second_factor_of(connection, person_id)
        if factor is None:
            return Answer.WRONG
        step = matching_step(self._secret(person_id, factor), code, now_ms, factor.steps)
        if step is None:
            return Answer.WRONG
        with self._database.writing() as connection:
            is_first = second_factors.use_step(connection, person_id, factor, step)
        return Answer.APP_CODE if is_first else Answer.WRONG

    def derived_key(self, purpose: str) -> bytes:
        """32 bytes for another purpose than sealing, the same in every process with these keys. Raises KeyGone."""
        keys = self._source.keys()
        return hmac.digest(keys.keys[keys.current], purpose.encode(), "sha256")

    def seal_new(self, secret: bytes, browser: str) -> str:
        """For the form in which a new secret waits for its first code: it opens in this browser alone. Raises KeyGone."""
        key_id, sealed = self._seal(secret, _form_place(browser))
        return f"{key_id}:{sealed.hex()}"

    def open_new(self, text: str, browser: str) -> bytes:
        """What `seal_new` sealed. Raises KeyGone or SealBroken, and ValueError for what it has not made."""
        key_id, _, sealed = text.rpartition(":")
        return unseal(self._key(key_id), bytes.fromhex(sealed), _form_place(browser))

    def reseal(self, connection: Connection) -> int:
        """Seal everything with the current key. Returns how many had another one. Raises KeyGone or SealBroken."""
        others = second_factors.second_factors_with_other_keys(connection, self._source.keys().current)
        for person_id in others:
            factor = second_factors.second_factor_of(connection, person_id)
            if factor is not None:
                sealed = self._seal(self._secret(person_id, factor), _place(person_id))
                second_factors.set_second_factor_seal(connection, person_id, *sealed)
        return len(others)

    def _secret(self, person_id: int, factor: SecondFactor) -> bytes:
        return unseal(self._key(factor.key_id), factor.sealed, _place(person_id))

    def _key(self, key_id: str) -> bytes:
        key = self._source.keys().keys.get(key_id)
        if key is None:
            raise KeyGone(f"the key {key_id} of second factors is gone: put it back, or reset them")
        return key

    def _seal(self, secret: bytes, place: bytes) -> tuple[str, bytes]:
        current, keys = self._source.keys()
        return current, seal(keys[current], secret, place)


def new_recovery_codes() -> list[str]:
    """As they are shown: four groups of four."""
    return ["-".join(_group() for _ in range(RECOVERY_LENGTH // 4)) for _ in range(RECOVERY_CODES)]


def normal(typed: str) -> str:
    """A code without what people type between its groups."""
    return "".join(symbol for symbol in typed.upper() if symbol not in " -")


def _group() -> str:
    return "".join(secrets.choice(CLAIM_ALPHABET) for _ in range(4))


def _place(person_id: int) -> bytes:
    return f"second factor of person {person_id}".encode()


def _form_place(browser: str) -> bytes:
    return f"new second factor in the browser {browser}".encode()
