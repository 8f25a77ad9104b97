"""The unit's settings in flash. bounds.py has their defaults and bounds.

A change with an invalid value is refused as a whole. If the stored file is damaged, or from a firmware with other bounds, each
invalid value is replaced by the last good one, or by its default. The unit then still charges, within the installer's limit.
"""

from firmware.errors import SettingError
from firmware.lazy_import import LazyImport
from firmware.storage import record_file

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

FILE = "/settings"
GOOD_FILE = "/settings.good"  # settings with which the unit has worked for some time
ALL = "all"

SECRETS = ("secret", "installer_code")
KEPT = (  # not changed by a factory reset: identity and installation
    "id",
    "broker",
    "port",
    "plain_mqtt",
    "apn",
    "installer_max_a",
    "tethered",
    "ventilated",
    "fallback_amps",
    "contactor_fitted_at",
    "installer_code",
    "pilot_gain_permille",
    "pilot_zero_mv",
)
# Settings that do not require the installer code. All others do: identity, trust, installation.
OWNERS = ("schedule", "random_delay_max_s", "heartbeat_idle_s", "heartbeat_charging_s")


class Settings:
    """The settings, by name. `refused`: names of stored values that were invalid, ALL if the file was damaged.

    `lost_writes` counts failed flash writes.
    """

    def __init__(self, folder: str, complaints: "dict[str, Callable[[Any], str | None]] | None" = None) -> None:
        """`complaints`: further checks by name; each returns why a value is refused, or None."""
        self._path = folder + FILE
        self._good_path = folder + GOOD_FILE
        self._complaints = complaints or {}
        self.lost_writes = 0
        self._take(_stored(self._path), _stored(self._good_path))

    def _take(self, stored: "dict[str, Any]", good: "dict[str, Any]") -> None:
        """Use stored values, as far as they are valid."""
        with LazyImport():
            from firmware.storage import bounds

            self._values: dict[str, Any]
            self.refused: list[str]
            self._values, self.refused = bounds.taken(stored, good, self._complaints)
        if good and not stored:
            self.refused = [ALL]

    def __getitem__(self, name: str) -> "Any":
        return self._values[name]

    def names(self) -> list[str]:
        """Return the names of all settings, sorted."""
        return sorted(self._values)

    def shown(self, name: str) -> "Any":
        """Return the value for display: "(set)" or "(not set)" for a secret, "-" for an empty text."""
        if name in SECRETS:
            return "(set)" if self[name] else "(not set)"
        return self[name] if self[name] != "" else "-"

    def provisioned(self) -> bool:
        """Return whether identity, secret and broker are set."""
        return bool(self["id"] and self["secret"] and self["broker"])

    def change(self, wanted: "dict[str, Any]") -> None:
        """Check and store all values of `wanted`. Raises SettingError if one is invalid, OSError if the flash fails.

        If it raises, nothing has changed.
        """
        with LazyImport():
            from firmware.storage import bounds

            for name, value in wanted.items():
                why = bounds.why_not(name, value, self._complaints) or bounds.too_short(name, value)
                if why:
                    raise SettingError(name, why)
        values = dict(self._values)
        values.update(wanted)
        self._store(self._path, values)
        self._values = values

    def reset(self, secret: str) -> None:
        """Reset all settings except KEPT to their defaults, and set a new secret. Raises OSError if the flash fails."""
        with LazyImport():
            from firmware.storage import bounds

            values, _ = bounds.taken({name: self[name] for name in KEPT}, {}, self._complaints)
        values["secret"] = secret
        self._store(self._path, values)
        self._values = values

    def keep_as_good(self) -> None:
        """Store the current settings as the good ones. Raises nothing."""
        try:
            self._store(self._good_path, self._values)
        except OSError:
            pass  # the previous good settings remain

    def fall_back(self) -> bool:
        """Restore the last good settings. Return False if there are none, or if they equal the current ones."""
        good = _stored(self._good_path)
        if good and self["installer_code"]:
            # The installer code is not restored, so that resets cannot unlock a unit or bring an old code back.
            good["installer_code"] = self["installer_code"]
        if not good or good == self._values:
            return False
        self._take(good, {})
        try:
            self._store(self._path, self._values)
        except OSError:
            pass  # they apply until the next boot, which then restores them again
        return True

    def _store(self, path: str, values: "dict[str, Any]") -> None:
        try:
            record_file.save(path, values)
        except OSError:
            self.lost_writes += 1
            raise


def _stored(path: str) -> "dict[str, Any]":
    """Return the settings stored in a file, {} if there are none."""
    stored = record_file.load(path)
    return stored if isinstance(stored, dict) else {}
