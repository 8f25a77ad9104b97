"""What people can be told of, in which words, and how long the same is not said again. Pure."""

from enum import StrEnum
from typing import NamedTuple

from cloud_bridge.faults import in_words

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

INCIDENT_WITHIN_MS = 10 * MINUTE_MS
INCIDENT_UNITS = 10  # fewer may be chance
INCIDENT_SHARE = 0.2  # of all units


class About(StrEnum):
    """The words of the store and of a webhook's payload."""

    SILENT = "silent"
    BACK = "back"
    FAULT = "fault"
    WEAK_SIGNAL = "weak_signal"
    BROWN_OUT = "brown_out"
    INCIDENT = "incident"  # many fell silent at once; for those who run the service


HOLD_MS: dict[About, int] = {  # a unit that flaps is told of once in this time
    About.SILENT: 6 * HOUR_MS,
    About.BACK: 0,  # only after its silence was told, so that holds it down too
    About.FAULT: HOUR_MS,
    About.WEAK_SIGNAL: 7 * DAY_MS,
    About.BROWN_OUT: DAY_MS,
    About.INCIDENT: HOUR_MS,
}


class Happening(NamedTuple):
    """Something to be told."""

    about: About
    unit_id: str | None
    at_ms: int
    detail: str = ""  # the fault's name, the number of units


def words(happening: Happening, unit_name: str) -> str:
    """What is said to a person. Never a secret, and nothing that a late reader could take for an order."""
    return {
        About.SILENT: f"We have not heard from {unit_name} for more than half an hour. It charges on as a standard "
        "charger. Your dashboard says what to do.",
        About.BACK: f"{unit_name} is back: we hear from it again.",
        About.FAULT: f"{unit_name} has stopped with a fault ({in_words(happening.detail)}) and shows a red light.",
        About.WEAK_SIGNAL: f"The mobile signal at {unit_name} was weak for a whole day (CSQ {happening.detail}).",
        About.BROWN_OUT: f"{unit_name} has lost its supply for a moment and started again.",
        About.INCIDENT: f"{happening.detail} chargers fell silent within ten minutes: a network or we ourselves.",
    }[happening.about]


def is_incident(fell: int, units: int) -> bool:
    """Whether so many that fell silent within ten minutes are one incident and not theirs."""
    return fell >= INCIDENT_UNITS and fell > units * INCIDENT_SHARE
