"""What may be set on a unit, and within which bounds. In memory only at the start and while something is set (settings.py)."""


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


def why_not(name, value, complaints):
    """What is wrong with a value, or None. `complaints`: name -> a further check that says what is wrong, or None."""
    if name not in TABLE:
        return "no such setting"
    why = TABLE[name][1](value)
    return why or (complaints[name](value) if name in complaints else None)


def taken(stored, good, complaints):
    """(values, names refused) of what was stored: each value that is missing or refused is the last `good` one, else its
    default. Refused is also a name that this firmware does not know.
    """
    refused = [name for name in stored if not _stands(name, stored[name], complaints)]
    values = {}
    for name, (default, _) in TABLE.items():
        values[name] = default
        for source in (stored, good):
            if name in source and _stands(name, source[name], complaints):
                values[name] = source[name]
                break
    return values, refused


def _stands(name, value, complaints):
    """What is stored may be so: a good value, or one that nobody has set yet."""
    return not why_not(name, value, complaints) or (name in TABLE and value == TABLE[name][0])
