"""The unit's settings: what may be set, within which bounds, and where it is kept.

A value out of bounds is refused by name and nothing changes. A stored file that is damaged, or from a firmware with other
bounds, falls back value by value to the default, so a unit with a bad file still charges.
"""

from firmware.errors import SettingError
from firmware.storage import record_file

FILE = "/settings"
GOOD_FILE = "/settings.good"  # those that the unit has lived with for a while


def _text(longest, letters=None):
    def check(value):
        if not isinstance(value, str) or not value or len(value) > longest:
            return "needs 1 to %d characters" % longest
        for letter in value:
            if (letters and letter not in letters) or not " " <= letter <= "~":
                return "has a character that is not allowed"
        return None

    return check


def _whole(lowest, highest):
    def check(value):
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            return "needs a whole number from %d to %d" % (lowest, highest)
        return None

    return check


def _none_or(lowest, highest):
    """0 switches it off."""
    inside = _whole(lowest, highest)
    return lambda value: None if value == 0 and not isinstance(value, bool) else inside(value)


def _flag(value):
    return None if isinstance(value, bool) else "needs true or false"


_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

# name: default, check (None = fine, else what it needs)
TABLE = {
    "id": ("", _text(36, _ID_LETTERS)),  # MQTT user name and client id
    "secret": ("", _text(128)),  # MQTT password; never shown
    "broker": ("", _text(253)),
    "port": (8883, _whole(1, 65535)),
    "plain_mqtt": (False, _flag),  # for development: no TLS, everything in clear text; the heartbeat says so
    "apn": ("internet", _text(50)),  # 50: CSTT, SIM800 AT manual
    "installer_max_a": (32, _whole(6, 80)),  # of the circuit; set by the installer
    "tethered": (True, _flag),  # the cable is fixed to the unit
    "ventilated": (False, _flag),  # the place has the ventilation that state D asks for
    "fallback_amps": (0, _none_or(6, 80)),  # ceiling while the house's load manager is not heard; 0 = it has none
    "installer_code": ("", _text(32)),  # opens the locked settings; never shown
    "schedule": ("", _text(200)),  # charging/schedule.py; "" = the owner has not chosen yet
    "random_delay_max_s": (600, _whole(0, 1800)),  # SI 2021/1467, regulation 11
    "heartbeat_idle_s": (300, _whole(5, 3600)),  # design, section 4.1
    "heartbeat_charging_s": (60, _whole(5, 600)),
}
SECRETS = ("secret", "installer_code")
LOCKED = ("installer_max_a", "tethered", "ventilated", "fallback_amps", "installer_code")  # the installer's alone


class Settings:
    def __init__(self, folder, complaints=None):
        """`complaints`: name -> a further check that says what is wrong with a value, or None."""
        self._path = folder + FILE
        self._good_path = folder + GOOD_FILE
        self._complaints = complaints or {}
        self._values = {}
        self.refused = []  # names of stored values that fell back to their default
        self._take(record_file.load(self._path))

    def _take(self, stored):
        stored = stored if isinstance(stored, dict) else {}
        for name, (default, _) in TABLE.items():
            value = stored.get(name, default)
            if name in stored and self._why_not(name, value):
                self.refused.append(name)
                value = default
            self._values[name] = value

    def __getitem__(self, name):
        return self._values[name]

    def shown(self, name):
        """The value as it may be shown to anybody."""
        if name in SECRETS:
            return "(set)" if self[name] else "(not set)"
        return self[name] if self[name] != "" else "-"

    def provisioned(self):
        """True when the unit knows who it is and whom to call."""
        return bool(self["id"] and self["secret"] and self["broker"])

    def change(self, wanted):
        """Check every name and value of the dict `wanted`, then store them all; SettingError and no change if one is bad."""
        for name, value in wanted.items():
            if name not in TABLE:
                raise SettingError(name, "no such setting")
            why = self._why_not(name, value)
            if why:
                raise SettingError(name, why)
        values = dict(self._values)
        values.update(wanted)
        record_file.save(self._path, values)
        self._values = values

    def keep_as_good(self):
        """The unit has lived with these for a while."""
        try:
            record_file.save(self._good_path, self._values)
        except OSError:
            pass  # the good ones of before stay

    def fall_back(self):
        """Go back to the last good ones. False if there are none, or they are the same."""
        good = record_file.load(self._good_path)
        if not isinstance(good, dict) or good == self._values:
            return False
        self._take(good)
        try:
            record_file.save(self._path, self._values)
        except OSError:
            pass  # they hold until the next boot, which does the same
        return True

    def _why_not(self, name, value):
        why = TABLE[name][1](value)
        return why or (self._complaints[name](value) if name in self._complaints else None)
