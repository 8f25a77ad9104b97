"""Parsers of AT responses. Each function takes the text of a response and returns a value or a named tuple.

All raise ProtocolError if the text is incomplete or belongs to another command. An empty or absent field is None. Formats:
3GPP TS 27.007 for the commands that it defines, otherwise SIM800 Series AT Command Manual V1.12.
"""

from collections import namedtuple

from modem import cme
from modem.charset import decoded
from modem.errors import ProtocolError
from modem.fields import line_after, number, optional_number, split
from modem.registration import Registration, registration
from modem.signal import NO_READING, csq_from_dbm

__all__ = ("Registration", "registration")  # re-exported, so that this module has the parsers of all responses

REGISTERED = (1, 5)  # 27.007, 7.2 <stat>: at home, and roaming
NUMERIC = 2  # +COPS <format>: PLMN as digits

Operator = namedtuple("Operator", ("stat", "long_name", "short_name", "plmn", "act"))
Serving = namedtuple("Serving", ("mode", "format", "name", "act"))

# A year outside this range means that the modem has no network time yet (04/01/01, 70/01/01 or 80/01/06 after power-up, by
# family).
CLOCK_YEARS = (2024, 2069)


def signal_quality(text: str) -> tuple[int, int]:
    """Parse +CSQ (27.007, 8.5); return (csq, ber): csq 0..31, ber 0..7, each 99 if not known.

    Families with TD-SCDMA and LTE also report 100 for -116 dBm or less, then 1 dB per step up to 191, and 199 for not known
    (SIM7600 Series AT Command Manual V3.00, +CSQ). These are converted.
    """
    values, _ = split(line_after(("+CSQ:",), text), text)
    if len(values) != 2:
        raise ProtocolError("+CSQ needs two fields", text)
    csq, ber = [number(value, text) for value in values]
    if 100 <= csq <= 191:
        csq = csq_from_dbm(csq - 216)
    elif csq == 199:
        csq = NO_READING
    if (csq > 31 and csq != 99) or (ber > 7 and ber != 99):
        raise ProtocolError("+CSQ out of range", text)
    return csq, ber


def operator(text: str) -> Serving:
    """Parse +COPS? (27.007, 7.3); return (mode, format, name, act). In format 2 the name is the PLMN. None: not registered."""
    values, quoted = split(line_after(("+COPS:",), text), text)
    while len(values) > 1 and values[-1] is None and not quoted[len(values) - 1]:  # commas at the end
        values = values[:-1]
    mode = number(values[0], text)
    if len(values) == 1:
        return Serving(mode, None, None, None)
    if len(values) not in (3, 4):
        raise ProtocolError("+COPS needs 1, 3 or 4 fields", text)
    name_format = number(values[1], text)
    if name_format == NUMERIC and values[2] is not None:
        _checked_plmn(values[2], text)
    elif not quoted[2]:
        raise ProtocolError("+COPS with a name that is not quoted", text)
    return Serving(mode, name_format, values[2], number(values[3], text) if len(values) == 4 else None)


def _checked_plmn(plmn: str | None, text: str) -> str:
    if plmn is None or not _is_plmn(plmn):
        raise ProtocolError("not a PLMN", text)
    return plmn


def _is_plmn(value: str | None) -> bool:
    """Return whether `value` is a PLMN: MCC and MNC together have 5 or 6 digits; one modem (quicksilver) reports 7."""
    return value is not None and 5 <= len(value) <= 7 and not value.strip("0123456789")


def sim_state(text: str) -> str:
    """Parse +CPIN (27.007, 8.3); return READY, SIM PIN, SIM PUK, PH_SIM PIN, NOT READY or NOT INSERTED."""
    state = line_after(("+CPIN:",), text)
    if not state:
        raise ProtocolError("+CPIN without a state", text)
    return state


def cme_error(text: str) -> "tuple[int | None, str | None]":
    """Parse +CME ERROR (27.007, 9.2), numeric or verbose; return (code, name), None for what is not known.

    The colon is optional, because the manual and the modules differ.
    """
    if not text.startswith("+CME ERROR"):
        raise ProtocolError("not a +CME ERROR", text)
    value = text[len("+CME ERROR") :].lstrip(":").strip()
    if value.isdigit():
        return number(value, text), cme.name(number(value, text))
    return cme.code_and_name(value) or (None, value or None)


