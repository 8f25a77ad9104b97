"""Titles of the faults of a charge point, and advice on what a driver may safely do about each. Pure.

The names and rules are the firmware's (firmware/charging/README.md). The advice needs no tools and sends nobody near
water or damage: anything beyond unplugging, pressing the button once or switching off is for an electrician. Earth
leakage that comes back is not a false alarm, so no advice says to press or reset repeatedly.
"""

from collections.abc import Iterable
from typing import NamedTuple

from cloud_bridge.ocpp_words import fault_words
from cloud_bridge.text import unknown
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _


class Fault(NamedTuple):
    name: str
    title: str
    advice: str
    press_once: bool = False  # the button clears it; safe, since the contactor stays open while the cause lasts


# Shown with every fault.
KEEP_AWAY = N_(
    "If there is water in the charger or its plug, or anything is damaged, hot or smells burnt, keep away and touch nothing. "
    "Do not open the charger."
)
LEAVE_IT = N_("Leave the charger unused until an electrician has checked it.")
PRESS_ONCE = N_(
    "Then press the button on the charger once. If the fault comes back, do not press again. Leave the "
    "charger unused until an electrician has checked it."
)

_LEAK = N_(
    "Current may have leaked to earth, in the vehicle, the cable or the charger. Do not press the test button of a breaker, "
    "and do not reset a breaker that trips again. If vehicle, cable and charger are dry and undamaged, unplug the vehicle."
)
_PLUG_IN_AGAIN = N_(
    "Unplug the vehicle, and plug it in again. If the fault comes back, do not use the charger until it "
    "has been checked."
)

KNOWN = {
    fault.name: fault
    for fault in (
        Fault("rcd_ac", N_("Earth leakage (AC)"), _LEAK, press_once=True),
        Fault("rcd_dc", N_("Earth leakage (DC)"), _LEAK, press_once=True),
        Fault(
            "rcd_selftest",
            N_("The earth leakage protection failed its own test"),
            N_(
                "The charger cannot rely on its protection against electric shock. Unplug the vehicle, and do not use the "
                "charger until an electrician has checked it."
            ),
        ),
        Fault(
            "contactor_welded",
            N_("The contactor does not open"),
            N_(
                "The cable may be live. Do not touch the contacts of its plug. Switch the charger off at the consumer unit or "
                "its isolator, then unplug the vehicle. Leave it off until an electrician has checked it."
            ),
        ),
        Fault(
            "contactor_stuck_open",
            N_("The contactor does not close"),
            N_("The charger cannot switch the current on. Unplug the vehicle."),
            press_once=True,
        ),
        Fault(
            "guard",
            N_("The safety circuit opened the contactor by itself"),
            N_(
                "A second circuit has stopped the charger. Unplug the vehicle, and plug it in again. If the fault "
                "comes back, do not use the charger until it has been checked."
            ),
        ),
        Fault(
            "supply",
            N_("The mains voltage is out of range"),
            N_(
                "The voltage at your home is too high or too low for charging. The charger goes on by itself when it "
                "is over. If it does not within an hour, it needs to be checked. If your lights flicker or are very "
                "bright or dim too, call the operator of your electricity network."
            ),
        ),
        Fault(
            "meter",
            N_("The energy meter does not answer"),
            N_(
                "Without its meter the charger does not know its supply, so it does not charge. The charger goes on "
                "by itself when it is over. If it does not within an hour, it needs to be checked."
            ),
        ),
        Fault("pilot", N_("The vehicle cable's pilot wire is faulty"), _PLUG_IN_AGAIN),
        Fault(
            "diode",
            N_("The vehicle does not answer as it should"),
            N_(
                "Unplug the vehicle, and plug it in again. If the fault comes back, do not use the charger until it "
                "has been checked. If another vehicle charges here, the first one needs to be checked."
            ),
        ),
        Fault(
            "proximity",
            N_("The vehicle cable is not recognised"),
            N_(
                "Unplug the cable at both ends, and plug it in again as far as it goes. "
                "If another cable works, do not use this one."
            ),
        ),
        Fault(
            "over_current",
            N_("The vehicle takes more current than it was offered"),
            N_(
                "Unplug the vehicle. If it happens again, do not charge this vehicle here until both have been checked."
            ),
        ),
        Fault(
            "over_temperature",
            N_("The charger is too hot"),
            N_(
                "Leave it to cool down, with nothing on or against it. The charger goes on by itself when it is "
                "over. If it does not within an hour, it needs to be checked."
            ),
        ),
        Fault(
            "temperature_sensor",
            N_("The temperature sensor does not answer"),
            N_(
                "Without it the charger does not know how warm it is, so it does not charge. The charger goes on by "
                "itself when it is over. If it does not within an hour, it needs to be checked."
            ),
        ),
    )
}

# Latched faults that unplugging does not clear: somebody has to press the button.
WAIT_FOR_A_PERSON = frozenset({"rcd_ac", "rcd_dc", "rcd_selftest", "contactor_welded", "contactor_stuck_open"})


def described(name: str) -> Fault:
    """Return title and advice in the reader's language. A fault of a newer firmware, unknown here, gets general
    advice."""
    known = KNOWN.get(name)
    if known is not None:
        return known._replace(title=_(known.title), advice=_(known.advice))
    if (words := fault_words(name)) is not None:
        return Fault(name, _(words.title), _(words.advice))
    advice = _(
        "We do not know this fault yet. Unplug the vehicle, and do not use the charger until it has been checked."
    )
    return Fault(name, unknown(_("A fault that we do not know ({name})"), name), advice)


def in_words(name: str) -> str:
    """Return the title of a fault in the reader's language."""
    return described(name).title


def what_to_do(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return title and advice of each fault. The button clears all faults that it can, so if one of them must not be
    cleared by a driver, or is unknown, the advice to press the button is left out for all."""
    found = [described(name) for name in names]
    may_press = all(
        fault.press_once or (fault.name in KNOWN and fault.name not in WAIT_FOR_A_PERSON) for fault in found
    )
    last = _(PRESS_ONCE) if may_press else _(LEAVE_IT)
    return [(fault.title, f"{fault.advice} {last}" if fault.press_once else fault.advice) for fault in found]
