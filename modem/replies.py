"""Parsers of AT responses. Each function takes the text of a response and returns a value or a named tuple.

All raise ProtocolError if the text is incomplete or of another command. An empty or absent field is None. Formats: 3GPP TS
27.007 for the commands that it defines, else SIM800 Series AT Command Manual V1.12.
"""

from collections import namedtuple

from modem import cme
from modem.charset import decoded
from modem.errors import ProtocolError
from modem.fields import line_after, lines, number, optional_hexadecimal, optional_number, split
from modem.registration import Registration, registration
from modem.signal import NO_READING, csq_from_dbm

__all__ = ("Registration", "registration")  # of a module of its own, and read here as every other response

NUMERIC = 2  # +COPS <format>: PLMN as digits

Operator = namedtuple("Operator", ("stat", "long_name", "short_name", "plmn", "act"))
Serving = namedtuple("Serving", ("mode", "format", "name", "act"))
Cell = namedtuple("Cell", ("name", "plmn", "rxlev", "cell", "arfcn", "lac", "bsic"))
Link = namedtuple("Link", ("link", "bearer", "protocol", "host", "port", "state"))
Received = namedtuple("Received", ("mode", "link", "got", "left"))

# Outside: the modem has no network time yet (04/01/01, 70/01/01 and 80/01/06 after power-up, by family).
CLOCK_YEARS = (2024, 2069)


def signal_quality(text: str) -> tuple[int, int]:
    """+CSQ (27.007, 8.5): (csq, ber). csq 0..31, ber 0..7; 99 is not known.

    Families with TD-SCDMA and LTE also give 100 for -116 dBm or less, then 1 dB a step up to 191, and 199 for not known
    (SIM7600 Series AT Command Manual V3.00, +CSQ).
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
    """+COPS? (27.007, 7.3): (mode, format, name, act). Format 2: the name is the PLMN; name None: not registered."""
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
    """MCC and MNC have 5 or 6 digits; one modem (quicksilver) reports 7."""
    return value is not None and 5 <= len(value) <= 7 and not value.strip("0123456789")


def sim_state(text: str) -> str:
    """+CPIN (27.007, 8.3): READY, SIM PIN, SIM PUK, PH_SIM PIN, NOT READY or NOT INSERTED."""
    state = line_after(("+CPIN:",), text)
    if not state:
        raise ProtocolError("+CPIN without a state", text)
    return state


def cme_error(text: str) -> "tuple[int | None, str | None]":
    """+CME ERROR (27.007, 9.2): (code, name). Numeric or verbose, with or without the colon: manual and modules differ."""
    if not text.startswith("+CME ERROR"):
        raise ProtocolError("not a +CME ERROR", text)
    value = text[len("+CME ERROR") :].lstrip(":").strip()
    if value.isdigit():
        return number(value, text), cme.name(number(value, text))
    return cme.code_and_name(value) or (None, value or None)


def clock(text: str) -> int | None:
    """+CCLK (27.007, 8.15) in seconds since 1970, UTC; None while the modem has no network time.

    The modem reports local time, and its zone in quarters of an hour: "24/05/06,12:34:56+04".
    """
    values, _ = split(line_after(("+CCLK:",), text), text)
    stamp = values[0] or ""
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
    local = ((_days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    return local - (quarters if marks.endswith("+") else -quarters) * 900


def _days_since_1970(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01. Counts from 1 March, so that the leap day is the last of its year; years 1901..2099."""
    if month < 3:
        year -= 1
        month += 12
    return 365 * year + year // 4 - 15 + (153 * (month - 3) + 2) // 5 + day - 719_469


def forbidden(text: str) -> list[str]:
    """+CRSM of EF_FPLMN (31.102, 4.2.16): the forbidden PLMNs. Three bytes each, "62F210" is 26201."""
    values, _ = split(line_after(("+CRSM:",), text), text)
    if len(values) != 3 or (values[0], values[1]) != ("144", "0"):
        raise ProtocolError("the SIM does not give the file", text)
    coded = values[2] or ""
    places = [coded[at : at + 6] for at in range(0, len(coded), 6)]
    plmns = [place[1] + place[0] + place[3] + place[5] + place[4] + place[2] for place in places if len(place) == 6]
    return [_checked_plmn(plmn[:5] if plmn[5] == "F" else plmn, text) for plmn in plmns if plmn != "FFFFFF"]