def clock(text: str) -> int | None:
    """Parse +CCLK (27.007, 8.15); return seconds since 1970, UTC, or None while the modem has no network time.

    The modem reports local time with its zone in quarters of an hour: "24/05/06,12:34:56+04". A modem without network time may
    omit the zone.
    """
    values, _ = split(line_after(("+CCLK:",), text), text)
    stamp = values[0] or ""
    has_zone = len(stamp) != 17
    if not has_zone:
        stamp += "+00"
    marks = "".join([stamp[at : at + 1] for at in range(2, 18, 3)])  # MicroPython's slices have no step
    if len(values) != 1 or len(stamp) != 20 or marks not in ("//,::+", "//,::-"):
        raise ProtocolError("not a time", text)
    year, month, day, hour, minute, second, quarters = [number(stamp[at : at + 2], text) for at in range(0, 20, 3)]
    year += 2000
    if not (1 <= month <= 12 and hour < 24 and minute < 60 and second < 61 and quarters <= 56):
        raise ProtocolError("not a time", text)
    if not 1 <= day <= _days_since_1970(year, month + 1, 1) - _days_since_1970(year, month, 1):
        raise ProtocolError("not a day of the calendar", text)
    if not CLOCK_YEARS[0] <= year <= CLOCK_YEARS[1]:
        return None
    if not has_zone:
        raise ProtocolError("a time without its zone", text)
    local = ((_days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    return local - (quarters if marks.endswith("+") else -quarters) * 900


def _days_since_1970(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01, for years 1901..2099. Counts years from 1 March, so that the leap day comes last."""
    if month < 3:
        year -= 1
        month += 12
    return 365 * year + year // 4 - 15 + (153 * (month - 3) + 2) // 5 + day - 719_469


def forbidden(text: str) -> list[str]:
    """Parse +CRSM of EF_FPLMN (31.102, 4.2.16); return the forbidden PLMNs. Each has three bytes: "62F210" is 26201."""
    values, _ = split(line_after(("+CRSM:",), text), text)
    if len(values) != 3 or (values[0], values[1]) != ("144", "0"):
        raise ProtocolError("the SIM does not give the file", text)
    coded = values[2] or ""
    places = [coded[at : at + 6] for at in range(0, len(coded), 6)]
    plmns = [place[1] + place[0] + place[3] + place[5] + place[4] + place[2] for place in places if len(place) == 6]
    return [_checked_plmn(plmn[:5] if plmn[5] == "F" else plmn, text) for plmn in plmns if plmn != "FFFFFF"]


def setting(text: str) -> int:
    """Return the value of a setting that is one number: AT+CFUN?, +CGATT?, +CTZU?, +IPR?."""
    return numbers(text[: text.find(":") + 1], 1, text)[0]


def numbers(name: str, count: int, text: str) -> tuple[int, ...]:
    """Return the `count` unsigned numbers that follow `name` ("+CFUN:")."""
    values, _ = split(line_after((name,), text), text)
    if len(values) != count:
        raise ProtocolError("%s needs %d fields" % (name, count), text)
    return tuple([number(value, text) for value in values])


def operators(text: str, charset: str = "GSM") -> list[Operator]:
    """Parse +COPS=? (27.007, 7.3); return an Operator for each network, in the modem's order. `charset`: that of AT+CSCS.

    Names may contain commas and parentheses. Modems omit fields, split the list over lines, and append the ranges of modes
    and formats with or without a comma. Therefore a parenthesis counts as a network if its fourth field is quoted or a PLMN.
    """
    line_after(("+COPS:",), text)
    found = []
    at = text.find("(")
    while at >= 0:
        close = _closing(text, at)
        values, quoted = split(text[at + 1 : close].replace("\r", "").replace("\n", ""), text)
        at = close + 1
        if len(values) > 3 and (quoted[3] or _is_plmn(values[3])):
            act = values[4] if len(values) > 4 else None
            # tm506 closes the parenthesis before the access technology: (2,"T","T","310260"),2),(1,...
            if act is None and text[at : at + 1] == "," and text[at + 2 : at + 3] == ")" and text[at + 1].isdigit():
                act = text[at + 1]
            found.append(_operator(values, act, charset, text))
        at = text.find("(", at)
    return found


def _operator(values: "list[str | None]", act: str | None, charset: str, text: str) -> Operator:
    stat, long_name, short_name, plmn = values[:4]
    if len(plmn or "") >= 16:  # too long for a PLMN, so the modem uses UCS2, regardless of `charset`
        charset = "UCS2"
    plmn = decoded(plmn, charset)
    _checked_plmn(plmn, text)
    return Operator(
        number(stat, text), decoded(long_name, charset), decoded(short_name, charset), plmn, optional_number(act, text)
    )


def _closing(text: str, at: int) -> int:
    """Return the index of the parenthesis that closes the one at `at`. Parentheses within quotes are part of a name."""
    within_quotes = False
    for end in range(at, len(text)):
        if text[end] == '"':
            within_quotes = not within_quotes
        elif text[end] == ")" and not within_quotes:
            return end
    raise ProtocolError("parenthesis not closed", text)
