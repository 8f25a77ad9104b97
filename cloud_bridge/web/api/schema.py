"""What the HTTP interface answers: the models that its description (/openapi.json) is made from.

Times are ISO 8601 in UTC with milliseconds and Z. What is unknown is null.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.alerts.services import MAX_TARGET, Via
from cloud_bridge.contact import Contact
from cloud_bridge.values import HEARTBEAT

MAX_FIELDS = 8  # of a form

Time = Annotated[str, Field(description="ISO 8601, UTC", examples=["2026-01-31T09:30:00.000Z"])]
Csq = Annotated[int, Field(ge=0, le=31, description="signal strength, 3GPP TS 27.007 section 8.5")]
Operator = Annotated[str, Field(description="PLMN: MCC and MNC digits", examples=["23415"])]


class Schema(BaseModel):
    """No field more and none less than is described."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True, validate_by_name=True)


class ClockStep(Schema):
    """The clock of the service was set."""

    at: Annotated[Time, Field(description="the time after it")]
    by_ms: Annotated[int, Field(description="forward if positive")]


class ServiceClock(Schema):
    """The clock that stamps every contact."""

    steps: Annotated[list[ClockStep], Field(description="the last ones, oldest first")]
    unverified_ms: Annotated[
        int,
        Field(description="the wall clock is ahead of what has verifiably passed; nothing ends or is deleted by it"),
    ]


class DutyHealth(Schema):
    """Something that the service does again and again."""

    every_s: Annotated[float, Field(description="pause between two turns")]
    age_s: Annotated[float, Field(description="since its last success; while there is none, since the start")]
    failures: Annotated[int, Field(description="since the start")]
    late: Annotated[bool, Field(description="it has not succeeded for more than three turns and a minute")]


class UpkeepHealth(Schema):
    """Which process notices silence, sends alerts, polls vehicles and forgets: one of all that share the database."""

    here: Annotated[bool, Field(description="this process does")]
    since: Annotated[Time | None, Field(description="since when; null: another one does, or none")]


class ServiceStatus(Schema):
    """How the service itself is, for strangers."""

    status: Annotated[str, Field(description='"ok", or "in trouble"')]


class Health(Schema):
    """How the service itself is."""

    status: Annotated[str, Field(description='"ok", or what is wrong')]
    trouble: Annotated[str | None, Field(description="why nothing can be stored, or no login answered, now")]
    listening: Annotated[bool, Field(description="our own canary was stored just now")]
    deaf_nodes: Annotated[list[str], Field(description="of a cluster, those by which no unit is heard now")]
    connections: Annotated[int, Field(description="of units, open now; 0 with an outside broker")]
    waiting_to_be_stored: int
    rejected_by_store: Annotated[int, Field(description="messages kept aside since the start: their data is refused")]
    store_retries: int
    refused_logins: Annotated[int, Field(description="of people, because too many came at once")]
    duties: Annotated[dict[str, DutyHealth], Field(description="by name")]
    upkeep: UpkeepHealth
    clock: ServiceClock
    counters: Annotated[dict[str, int], Field(description="what came in and what was turned away, since the start")]


class _ChargePoint(Schema):
    """A charge point as it stands now. What the unit itself said is null until it has."""

    id: str
    protocol: Annotated[
        Literal["mqtt", "ocpp"],
        Field(description="mqtt: our own wire format. ocpp: a charger of another maker, with what it can tell"),
    ]
    last_contact: Annotated[
        Time | None, Field(description="the last time a message of its own reached us; null: never")
    ]
    contact: Contact
    silence_ms: Annotated[int | None, Field(description="since last contact, without the time we were not listening")]
    checked_at: Time
    next_message_expected: Annotated[
        Time | None, Field(description="of its heartbeat; null: not known, or it is silent")
    ]
    late: Annotated[bool, Field(description="that time is over by a minute, and nothing came")]
    connected: Annotated[
        bool | None,
        Field(description="it has a connection open, which says nothing about contact; null where nobody knows"),
    ]
    heartbeat_at: Time | None
    firmware: Annotated[str | None, Field(description="version, as it said last")]
    board: Annotated[str | None, Field(description="that its firmware is for, as of its last boot")]
    modem: Annotated[str | None, Field(description="model, as the modem named itself after the last boot")]
    contactor_closings: Annotated[int | None, Field(description="in its life, as of its last daily report")]
    mobile_data_bytes: Annotated[
        int | None, Field(description="both ways with headers, in the day of its last daily report")
    ]
    duplicate_identity_since: Annotated[
        Time | None,
        Field(description="two charge points log in with this id, and what is here mixes both; null: no sign of it"),
    ]
    boot: int | None
    sequence: int | None
    unit_time_s: Annotated[int | None, Field(description="epoch seconds, by the unit's clock")]


