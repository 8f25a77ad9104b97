"""Validate what an installer enters to commission a unit. Pure.

The unit applies the same rules (firmware/commissioning.py), and its decision counts. The page applies them first, to
show an error beside each field before anything is sent.
"""

from typing import Any, NamedTuple

from cloud_bridge.values import NO_CSQ, PASS_ABOVE_CSQ
from cloud_bridge.words import gettext as _

LEAST_A, MOST_A = 6, 80
EARTHING = ("TN-S", "TN-C-S", "TT")  # BS 7671, section 312
RCD_TRIP_MAX_MS = 300  # BS 7671:2018+A2:2022, regulation 643.8, at the rated residual current [from memory]
NO_BOOST, FITTED, ORDERED = "none", "fitted", "ordered"
BOOSTS = (NO_BOOST, FITTED, ORDERED)
RIGHT = "right"  # the form's value for correct polarity
MAX_NAME = 40  # characters
VIA = ("console", "cloud")


class Steps(NamedTuple):
    """The installer's answers, under the names of the command's arguments. The polarity is not included: it is
    correct."""

    amps: int  # rating of the circuit
    earth: str  # one of EARTHING
    rcd_ms: int  # trip time of the RCD
    csq: int  # NO_CSQ if unknown
    boost: str  # one of BOOSTS
    by: str  # the installer's name


def steps_of(details: dict[str, Any]) -> Steps | None:
    """Read the steps from the details of a unit's `commissioned` event. Return None if they are not valid."""
    found = Steps(*(details.get(name) for name in Steps._fields))  # type: ignore[arg-type]  # checked below
    is_whole = all(type(value) is int for value in (found.amps, found.rcd_ms, found.csq))
    if not is_whole or not (LEAST_A <= found.amps <= MOST_A and 0 < found.rcd_ms <= RCD_TRIP_MAX_MS):
        return None
    if not (0 <= found.csq <= NO_CSQ and found.earth in EARTHING and found.boost in BOOSTS):
        return None
    return found if isinstance(found.by, str) and 0 < len(found.by) <= MAX_NAME else None


def steps_typed(typed: dict[str, str], by: str) -> Steps | dict[str, str]:
    """Return the steps from a form, or, if some fields are wrong, what to do about each, by field name."""
    wrong: dict[str, str] = {}
    amps = _number(typed["amps"])
    if amps is None or not LEAST_A <= amps <= MOST_A:
        wrong["amps"] = _("Type the rating of the circuit, {least} to {most} A.").format(least=LEAST_A, most=MOST_A)
    if typed["earth"] not in EARTHING:
        wrong["earth"] = _("Choose the earthing arrangement.")
    if typed["polarity"] != RIGHT:
        wrong["polarity"] = _(
            "The charger cannot be commissioned while live and neutral are exchanged. Correct that first."
        )
    rcd_ms = _number(typed["rcd_ms"])
    if rcd_ms is None or rcd_ms < 1:
        wrong["rcd_ms"] = _("Type the trip time that your tester shows, in milliseconds.")
    elif rcd_ms > RCD_TRIP_MAX_MS:
        wrong["rcd_ms"] = _("The RCD must trip within {most} ms. Correct that first.").format(most=RCD_TRIP_MAX_MS)
    csq = _number(typed["csq"]) if typed["csq"] else NO_CSQ
    if csq is None or not (0 <= csq <= 31 or csq == NO_CSQ):
        wrong["csq"] = _("Type the CSQ, 0 to 31, or leave it empty if there is none.")
    elif (csq == NO_CSQ or csq <= PASS_ABOVE_CSQ) and typed["boost"] != ORDERED:
        wrong["boost"] = _(
            "The CSQ must be greater than {above}. Fit a signal boost and measure again, or order one."
        ).format(above=PASS_ABOVE_CSQ)
    elif typed["boost"] not in BOOSTS:
        wrong["boost"] = _("Choose what was done about the signal.")
    if wrong or amps is None or rcd_ms is None or csq is None:
        return wrong
    return Steps(amps, typed["earth"], rcd_ms, csq, typed["boost"], by[:MAX_NAME])


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else None
