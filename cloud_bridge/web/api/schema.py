"""Response models of the HTTP interface. The OpenAPI description (/openapi.json) is generated from them.

Times are ISO 8601 in UTC with milliseconds and Z. Unknown values are null.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from cloud_bridge.alerts.kinds import AlertKind
from cloud_bridge.alerts.services import MAX_TARGET, Via
from cloud_bridge.contact import Contact
from cloud_bridge.values import HEARTBEAT

MAX_FIELDS = 8  # in NewAlert.fields

Time = Annotated[str, Field(description="ISO 8601, UTC", examples=["2026-01-31T09:30:00.000Z"])]
Csq = Annotated[int, Field(ge=0, le=31, description="Signal strength as CSQ (3GPP TS 27.007, section 8.5).")]
Operator = Annotated[
    str, Field(description="PLMN of the mobile network: the digits of MCC and MNC.", examples=["23415"])
]


class Schema(BaseModel):
    """Base of the response models. Additional fields are refused."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True, validate_by_name=True)


class ClockStep(Schema):
    """An adjustment of the service's wall clock."""

    at: Annotated[Time, Field(description="Time of the step, by the adjusted clock.")]
    by_ms: Annotated[int, Field(description="Size of the step; positive if the clock was set forward.")]


class ServiceClock(Schema):
    """The clock that the service stamps every contact with."""

    steps: Annotated[list[ClockStep], Field(description="The last ten clock steps, oldest first.")]
    unverified_ms: Annotated[
        int,
        Field(
            description="By how much the wall clock is ahead of the time that has verifiably passed; negative if it is "
            "behind. Unverified time neither expires nor deletes anything."
        ),
    ]


class DutyHealth(Schema):
    """A task that the service repeats."""

    every_s: Annotated[float, Field(description="Pause between two runs.")]
    age_s: Annotated[float, Field(description="Time since the last success, or since the start if there was none.")]
    failures: Annotated[int, Field(description="Failed runs since the start.")]
    late: Annotated[bool, Field(description="True if `age_s` exceeds three times `every_s` plus one minute.")]


class UpkeepHealth(Schema):
    """Whether this process does the upkeep: it detects silence, sends alerts, polls vehicles and deletes expired data. Of all
    processes that share a database, one at a time does it."""

    here: Annotated[bool, Field(description="True if this process does the upkeep.")]
    since: Annotated[
        Time | None,
        Field(description="When this process started the upkeep; null if another process does it, or none."),
    ]


class ServiceStatus(Schema):
    """State of the service, for callers without the scope `operate`."""

    status: Annotated[str, Field(description='"ok" or "in trouble".')]


class Health(Schema):
    """State of the service, for callers with the scope `operate`."""

    status: Annotated[str, Field(description='"ok", or what is wrong.')]
    trouble: Annotated[
        str | None,
        Field(description="Why messages cannot be stored or logins cannot be answered; null if the process is ready."),
    ]
    listening: Annotated[
        bool, Field(description="True if the service's own canary message was received and stored in time.")
    ]
    deaf_nodes: Annotated[
        list[str],
        Field(description="Cluster nodes whose canary is overdue, so that units cannot be heard through them."),
    ]
    connections: Annotated[int, Field(description="Open connections of units; 0 with an outside broker.")]
    waiting_to_be_stored: int
    rejected_by_store: Annotated[
        int,
        Field(description="Messages set aside since the start because the database refuses their data."),
    ]
    store_retries: int
    refused_logins: Annotated[int, Field(description="Logins of people refused because too many were in progress.")]
    duties: Annotated[dict[str, DutyHealth], Field(description="The service's repeated tasks, by name.")]
    upkeep: UpkeepHealth
    clock: ServiceClock
    counters: Annotated[dict[str, int], Field(description="What was received and what was refused since the start.")]


class _ChargePoint(Schema):
    """Current state of a charge point. Values that the unit reports are null until it has reported them."""

    id: str
    protocol: Annotated[
        Literal["mqtt", "ocpp"],
        Field(
            description="mqtt: a charge point with Chargekeeper's firmware. ocpp: a charger of another maker, which "
            "reports only some of the values."
        ),
    ]
    last_contact: Annotated[
        Time | None, Field(description="When a message from the charge point was last received; null if never.")
    ]
    contact: Contact
    silence_ms: Annotated[
        int | None,
        Field(description="Time since `last_contact`, excluding the service's own outages."),
    ]
    checked_at: Time
    next_message_expected: Annotated[
        Time | None, Field(description="When the next heartbeat is due; null if unknown, or if the unit is silent.")
    ]
    late: Annotated[
        bool, Field(description="True if the heartbeat is overdue by more than a minute and nothing else was received.")
    ]
    connected: Annotated[
        bool | None,
        Field(
            description="True if the unit has an open connection, which is no evidence of contact; null if unknown, for "
            "example with an outside broker."
        ),
    ]
    heartbeat_at: Time | None
    firmware: Annotated[str | None, Field(description="Firmware version, as last reported.")]
    board: Annotated[str | None, Field(description="Board that the firmware was built for, as of the last boot.")]
    modem: Annotated[str | None, Field(description="Modem model, as identified after the last boot.")]
    contactor_closings: Annotated[
        int | None, Field(description="Contactor closings in the unit's life, as of its last daily report.")
    ]
    mobile_data_bytes: Annotated[
        int | None,
        Field(description="Mobile data of one day, both directions with headers, as of the last daily report."),
    ]
    duplicate_identity_since: Annotated[
        Time | None,
        Field(
            description="Since when two charge points have used this id, so that the values here mix both; null if there "
            "is no evidence of that."
        ),
    ]
    boot: int | None
    sequence: int | None
    unit_time_s: Annotated[int | None, Field(description="Epoch seconds, by the unit's clock.")]