_TYPES: dict[str, Any] = {  # of values.py
    "text": str | None,
    "number": float | None,
    "count": int | None,
    "time": int | None,
    "csq": int | None,
    "names": list[str] | None,
    "flag": bool | None,
}
ChargePointState = create_model(  # type: ignore[call-overload]  # mypy cannot look into the dict
    "ChargePointState",
    __base__=_ChargePoint,
    __doc__=_ChargePoint.__doc__,
    **{value.name: (_TYPES[value.type], Field(description=value.label)) for value in HEARTBEAT},
)


class Interval(Schema):
    """`from` is included, `to` is not."""

    from_: Annotated[Time, Field(alias="from")]
    to: Time


class Records(Interval):
    """What is stored of that time."""

    unreadable: Annotated[
        int, Field(description="how many more records there are that cannot be shown: their content is not valid")
    ]


class Gap(Schema):
    """A time without contact, longer than 21 minutes."""

    from_: Annotated[Time, Field(alias="from")]
    to: Annotated[Time | None, Field(description="null while it lasts")]
    duration_ms: int
    our_outage_ms: Annotated[int, Field(description="of it, how long we were not listening")]


class ContactHistory(Records):
    """When a charge point was heard, and when not."""

    last_contact: Annotated[Time | None, Field(description="null: never")]
    availability: Annotated[
        float | None, Field(ge=0, le=1, description="part of the time we listened in which it was not silent")
    ]
    fell_silent: Annotated[int, Field(description="how often")]
    gaps: list[Gap]
    our_outages: list[Interval]


class SignalReading(Schema):
    """One heartbeat's reading."""

    at: Time
    csq: Csq
    operator: Operator | None


class SignalSummary(Schema):
    """Five minutes on one network; an hour, where that is all that is kept."""

    at: Annotated[Time, Field(description="their beginning")]
    until: Annotated[Time, Field(description="their end")]
    lowest: Csq
    mean: Annotated[float, Field(ge=0, le=31)]
    highest: Csq
    samples: int
    operator: Operator | None


class SignalHistory(Records):
    resolution: Literal["raw", "5min"]
    points: list[SignalReading] | list[SignalSummary]


class JournalRecord(Schema):
    """What a record of the charge point's journal has, whatever its kind. `boot` and `sequence` name it."""

    received_at: Time
    boot: int | None
    sequence: int | None


class ChargingSession(JournalRecord):
    """Start and end are null when the unit did not know the time."""

    number: Annotated[int | None, Field(description="counts the sessions of the unit; null: older firmware")]
    started_s: Annotated[int | None, Field(description="epoch seconds, by the unit's clock")]
    ended_s: int | None
    duration_s: int | None
    energy_wh: int | None
    reason: Annotated[str | None, Field(description="why it ended")]
    cost: Annotated[
        float | None,
        Field(
            description="in `currency`, by the tariff of today, with the energy taken as even over the hours of charging; "
            "null: there is no tariff, or the unit did not know the time"
        ),
    ]


class SessionHistory(Records):
    currency: Annotated[str, Field(description="of the site, ISO 4217", examples=["GBP"])]
    sessions: list[ChargingSession]


class JournalEvent(JournalRecord):
    unit_time_s: Annotated[int | None, Field(description="epoch seconds, by the unit's clock")]
    kind: Annotated[str | None, Field(examples=["fault_raised"])]
    payload: Annotated[str, Field(description="JSON, as the unit wrote it")]


class EventHistory(Records):
    events: list[JournalEvent]


class NewAlert(BaseModel):
    """What to be told of, and how. Mail goes to the address of the account and needs no target. A push service needs the
    fields of its form: `address` of discord and slack, `user` and `token` of pushover, `token` and `chat` of telegram."""

    about: AlertKind = Field(examples=["silent"])
    via: Via = Field(examples=["webhook"])
    target: str = Field(
        "", max_length=MAX_TARGET, description="of a webhook", examples=["https://hooks.example.org/chargers"]
    )
    fields: dict[str, Annotated[str, Field(max_length=MAX_TARGET)]] = Field(
        {}, max_length=MAX_FIELDS, description="of a push service"
    )


class Alert(Schema):
    """Something that the caller wants to be told of. A webhook's key was told when it was made."""

    number: int
    about: AlertKind
    via: Via
    target: Annotated[str, Field(description="of a push service, only enough to tell it from others")]


class AlertKey(Schema):
    key: Annotated[str | None, Field(description="with which a webhook's signature is made; told once")]


class UnknownClient(Schema):
    """An id that tried to reach us and is no unit of ours."""

    id: str
    first: Time
    last: Time
    messages: int


class Problem(BaseModel):
    """Why a question was not answered."""

    detail: str


# Of every route that needs a token.
ACCESS_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "no valid token"},
    403: {"model": Problem, "description": "the token may not do this"},
    429: {
        "model": Problem,
        "description": "too many wrong tokens came from this address: try again after Retry-After seconds",
    },
    503: {"model": Problem, "description": "the database cannot be reached: try again"},
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "not there, or not the caller's"}}
PROBLEMS = ACCESS_PROBLEMS | NOT_FOUND
