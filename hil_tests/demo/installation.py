"""What `make run` has made once and has to remember: each unit's secret, and whether there is a login.

The file is readable by its owner alone. The password of the login is not in it: it was printed, once.
"""

import json
import os
from pathlib import Path
from typing import Any

LOGIN = "demo"


class Installation:
    """The remembered things of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "installation.json"
        self._kept: dict[str, Any] = {"units": {}, "login": None}
        if self._path.exists():
            self._kept.update(json.loads(self._path.read_text()))

    @property
    def login(self) -> str | None:
        """The name of the login, once there is one."""
        name: str | None = self._kept["login"]
        return name

    def unit(self, unit_id: str) -> dict[str, str] | None:
        """Secret and claim code of a unit, once it has been added."""
        known: dict[str, str] | None = self._kept["units"].get(unit_id)
        return known

    def remember_login(self, name: str) -> None:
        """Notes that a login was made and its password printed."""
        self._kept["login"] = name
        self._store()

    def remember_unit(self, unit_id: str, made: dict[str, str]) -> None:
        """Notes what the bridge gave out for a unit."""
        self._kept["units"][unit_id] = made
        self._store()

    def _store(self) -> None:
        fresh = self._path.with_suffix(".new")
        with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._kept, file, indent=1)
        fresh.replace(self._path)