_TYPES: dict[str, Any] = {  # by Value.type (values.py)
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
    """A time interval that includes `from` and excludes `to`."""

    from_: Annotated[Time, Field(alias="from")]
    to: Time


class Records(Interval):
    """The records of an interval."""

    unreadable: Annotated[
        int, Field(description="Number of further records that are left out because their stored content is invalid.")
    ]


class Gap(Schema):
    """More than 21 minutes without contact."""

    from_: Annotated[Time, Field(alias="from")]
    to: Annotated[Time | None, Field(description="End of the gap; null if it has not ended.")]
    duration_ms: int
    our_outage_ms: Annotated[int, Field(description="How much of the gap was an outage of the service itself.")]


class ContactHistory(Records):
    """Gaps in the contact with a charge point, and outages of the service."""

    last_contact: Annotated[Time | None, Field(description="When a message was last received; null if never.")]
    availability: Annotated[
        float | None,
        Field(
            ge=0,
            le=1,
            description="Share of the time, without the service's outages, in which the charge point was not silent; null "
            "if there was no such time.",
        ),
    ]
    fell_silent: Annotated[int, Field(description="How often the charge point became silent since `from`.")]
    gaps: list[Gap]
    our_outages: list[Interval]


class SignalReading(Schema):
    """The signal reported in one heartbeat."""

    at: Time
    csq: Csq
    operator: Operator | None


class SignalSummary(Schema):
    """The signal on one network over five minutes, or over an hour for data older than a month."""

    at: Annotated[Time, Field(description="Start of the interval.")]
    until: Annotated[Time, Field(description="End of the interval.")]
    lowest: Csq
    mean: Annotated[float, Field(ge=0, le=31)]
    highest: Csq
    samples: int
    operator: Operator | None


class SignalHistory(Records):
    resolution: Literal["raw", "5min"]
    points: list[SignalReading] | list[SignalSummary]


class JournalRecord(Schema):
    """Fields that every record of the charge point's journal has. `boot` and `sequence` identify the record."""

    received_at: Time
    boot: int | None
    sequence: int | None


class ChargingSession(JournalRecord):
    """A charging session. `started_s` and `ended_s` are null if the unit's clock was not set."""

    number: Annotated[
        int | None, Field(description="Running number of the session on its unit; null with older firmware.")
    ]
    started_s: Annotated[int | None, Field(description="Epoch seconds, by the unit's clock.")]
    ended_s: int | None
    duration_s: int | None
    energy_wh: int | None
    reason: Annotated[str | None, Field(description="Why the session ended.")]
    cost: Annotated[
        float | None,
        Field(
            description="Cost in `currency`, by today's tariff, with the energy spread evenly over the hours of charging; "
            "null if no tariff is set or the unit's clock was not set."
        ),
    ]


class SessionHistory(Records):
    currency: Annotated[str, Field(description="Currency of the site, ISO 4217.", examples=["GBP"])]
    sessions: list[ChargingSession]


class JournalEvent(JournalRecord):
    unit_time_s: Annotated[int | None, Field(description="Epoch seconds, by the unit's clock.")]
    kind: Annotated[str | None, Field(examples=["fault_raised"])]
    payload: Annotated[str, Field(description="JSON, as the unit sent it.")]


class EventHistory(Records):
    events: list[JournalEvent]


class NewAlert(BaseModel):
    """A new subscription to alerts: their kind, and where they are sent. E-mail goes to the address of the account, and Web
    Push to its browsers; neither takes a target. A push service needs these `fields`: discord and slack `address`, pushover
    `user` and `token`, telegram `token` and `chat`."""

    about: AlertKind = Field(examples=["silent"])
    via: Via = Field(examples=["webhook"])
    target: str = Field(
        "", max_length=MAX_TARGET, description="URL of a webhook.", examples=["https://hooks.example.org/chargers"]
    )
    fields: dict[str, Annotated[str, Field(max_length=MAX_TARGET)]] = Field(
        {}, max_length=MAX_FIELDS, description="Fields of a push service."
    )


class Alert(Schema):
    """One of the caller's subscriptions to alerts. The signing key of a webhook is returned only when it is created."""

    number: int
    about: AlertKind
    via: Via
    target: Annotated[str, Field(description="URL of a webhook; of a push service, its last characters.")]


class AlertKey(Schema):
    key: Annotated[
        str | None,
        Field(
            description="Key that a webhook's deliveries are signed with, returned only once; null for other services."
        ),
    ]


class UnknownClient(Schema):
    """A client id that tried to connect or to publish and belongs to no registered charge point."""

    id: str
    first: Time
    last: Time
    messages: int


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


# Responses of every route that needs a token.
ACCESS_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "No valid token."},
    403: {"model": Problem, "description": "The token lacks the scope for this."},
    429: {
        "model": Problem,
        "description": "Too many wrong tokens from this address. Try again after Retry-After seconds.",
    },
    503: {"model": Problem, "description": "The database cannot be reached. Try again."},
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "It does not exist, or the caller may not see it."}
}
PROBLEMS = ACCESS_PROBLEMS | NOT_FOUND
