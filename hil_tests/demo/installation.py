"""What `make run` creates once and must remember: each unit's secret, who logs in, and what else was prepared.

Only its owner can read the file. It contains no password: each was printed once. It does contain the key of the
operator's authenticator app, because the panel plays that phone.
"""

import json
import os
from pathlib import Path
from typing import Any

LOGIN = "demo"
INSTALLER, OPERATOR = "installer", "operator"
LOGINS = {LOGIN: "driver", INSTALLER: "installer", "support": "support", OPERATOR: "operator"}  # name: role


class Installation:
    """The stored state of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "installation.json"
        self._kept: dict[str, Any] = {
            "units": {},
            "logins": [],
            "begun": False,
            "operator_key": None,
            "month_due": not self._path.exists(),
        }
        if self._path.exists():
            self._kept |= json.loads(self._path.read_text())
            if login := self._kept.pop("login", None):  # written by a version with a single login
                self._kept["logins"] = [login]

    @property
    def logins(self) -> list[str]:
        """Names of the logins that were created and whose password was printed."""
        return list(self._kept["logins"])

    @property
    def operator_key(self) -> str | None:
        """The key of the authenticator app in base 32, or None until the operator's second factor is set up."""
        key: str | None = self._kept["operator_key"]
        return key

    @property
    def month_due(self) -> bool:
        """Whether the month of history is still to be written: in a new folder."""
        return bool(self._kept["month_due"])

    def unit(self, unit_id: str) -> dict[str, str] | None:
        """Return the secret and the claim code of a unit, or None if it was not added yet."""
        known: dict[str, str] | None = self._kept["units"].get(unit_id)
        return known

    def begin_logins(self) -> bool:
        """Record that logins are being created. Return True if an earlier run did so without printing all passwords."""
        was_begun = bool(self._kept["begun"])
        self._kept["begun"] = True
        self._store()
        return was_begun

    def remember_login(self, name: str) -> None:
        """Record that a login was created and its password printed."""
        self._kept["logins"] = [*self._kept["logins"], name]
        self._store()

    def remember_month(self) -> None:
        """Record that the history was written."""
        self._kept["month_due"] = False
        self._store()

    def remember_operator_key(self, key: str) -> None:
        """Store the key of the authenticator app."""
        self._kept["operator_key"] = key
        self._store()

    def remember_unit(self, unit_id: str, made: dict[str, str]) -> None:
        """Store what the bridge issued for a unit."""
        self._kept["units"][unit_id] = made
        self._store()

    def _store(self) -> None:
        fresh = self._path.with_suffix(".new")
        with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._kept, file, indent=1)
        fresh.replace(self._path)
