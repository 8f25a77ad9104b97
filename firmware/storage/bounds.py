"""The settings with their defaults and bounds. Imported only at the start and while a setting is changed (settings.py)."""

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

    Check = Callable[[object], str | None]


def _text(longest: int, letters: str | None = None) -> "Check":
    def check(value: object) -> str | None:
        if not isinstance(value, str) or not value or len(value) > longest:
            return "needs 1 to %d characters" % longest
        for letter in value:
            if (letters and letter not in letters) or not " " <= letter <= "~":
                return "has a character that is not allowed"
        return None

    return check


def _whole(lowest: int, highest: int) -> "Check":
    def check(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            return "needs a whole number from %d to %d" % (lowest, highest)
        return None

    return check


def _none_or(lowest: int, highest: int) -> "Check":
    """Return a check like `_whole` that also accepts 0, for off."""
    inside = _whole(lowest, highest)
    return lambda value: None if value == 0 and not isinstance(value, bool) else inside(value)


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "needs true or false"


CODE_MIN = 8  # characters of a new installer code; a stored one from an older firmware may be shorter
_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

# name: default, check (None if valid, else what is required)
TABLE: "dict[str, tuple[Any, Check]]" = {
    "id": ("", _text(36, _ID_LETTERS)),  # MQTT user name and client id
    "secret": ("", _text(128)),  # MQTT password; never shown
    "broker": ("", _text(253)),
    "port": (8883, _whole(1, 65535)),
    "plain_mqtt": (False, _flag),  # for development: no TLS; reported in the heartbeat
    "apn": ("internet", _text(50)),  # the limit of startup.open_pdp_context
    # Rating of the circuit in units that were installed before commissioning records were introduced (commissioning.py).
    "installer_max_a": (6, _whole(6, 80)),
    "tethered": (True, _flag),  # the cable is fixed to the unit
    "ventilated": (False, _flag),  # the site has the ventilation that state D requires
    "fallback_amps": (0, _none_or(6, 80)),  # ceiling without messages from the load manager; 0 = no load manager
    "contactor_fitted_at": (0, _whole(-1000000, 10000000)),  # count of closings when the contactor was new
    "installer_code": ("", _text(32)),  # unlocks all settings but the owner's; never shown. At least CODE_MIN if new
    # Calibration of the board's pilot measurement (board.py). Within these bounds, no state's level is read as another state.
    "pilot_gain_permille": (1000, _whole(950, 1050)),
    "pilot_zero_mv": (0, _whole(-300, 300)),
    "schedule": ("", _text(200)),  # charging/schedule.py; "" = not chosen yet
    "random_delay_max_s": (600, _whole(0, 1800)),  # SI 2021/1467, regulation 11
    "heartbeat_idle_s": (1140, _whole(5, 3600)),  # below 1 MB a month; a failed one leaves 11 of the 30 minutes
    "heartbeat_charging_s": (60, _whole(5, 600)),
}


def why_not(name: str, value: object, complaints: "dict[str, Check]") -> str | None:
    """Return why a value is refused, or None. `complaints`: further checks by name, of the same type as in TABLE."""
    if name not in TABLE:
        return "no such setting"
    why = TABLE[name][1](value)
    return why or (complaints[name](value) if name in complaints else None)


def too_short(name: str, value: str) -> str | None:
    """Return why an otherwise valid value is refused as a new one, or None."""
    if name == "installer_code" and len(value) < CODE_MIN:
        return "needs at least %d characters" % CODE_MIN
    return None


def taken(
    stored: "dict[str, Any]", good: "dict[str, Any]", complaints: "dict[str, Check]"
) -> "tuple[dict[str, Any], list[str]]":
    """Return (values, names refused) of `stored` settings.

    A missing or refused value is replaced by the one in `good`, or by its default. An unknown name is refused.
    """
    refused = [name for name in stored if not _stands(name, stored[name], complaints)]
    values: dict[str, Any] = {}
    for name, (default, _) in TABLE.items():
        values[name] = default
        for source in (stored, good):
            if name in source and _stands(name, source[name], complaints):
                values[name] = source[name]
                break
    return values, refused


def _stands(name: str, value: object, complaints: "dict[str, Check]") -> bool:
    """Return whether a stored value is valid or equals the default."""
    return not why_not(name, value, complaints) or (name in TABLE and value == TABLE[name][0])
