"""The kinds of alerts, their texts, and how long an alert of the same kind is held down. Pure.

The hold-down applies to the same trouble of the same unit, because a unit that flaps must not send a message every minute. It
is kept for each kind, and for faults and troubles also for each name: a different fault is news, however soon. The mean of a
weak signal differs every day and is nevertheless the same trouble. The end of a charge is alerted once in a session, whatever
the vehicle draws later to keep itself warm.

A fault or a silence that ends and returns within its hold-down is not alerted at once. The person believes that all is well,
so if it still exists when the hold-down ends, it is alerted then. If it has ended by itself, it is not. A trouble that was
alerted and simply lasts is not alerted again.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.faults import in_words
from cloud_bridge.ocpp_words import is_of_ocpp
from cloud_bridge.troubles import described
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

INCIDENT_WITHIN_MS = 10 * MINUTE_MS
INCIDENT_UNITS = 10  # fewer may be chance
INCIDENT_SHARE = 0.2  # of all units


class AlertKind(StrEnum):
    """The values are stored, and sent in a webhook's payload."""

    SILENT = "silent"
    BACK = "back"
    FAULT = "fault"
    WEAK_SIGNAL = "weak_signal"
    BROWN_OUT = "brown_out"
    INCIDENT = "incident"  # many units fell silent at once; for operators
    TROUBLE = "trouble"  # it charges, but has another problem
    DUPLICATE_IDENTITY = "duplicate_identity"  # a second charge point uses this identity
    NEW_JOB = "new_job"  # support has asked an installer
    VISIT = "visit"  # an installer's visit was planned, rescheduled or called off
    DONE = "done"  # the vehicle draws no more current, although it is offered
    VEHICLE_LOST = "vehicle_lost"  # access to a car account; only for its owner
    NOT_READY = (
        "not_ready"  # the vehicle at its departure; or it will be ready after all. Only for the person who set the plan
    )
    ANSWER = "answer"  # from support, to the person who wrote
    UPDATE = "update"  # a firmware update is coming, was made, or was rolled back
    ROLL_OUT_STOPPED = "roll_out_stopped"  # by itself; for operators
    MONTHLY_REPORT = "monthly_report"  # of one charge point, in the first days of the next month


USUAL = (  # sent by e-mail and Web Push to drivers who have not chosen
    AlertKind.SILENT,
    AlertKind.BACK,
    AlertKind.FAULT,
    AlertKind.DONE,
    AlertKind.VEHICLE_LOST,
    AlertKind.NOT_READY,
    AlertKind.ANSWER,
    AlertKind.VISIT,
)


HOLD_MS: dict[AlertKind, int] = {
    AlertKind.SILENT: 6 * HOUR_MS,
    AlertKind.BACK: 0,  # sent only after an alert about the silence, whose hold-down thereby applies
    AlertKind.FAULT: HOUR_MS,
    AlertKind.WEAK_SIGNAL: 7 * DAY_MS,
    AlertKind.BROWN_OUT: DAY_MS,
    AlertKind.INCIDENT: HOUR_MS,
    AlertKind.TROUBLE: 7 * DAY_MS,
    AlertKind.DUPLICATE_IDENTITY: 7 * DAY_MS,
    AlertKind.NEW_JOB: 0,  # each is a different job
    AlertKind.VISIT: 0,  # a person who does not know the newest visit waits at home in vain
    AlertKind.DONE: 2 * DAY_MS,  # of one session; another session is news
    AlertKind.VEHICLE_LOST: DAY_MS,  # of one vehicle
    AlertKind.UPDATE: 0,  # each is about another step
    AlertKind.ROLL_OUT_STOPPED: 0,  # it stops once
    AlertKind.MONTHLY_REPORT: 62 * DAY_MS,  # of one month
    AlertKind.NOT_READY: 0,  # once for a departure, and once for the all-clear (readiness/telling.py)
    AlertKind.ANSWER: 0,  # the first unread answer holds down the following ones (store/alerts.py, take_answers)
}
UNREAD_AFTER_MS = MINUTE_MS  # a person who has the conversation open has read an answer by then
MAX_FAULTS = 16  # different faults of a unit within the hold-down; it has fewer, so invented names cannot flood
MAX_DETAIL = 40  # characters


