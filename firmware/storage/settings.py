"""The unit's settings, and where they are kept. What may be set, and within which bounds: bounds.py.

A value out of bounds is refused by name and nothing changes. A stored file that is damaged, or from a firmware with other
bounds, falls back value by value to what the unit has lived with, else to the default, so a unit with a bad file still
charges, and no faster than its installer allowed.
"""

from firmware.errors import SettingError
from firmware.lazy_import import LazyImport
from firmware.storage import record_file

FILE = "/settings"
GOOD_FILE = "/settings.good"  # those that the unit has lived with for a while
ALL = "all"

SECRETS = ("secret", "installer_code")
KEPT = (  # by a factory reset: what the unit is and where it hangs
    "id",
    "broker",
    "port",
    "plain_mqtt",
    "apn",
    "installer_max_a",
    "tethered",
    "ventilated",
    "fallback_amps",
    "installer_code",
)
LOCKED = ("installer_max_a", "tethered", "ventilated", "fallback_amps", "installer_code")  # the installer's alone


class Settings:
    def __init__(self, folder, complaints=None):
        """`complaints`: name -> a further check that says what is wrong with a value, or None."""
        self._path = folder + FILE
        self._good_path = folder + GOOD_FILE
        self._complaints = complaints or {}
        self.lost_writes = 0  # the flash did not take them
        self._take(_stored(self._path), _stored(self._good_path))

    def _take(self, stored, good):
        """`refused` are the names of stored values that were not taken; ALL if the file is damaged."""
        with LazyImport():
            from firmware.storage import bounds

            self._values, self.refused = bounds.taken(stored, good, self._complaints)
        if good and not stored:
            self.refused = [ALL]

    def __getitem__(self, name):
        return self._values[name]

    def names(self):
        return sorted(self._values)

    def shown(self, name):
        """The value as it may be shown to anybody."""
        if name in SECRETS:
            return "(set)" if self[name] else "(not set)"
        return self[name] if self[name] != "" else "-"

    def provisioned(self):
        """True when the unit knows who it is and whom to call."""
        return bool(self["id"] and self["secret"] and self["broker"])

    def change(self, wanted):
        """Check every name and value of the dict `wanted`, then store them all; SettingError and no change if one is bad.
        OSError and no change if the flash does not take them.
        """
        with LazyImport():
            from firmware.storage import bounds

            for name, value in wanted.items():
                why = bounds.why_not(name, value, self._complaints)
                if why:
                    raise SettingError(name, why)
        values = dict(self._values)
        values.update(wanted)
        self._store(self._path, values)
        self._values = values

    def reset(self, secret):
        """All but KEPT to their defaults, under a new secret. OSError if the flash does not take it."""
        with LazyImport():
            from firmware.storage import bounds

            values, _ = bounds.taken({name: self[name] for name in KEPT}, {}, self._complaints)
        values["secret"] = secret
        self._store(self._path, values)
        self._values = values

    def keep_as_good(self):
        """The unit has lived with these for a while."""
        try:
            self._store(self._good_path, self._values)
        except OSError:
            pass  # the good ones of before stay

    def fall_back(self):
        """Go back to the last good ones. False if there are none, or they are the same."""
        good = _stored(self._good_path)
        if not good or good == self._values:
            return False
        self._take(good, {})
        try:
            self._store(self._path, self._values)
        except OSError:
            pass  # they hold until the next boot, which does the same
        return True

    def _store(self, path, values):
        try:
            record_file.save(path, values)
        except OSError:
            self.lost_writes += 1
            raise


def _stored(path):
    """The settings in a file, {} if it holds none."""
    stored = record_file.load(path)
    return stored if isinstance(stored, dict) else {}
