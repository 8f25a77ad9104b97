"""What people are alerted to, in which words, and for how long the same alert is held down. Pure.

The hold-down is for the same trouble of the same unit: a unit that flaps must not send a message a minute. It goes by
kind, and for faults and troubles by their name too: a second, different fault is news, however soon. A weak signal has
another mean every day and is still the same trouble. A charge is done once a session, whatever the vehicle draws later to
keep itself warm.

A fault or a silence that ends and comes back within its hold-down is not alerted at once. Whoever saw it end believes
that all is well, so if it is still there when the hold-down ends, it is alerted then. If it has ended by itself
meanwhile, it is not. A trouble that was alerted and simply lasts is not alerted again.
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
    """The words of the store and of a webhook's payload."""

    SILENT = "silent"
    BACK = "back"
    FAULT = "fault"
    WEAK_SIGNAL = "weak_signal"
    BROWN_OUT = "brown_out"
    INCIDENT = "incident"  # many fell silent at once; for those who run the service
    TROUBLE = "trouble"  # it charges, and something else is wrong with it
    DUPLICATE_IDENTITY = "duplicate_identity"  # a second charge point logs in as this one
    NEW_JOB = "new_job"  # support asks an installer
    VISIT = "visit"  # the installer's is planned, planned anew or called off
    DONE = "done"  # the vehicle takes no more, though it may
    VEHICLE_LOST = "vehicle_lost"  # the access to a car account; only told to its owner
    NOT_READY = "not_ready"  # the vehicle, by its departure; or it will be, after all. Only told to who set the plan
    ANSWER = "answer"  # of support, to the person who wrote
    UPDATE = "update"  # of the firmware: it is coming, was made, or was gone back from
    ROLL_OUT_STOPPED = "roll_out_stopped"  # by itself; for those who run the service
    MONTHLY_REPORT = "monthly_report"  # of one charger, in the first days of the next month


USUAL = (  # told by e-mail and Web Push to drivers who have not chosen
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
    AlertKind.BACK: 0,  # only after its silence was told, so that holds it down too
    AlertKind.FAULT: HOUR_MS,
    AlertKind.WEAK_SIGNAL: 7 * DAY_MS,
    AlertKind.BROWN_OUT: DAY_MS,
    AlertKind.INCIDENT: HOUR_MS,
    AlertKind.TROUBLE: 7 * DAY_MS,
    AlertKind.DUPLICATE_IDENTITY: 7 * DAY_MS,
    AlertKind.NEW_JOB: 0,  # each is another one
    AlertKind.VISIT: 0,  # who is not told of the newest waits at home in vain
    AlertKind.DONE: 2 * DAY_MS,  # of one session; another one is news
    AlertKind.VEHICLE_LOST: DAY_MS,  # of one vehicle
    AlertKind.UPDATE: 0,  # each tells another step
    AlertKind.ROLL_OUT_STOPPED: 0,  # it stops once
    AlertKind.MONTHLY_REPORT: 62 * DAY_MS,  # of one month
    AlertKind.NOT_READY: 0,  # once a departure, and once that it is well (readiness/telling.py)
    AlertKind.ANSWER: 0,  # the first that is not read holds the ones after it down (store/alerts.py, take_answers)
}
UNREAD_AFTER_MS = MINUTE_MS  # who has the conversation open has read an answer by then
MAX_FAULTS = 16  # different ones of a unit within the hold-down: more than it has, so invented names are no flood
MAX_DETAIL = 40  # characters


class Happening(NamedTuple):
    """Something to be told."""

    about: AlertKind
    unit_id: str | None
    at_ms: int
    # the fault's name, the number of units, the trouble's name, when a visit is (empty: it is called off), the session's
    # beginning, the vehicle's id, the version of the firmware, the month, a departure and what of it
    detail: str = ""
    began_ms: int | None = None  # when what is told of happened, where that is not `at_ms`
    person_id: int | None = None  # who alone is told; None: whoever may see the unit
    result: Callable[[], str] = str  # says, in the language of who is told, what only the place of its detection knows
    said_ms: int | None = None  # when what is told of happened by the unit's own word, where that is not `began_ms`
    is_ocpp: bool = False  # it is of a charger of another maker


SILENT = N_(
    "We have not heard from {name} for more than half an hour. It charges on as a standard charger. Your dashboard says what "
    "to do."
)
SILENT_BY_ITS_SETTING = N_(  # of a charger of another maker
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
FAULT_OF_OCPP = N_("{name} has stopped with a fault ({fault}).")  # whose light may have another colour
VISIT = N_("Your installer's visit for {name} is planned for {time}.")
VISIT_CALLED_OFF = N_("Your installer's visit for {name} is called off. Its page for help says how it goes on.")


def words(happening: Happening, unit_name: str) -> str:
    """What is said to a person, in the language of now. Never a secret, and nothing that a late reader could take for an
    order."""
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
    """Whether so many that fell silent within ten minutes are one incident and not theirs."""
    return fell >= INCIDENT_UNITS and fell > units * INCIDENT_SHARE
