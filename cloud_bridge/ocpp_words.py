"""Titles and advice for the error codes of OCPP 1.6 chargers. Pure.

Names begin with `ocpp_`, so that they are not confused with faults of our own firmware, for which the advice may be to
press its button. Codes: ChargePointErrorCode, section 7.6 of "Open Charge Point Protocol 1.6".
"""

from typing import NamedTuple

from cloud_bridge.words import N_

PREFIX = "ocpp_"
OTHER_FAULT, OTHER_TROUBLE = f"{PREFIX}other", f"{PREFIX}warning"

_UNPLUG = N_(
    "Unplug the vehicle, and plug it in again. If the fault comes back, do not use the charger until it "
    "has been checked."
)
_ELECTRICIAN = N_("Unplug the vehicle, and do not use the charger until it has been checked.")


class Words(NamedTuple):
    title: str
    advice: str


FAULTS = {
    "connectorlockfailure": Words(N_("The lock of its socket does not work"), _UNPLUG),
    "evcommunicationerror": Words(N_("The vehicle does not answer as it should"), _UNPLUG),
    "groundfailure": Words(
        N_("Earth leakage"),
        N_(
            "Current may have leaked to earth, in the vehicle, the cable or the charger. Do not press the test button of a "
            "breaker, and do not reset a breaker that trips again. If vehicle, cable and charger are dry and undamaged, "
            "unplug the vehicle. Leave the charger unused until an electrician has checked it."
        ),
    ),
    "hightemperature": Words(
        N_("The charger is too hot"),
        N_(
            "Leave it to cool down, with nothing on or against it. The charger goes on by itself when it is "
            "over. If it does not within an hour, it needs to be checked."
        ),
    ),
    "internalerror": Words(N_("The charger reports an internal fault"), _ELECTRICIAN),
    "locallistconflict": Words(N_("The charger does not accept its list of users"), _ELECTRICIAN),
    "mode3error": Words(N_("The vehicle cable's pilot wire is faulty"), _UNPLUG),
    "overcurrentfailure": Words(
        N_("The vehicle takes more current than it was offered"),
        N_("Unplug the vehicle. If it happens again, do not charge this vehicle here until both have been checked."),
    ),
    "overvoltage": Words(
        N_("The mains voltage is too high"),
        N_(
            "The charger goes on by itself when it is over. If it does not within an hour, it needs to be "
            "checked. If your lights flicker or are very bright too, call the operator of your electricity "
            "network."
        ),
    ),
    "powermeterfailure": Words(N_("The energy meter does not answer"), _ELECTRICIAN),
    "powerswitchfailure": Words(
        N_("The contactor does not switch"),
        N_(
            "The cable may be live. Do not touch the contacts of its plug. Switch the charger off at the consumer unit or its "
            "isolator, then unplug the vehicle. Leave it off until an electrician has checked it."
        ),
    ),
    "readerfailure": Words(N_("Its card reader does not work"), _UNPLUG),
    "resetfailure": Words(N_("The charger could not be restarted"), _ELECTRICIAN),
    "undervoltage": Words(
        N_("The mains voltage is too low"),
        N_(
            "The charger goes on by itself when it is over. If it does not within an hour, it needs to be "
            "checked. If your lights flicker or are dim too, call the operator of your electricity network."
        ),
    ),
    "weaksignal": Words(N_("Its mobile signal is too weak"), _UNPLUG),
    "other": Words(N_("The charger reports a fault"), _ELECTRICIAN),
}
TROUBLES = {
    "weaksignal": Words(
        N_("Its mobile or wireless signal is weak"),
        N_("If it keeps dropping out, ask us for help: its signal may need a boost."),
    ),
    "warning": Words(
        N_("It reports something that does not stop it"),
        N_("If this stays, or the charger does not charge as it should, ask us for help."),
    ),
}


def is_of_ocpp(name: str) -> bool:
    """Return whether the name is a fault or a trouble of an OCPP charger, and not of one of our units."""
    return name.startswith(PREFIX)


def fault_name(code: str) -> str | None:
    """Return the fault's name for an error code in lower case, or None if the standard does not have the code."""
    code = "other" if code == "othererror" else code
    return f"{PREFIX}{code}" if code in FAULTS else None


def trouble_name(code: str) -> str | None:
    """Return the trouble's name for an error code in lower case, or None if it is no trouble."""
    return f"{PREFIX}{code}" if code in TROUBLES else None


def fault_words(name: str) -> Words | None:
    """Return title and advice of a fault, or None if the name is not one of these."""
    return FAULTS.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None


def trouble_words(name: str) -> Words | None:
    """Return title and advice of a trouble, or None if the name is not one of these."""
    return TROUBLES.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
