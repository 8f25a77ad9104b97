"""Parses +CREG, +CGREG and +CEREG: 3GPP TS 27.007, 7.2, 10.1.20 and 10.1.22, responses and URCs, <n> 0 to 5. Pure.

A response has <n> before <stat>, a URC has not, and modems differ in what follows. Every reading that the grammar allows is
made; what they do not agree on is None. ProtocolError if nothing fits, or if they disagree on <stat>.
"""

from collections import namedtuple

from modem.errors import ProtocolError
from modem.fields import line_after, split

Registration = namedtuple("Registration", ("stat", "lac", "cell", "act"))

COMMANDS = ("+CREG:", "+CGREG:", "+CEREG:")
N_MAX = 5
STAT_MAX = 11  # 27.007 V17: attached for access to RLOS
ACT_MAX = 16  # 27.007 V18: satellite NG-RAN
# What may follow <stat>: a area code, c cell, t AcT, r routing area code, x cause type, y reject cause, T timer; ? is unknown
FORMS = (
    "",
    "ac",
    "act",
    "actr",  # +CGREG
    "actxy",  # <n>=3
    "actrxy",
    "actxyTT",  # +CEREG, <n>=4 and 5
    "actrxyTT",  # the same of u-blox and others, with a routing area or MME code
    "actrxyTTT",  # +CGREG, <n>=4 and 5
)
OTHER_ORDERS = ("arct", "acrt", "arctxyTT")  # Novatel writes the first, SIM7000 and LARA-R6 the last
# Thuraya writes a cell as "F0,0F"; the Samsung S8500 adds two fields.
UNKNOWN_FORMS = ("a?", "ac?", "ac??", "ac???")
# The standard's first; then what is written less strictly.
RULES = ((FORMS, True), (OTHER_ORDERS, True), (FORMS + OTHER_ORDERS, False), (UNKNOWN_FORMS, True))
AREA_MAX, CELL_MAX, ROUTING_AREA_MAX, CAUSE_MAX = 0xFFFF, 0xFFFFFFFF, 0xFF, 255


def registration(text: str) -> Registration:
    """(stat, lac, cell, act) of the first line that is one of the three."""
    responses, urcs = _all_readings(line_after(COMMANDS, text), text)
    readings = responses + urcs
    if not readings:
        raise ProtocolError("not a registration", text)
    if len({reading.stat for reading in readings}) > 1:
        raise ProtocolError("a response or a URC: <stat> is not certain", text)
    fields = [field[0] if len(set(field)) == 1 else None for field in zip(*readings)]
    return Registration(*fields)


def is_urc(line: str) -> bool:
    """Return whether this line of one of the three can only be a URC, and no response."""
    try:
        responses, urcs = _all_readings(line_after(COMMANDS, line), line)
    except ProtocolError:
        return False
    return bool(urcs) and not responses


def _all_readings(fields: str, text: str) -> tuple[list[Registration], list[Registration]]:
    """(as a response, as a URC), by the first rule that any of them keeps to."""
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
    """One, or none if the fields are not those of `form`."""
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
    """A field's number; None if it is not one of this kind. `strict`: written as in 27.007."""
    if kind == "a":  # at least two digits (Huawei E160G), so that a <stat> is not taken for one
        return _hexadecimal(value, AREA_MAX, 4 if strict else 1 if quoted else 2)
    if kind == "c":
        return _hexadecimal(value, CELL_MAX, 4 if strict else 1)
    if kind == "r":
        return _hexadecimal(value, ROUTING_AREA_MAX, 2 if strict and not quoted else 1)
    if kind == "t":
        padded = len(value) > 1 and value[0] == "0"  # as a routing area code may be written
        return None if strict and (quoted or padded) else _decimal(value, ACT_MAX)
    if kind == "T":  # eight bits, 24.008, 10.5.7.3 and 10.5.7.4
        return 0 if len(value) == 8 and not value.strip("01") else None
    return _decimal(value, 1 if kind == "x" else CAUSE_MAX)


def _decimal(value: str | None, most: int) -> int | None:
    """Of up to three digits: a modem (Iridium) writes 002 for 2."""
    value = (value or "").strip()
    if not 0 < len(value) <= 3 or value.strip("0123456789"):
        return None
    return int(value) if int(value) <= most else None


def _hexadecimal(value: str, most: int, digits: int) -> int | None:
    """Blanks within a field are a modem's padding."""
    value = value.replace(" ", "")
    if not digits <= len(value) <= 9 or value.strip("0123456789abcdefABCDEF"):
        return None
    return int(value, 16) if int(value, 16) <= most else None