class Happening(NamedTuple):
    """Something to be alerted."""

    about: AlertKind
    unit_id: str | None
    at_ms: int
    # the fault's name, the number of units, the trouble's name, the time of a visit (empty: called off), the start of the
    # session, the vehicle's id, the firmware version, the month, or a departure with its news
    detail: str = ""
    began_ms: int | None = None  # when it happened, if not at `at_ms`
    person_id: int | None = None  # the only person to alert; None for everybody who may see the unit
    result: Callable[[], str] = str  # returns details in the recipient's language that only the detector knows
    said_ms: int | None = None  # when it happened by the unit's own clock, if not at `began_ms`
    is_ocpp: bool = False  # it is about an OCPP charger


SILENT = N_(
    "We have not heard from {name} for more than half an hour. It charges on as a standard charger. Your dashboard says what "
    "to do."
)
SILENT_BY_ITS_SETTING = N_(  # of an OCPP charger
    "We have not heard from {name} for more than half an hour. Whether it charges meanwhile is a setting of its own. Your "
    "dashboard says what to do."
)
WORDS = {
    AlertKind.BACK: N_("{name} is back: we hear from it again."),
    AlertKind.WEAK_SIGNAL: N_("The mobile signal at {name} was weak for a whole day (CSQ {detail})."),
    AlertKind.BROWN_OUT: N_("{name} has lost its supply for a moment and started again."),
    AlertKind.TROUBLE: N_("{name} charges, but needs attention: {result}. Its page says what to do."),
    AlertKind.DUPLICATE_IDENTITY: N_(
        "A second charger uses the identity of {name}, so its readings and history mix both. Its page says what to do."
    ),
    AlertKind.NEW_JOB: N_("There is a new job for you, at {unit_id}. Your jobs say where, and why."),
    AlertKind.ANSWER: N_("Support has answered you. Log in and open Support to read it."),
    AlertKind.INCIDENT: N_("{detail} chargers fell silent within ten minutes: a network or we ourselves."),
    AlertKind.DONE: N_(
        "Charging is done at {name}: {result}. The vehicle is full, or has reached the limit that is set in it."
    ),
    AlertKind.ROLL_OUT_STOPPED: N_(
        "The roll-out of firmware {detail} has stopped: {result}. Units that have not installed it give it up."
    ),
    AlertKind.MONTHLY_REPORT: N_("The charging report of {name} for {result} is ready."),
}
FAULT = N_("{name} has stopped with a fault ({fault}) and shows a red light.")
FAULT_OF_OCPP = N_("{name} has stopped with a fault ({fault}).")  # its light may have another colour
VISIT = N_("Your installer's visit for {name} is planned for {time}.")
VISIT_CALLED_OFF = N_("Your installer's visit for {name} is called off. Its page for help says how it goes on.")


def words(happening: Happening, unit_name: str) -> str:
    """Return the text of an alert, in the current language. It contains no secret, and nothing that a late reader could take
    for an instruction."""
    detail = happening.detail
    match happening.about:
        case AlertKind.SILENT:
            return _(SILENT_BY_ITS_SETTING if happening.is_ocpp else SILENT).format(name=unit_name)
        case AlertKind.FAULT:
            return _(FAULT_OF_OCPP if is_of_ocpp(detail) else FAULT).format(name=unit_name, fault=in_words(detail))
        case AlertKind.VISIT if detail:
            return _(VISIT).format(name=unit_name, time=happening.result())
        case AlertKind.VISIT:
            return _(VISIT_CALLED_OFF).format(name=unit_name)
        case AlertKind.VEHICLE_LOST:
            return happening.result()
        case AlertKind.UPDATE | AlertKind.NOT_READY:
            return f"{unit_name}: {happening.result()}"
    result = _titles(detail) if happening.about is AlertKind.TROUBLE else happening.result()
    return _(WORDS[happening.about]).format(name=unit_name, unit_id=happening.unit_id, detail=detail, result=result)


def _titles(names: str) -> str:
    return "; ".join(described(name).title for name in names.split())


def is_incident(fell: int, units: int) -> bool:
    """Return True if so many units that fell silent within ten minutes are one incident rather than separate faults."""
    return fell >= INCIDENT_UNITS and fell > units * INCIDENT_SHARE