def cells(text: str) -> list[Cell]:
    """AT+CNETSCAN (manual p.189): all cells of all operators. rxlev 0..63; lac and bsic only after AT+CNETSCAN=1."""
    return [_cell(line, text) for line in lines(text)]


def _cell(line: str, text: str) -> Cell:
    """Operator:"name",MCC:460,MNC:00,Rxlev:51,Cellid:1A2B,Arfcn:12,Lac:00C3,Bsic:3A. The quoted name may contain commas."""
    named = {}
    name_end = line.find('",')
    if not line.startswith('Operator:"') or name_end < 0:
        raise ProtocolError("not a cell", text)
    for part in line[name_end + 2 :].split(","):
        colon = part.find(":")
        if colon < 0:
            raise ProtocolError("not a cell", text)
        named[part[:colon].strip().lower()] = part[colon + 1 :].strip() or None
    mcc = named.get("mcc") or ""
    mnc = named.get("mnc") or ""
    if number(mcc, text) > 999 or len(mcc) != 3 or number(mnc, text) > 999 or len(mnc) not in (2, 3):
        raise ProtocolError("a cell without its network", text)
    return Cell(
        line[len('Operator:"') : name_end] or None,
        mcc + mnc,
        number(named.get("rxlev"), text),
        optional_hexadecimal(named.get("cellid"), text),
        optional_number(named.get("arfcn"), text),
        optional_hexadecimal(named.get("lac"), text),
        optional_hexadecimal(named.get("bsic"), text),
    )


def cipstatus(text: str) -> tuple[str, list[Link]]:
    """AT+CIPSTATUS: (state, links). The states are those of the manual, p.223; links is empty unless CIPMUX=1."""
    state = line_after(("STATE:",), text)
    if not state:
        raise ProtocolError("STATE without a state", text)
    return state, [_link(line, text) for line in lines(text) if line.startswith("C:")]


def _link(line: str, text: str) -> Link:
    values, _ = split(line[2:].strip(), text)
    if len(values) != 6:
        raise ProtocolError("C: needs six fields", text)
    link, bearer, protocol, host, port, state = values
    return Link(number(link, text), optional_number(bearer, text), protocol, host, optional_number(port, text), state)


def rxget(text: str) -> Received:
    """+CIPRXGET: (mode, link, got, left), bytes. Mode 1: data available, 2 and 3: `got` bytes follow, 4: `left` only."""
    values, _ = split(line_after(("+CIPRXGET:",), text), text)
    numbers = [number(value, text) for value in values]
    if len(numbers) == 4 and numbers[0] in (2, 3):
        return Received(*numbers)
    if len(numbers) == 3 and numbers[0] == 4:
        return Received(4, numbers[1], None, numbers[2])
    if len(numbers) == 2 and numbers[0] == 1:
        return Received(1, numbers[1], None, None)
    raise ProtocolError("+CIPRXGET of no known form", text)


def cipack(text: str) -> tuple[int, ...]:
    """+CIPACK: (sent, acknowledged, not acknowledged) bytes since the connection was opened."""
    return _numbers("+CIPACK:", 3, text)


def data_accept(text: str) -> tuple[int, ...]:
    """DATA ACCEPT: (link, bytes accepted). Fewer than sent if the modem's buffer is full."""
    return _numbers("DATA ACCEPT:", 2, text)


def setting(text: str) -> int:
    """The value of a setting with one number: AT+CFUN?, +CGATT?, +CIPMUX?, +CLTS?, +IPR?."""
    return _numbers(text[: text.find(":") + 1], 1, text)[0]


def _numbers(name: str, count: int, text: str) -> tuple[int, ...]:
    values, _ = split(line_after((name,), text), text)
    if len(values) != count:
        raise ProtocolError("%s needs %d fields" % (name, count), text)
    return tuple([number(value, text) for value in values])


def operators(text: str, charset: str = "GSM") -> list[Operator]:
    """+COPS=? (27.007, 7.3): an Operator for each network, in the modem's order. `charset` is that of AT+CSCS.

    Names may contain commas and parentheses. Modems omit fields, split the list over lines, and append the ranges of modes
    and formats with or without a comma. Therefore a network is a parenthesis whose fourth field is quoted, or a PLMN.
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
    if len(plmn or "") >= 16:  # too long for a PLMN: the modem is set to UCS2, regardless of `charset`
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
