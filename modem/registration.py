"""Parses +CREG, +CGREG and +CEREG: 3GPP TS 27.007, 7.2, 10.1.20 and 10.1.22, responses and URCs, <n> 0 to 5. Pure.

A response has <n> before <stat>, a URC does not, and modems differ in the fields that follow. The parser therefore makes every
reading that the grammar allows. A field on which the readings disagree is None. It raises ProtocolError if no reading is
possible, or if the readings disagree on <stat>.
"""

from collections import namedtuple

from modem.errors import ProtocolError
from modem.fields import line_after, split

Registration = namedtuple("Registration", ("stat", "lac", "cell", "act"))

COMMANDS = ("+CREG:", "+CGREG:", "+CEREG:")
N_MAX = 5
STAT_MAX = 11  # 27.007 V17: attached for access to RLOS
ACT_MAX = 16  # 27.007 V18: satellite NG-RAN
# The fields that may follow <stat>: a area code, c cell, t AcT, r routing area code, x cause type, y reject cause, T timer,
# ? unknown
FORMS = (
    "",
    "ac",
    "act",
    "actr",  # +CGREG
    "actxy",  # <n>=3
    "actrxy",
    "actxyTT",  # +CEREG, <n>=4 and 5
    "actrxyTT",  # the same from u-blox and others, with a routing area or MME code
    "actrxyTTT",  # +CGREG, <n>=4 and 5
)
OTHER_ORDERS = ("arct", "acrt", "arctxyTT")  # Novatel writes the first, SIM7000 and LARA-R6 the last
# Thuraya writes a cell as "F0,0F"; the Samsung S8500 adds two fields.
UNKNOWN_FORMS = ("a?", "ac?", "ac??", "ac???")
# (forms, strict): first the forms of the standard, then those that are written less strictly.
RULES = ((FORMS, True), (OTHER_ORDERS, True), (FORMS + OTHER_ORDERS, False), (UNKNOWN_FORMS, True))
AREA_MAX, CELL_MAX, ROUTING_AREA_MAX, CAUSE_MAX = 0xFFFF, 0xFFFFFFFF, 0xFF, 255


def registration(text: str) -> Registration:
    """Return the Registration of the first +CREG, +CGREG or +CEREG line; unknown fields are None. Raises ProtocolError."""
    responses, urcs = _all_readings(line_after(COMMANDS, text), text)
    readings = responses + urcs
    if not readings:
        raise ProtocolError("not a registration", text)
    if len({reading.stat for reading in readings}) > 1:
        raise ProtocolError("a response or a URC: <stat> is not certain", text)
    fields = [field[0] if len(set(field)) == 1 else None for field in zip(*readings)]
    return Registration(*fields)


def is_urc(line: str) -> bool:
    """Return whether this +CREG, +CGREG or +CEREG line can only be a URC, not a response."""
    try:
        responses, urcs = _all_readings(line_after(COMMANDS, line), line)
    except ProtocolError:
        return False
    return bool(urcs) and not responses


def _all_readings(fields: str, text: str) -> tuple[list[Registration], list[Registration]]:
    """Return (readings as a response, readings as a URC) by the first of RULES that gives any; ([], []) if none does."""
    values, quoted = split(fields, text)
    for forms, strict in RULES:
        urcs, responses = [
            [reading for form in forms for reading in _readings(values, quoted, stat_at, form, strict)]
            for stat_at in (0, 1)
        ]
        if responses or urcs:
            return responses, urcs
    return [], []


def _readings(
    values: "list[str | None]", quoted: list[bool], stat_at: int, form: str, strict: bool
) -> list[Registration]:
    """Return the fields as a list of one Registration, or [] if they do not match `form`. `stat_at`: index of <stat>."""
    if len(values) != stat_at + 1 + len(form) or quoted[stat_at] or (stat_at and _decimal(values[0], N_MAX) is None):
        return []
    stat = _decimal(values[stat_at], STAT_MAX)
    if stat is None:
        return []
    found: dict[str, int | None] = {}
    for at, kind in enumerate(form, stat_at + 1):
        value = values[at]
        if value is not None and kind != "?":
            found[kind] = _field(kind, value, quoted[at], strict)
            if found[kind] is None:
                return []
    return [Registration(stat, found.get("a"), found.get("c"), found.get("t"))]


def _field(kind: str, value: str, quoted: bool, strict: bool) -> int | None:
    """Return the number of a field; None if `value` is not a field of this kind. `strict`: written as in 27.007."""
    if kind == "a":  # at least two digits (Huawei E160G), so that a <stat> is not mistaken for an area code
        return _hexadecimal(value, AREA_MAX, 4 if strict else 1 if quoted else 2)
    if kind == "c":
        return _hexadecimal(value, CELL_MAX, 4 if strict else 1)
    if kind == "r":
        return _hexadecimal(value, ROUTING_AREA_MAX, 2 if strict and not quoted else 1)
    if kind == "t":
        padded = len(value) > 1 and value[0] == "0"  # a routing area code may be written like this
        return None if strict and (quoted or padded) else _decimal(value, ACT_MAX)
    if kind == "T":  # eight bits, 24.008, 10.5.7.3 and 10.5.7.4
        return 0 if len(value) == 8 and not value.strip("01") else None
    return _decimal(value, 1 if kind == "x" else CAUSE_MAX)


def _decimal(value: str | None, most: int) -> int | None:
    """Parse a decimal number of up to three digits (an Iridium modem writes 002 for 2); None if invalid or above `most`."""
    value = (value or "").strip()
    if not 0 < len(value) <= 3 or value.strip("0123456789"):
        return None
    return int(value) if int(value) <= most else None


def _hexadecimal(value: str, most: int, digits: int) -> int | None:
    """Parse a hexadecimal number of at least `digits` digits; None if invalid or above `most`. Spaces are padding."""
    value = value.replace(" ", "")
    if not digits <= len(value) <= 9 or value.strip("0123456789abcdefABCDEF"):
        return None
    return int(value, 16) if int(value, 16) <= most else None
