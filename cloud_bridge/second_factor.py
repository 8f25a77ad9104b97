"""The second factor of a login: a code of an authenticator app, or a recovery code. Each code can be used once.

The app's secret is encrypted in the database with the keys of the car accounts (vehicles/tokens/keys.py), and bound to
its person. App codes are checked by our wall clock: the app uses the true time, and verified time is not accurate to
half a minute (verified_time.py). So while this machine's clock is wrong by more than a minute:

-   no app code is accepted. Recovery codes and the reset at the command line do not depend on the clock;
-   a clock that is set back does not make a used code valid again: the last STEPS_KEPT time steps are remembered, whatever
    time they belong to. A used step in the future does not block present codes.

A missing key, after a restore without its file, also makes app codes fail until the key is back.
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
    """The kind of code that was typed, or WRONG."""

    APP_CODE = auto()
    RECOVERY_CODE = auto()
    WRONG = auto()


class SecondFactors:
    """The second factors of all people. Thread-safe; holds no database connection between calls."""

    def __init__(self, database: Database, source: KeySource) -> None:
        self._database = database
        self._source = source

    def add(self, connection: Connection, person_id: int, secret: bytes, step: int, now_ms: int) -> list[str]:
        """Store a second factor, which every login then requires. `step` is the time step of the code that has proved
        that the app has the secret, and counts as used. Return the recovery codes; they cannot be read again later.
        Raises KeyGone and AlreadyThere."""
        codes = new_recovery_codes()
        key_id, sealed = self._seal(secret, _place(person_id))
        factor = SecondFactor(key_id, sealed, now_ms, str(step))
        second_factors.add_second_factor(connection, person_id, factor, [normal(code) for code in codes])
        return codes

    def renew_recovery_codes(self, person_id: int) -> list[str]:
        """Replace all recovery codes and return the new ones."""
        codes = new_recovery_codes()
        with self._database.writing() as connection:
            second_factors.set_recovery_codes(connection, person_id, [normal(code) for code in codes])
        return codes

    def use(self, person_id: int, typed: str, now_ms: int) -> Answer:
        """Check a typed code, and mark it as used if it is right. For an app code, raises KeyGone or SealBroken."""
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
        """Derive a 32-byte key for a purpose other than encryption, the same in every process with these keys. Raises
        KeyGone."""
        keys = self._source.keys()
        return hmac.digest(keys.keys[keys.current], purpose.encode(), "sha256")

    def seal_new(self, secret: bytes, browser: str) -> str:
        """Encrypt a new secret for the form that waits for its first code. It can be decrypted for this browser only.
        Raises KeyGone."""
        key_id, sealed = self._seal(secret, _form_place(browser))
        return f"{key_id}:{sealed.hex()}"

    def open_new(self, text: str, browser: str) -> bytes:
        """Decrypt the text of `seal_new`. Raises KeyGone, SealBroken, or ValueError for any other text."""
        key_id, _, sealed = text.rpartition(":")
        return unseal(self._key(key_id), bytes.fromhex(sealed), _form_place(browser))

    def reseal(self, connection: Connection) -> int:
        """Encrypt all secrets with the current key. Return how many had another key. Raises KeyGone or SealBroken."""
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
            raise KeyGone(f"the key {key_id} of second factors is missing: restore it, or reset the second factors")
        return key

    def _seal(self, secret: bytes, place: bytes) -> tuple[str, bytes]:
        current, keys = self._source.keys()
        return current, seal(keys[current], secret, place)


def new_recovery_codes() -> list[str]:
    """Return new recovery codes as they are shown: four groups of four characters."""
    return ["-".join(_group() for _ in range(RECOVERY_LENGTH // 4)) for _ in range(RECOVERY_CODES)]


def normal(typed: str) -> str:
    """Return a typed code in upper case, without spaces and hyphens."""
    return "".join(symbol for symbol in typed.upper() if symbol not in " -")


def _group() -> str:
    return "".join(secrets.choice(CLAIM_ALPHABET) for _ in range(4))


def _place(person_id: int) -> bytes:
    return f"second factor of person {person_id}".encode()


def _form_place(browser: str) -> bytes:
    return f"new second factor in the browser {browser}".encode()
