"""What can be ordered over the HTTP interface, and what is told of it: the models of its description.

The words of `do` are those of the pages; `ORDER` has the charge point's own (link/commands of the firmware).
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from cloud_bridge.charging_hours import DEFAULT, OFF
from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.store.commands import CommandStatus
from cloud_bridge.web.api.schema import Schema, Time
from cloud_bridge.web.presentation.hours import MAX_WINDOWS, Window, Windows, written

LONGEST_MS = 7 * DAY_MS  # AHEAD_MAX_S of the firmware
LEAST_AMPS, MOST_AMPS = 6, 80  # that a pilot can offer (IEC 61851-1)

TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["16:00"])]


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    def arguments(self) -> dict[str, Any]:
        """As the charge point takes them."""
        return {}

    def holds_ms(self, now_ms: int) -> int | None:
        """How long it holds if it is given now; None: it has no end."""
        return None


class _Lasting(_Order):
    """Ends by itself, whatever happens to the link. Exactly one of `minutes` and `until` is needed."""

    minutes: Annotated[int | None, Field(ge=1, le=LONGEST_MS // MINUTE_MS, description="from now on")] = None
    until: Annotated[AwareDatetime | None, Field(description="ISO 8601 with an offset, at most seven days ahead")] = (
        None
    )

    @model_validator(mode="after")
    def _has_one_end(self) -> "_Lasting":
        if (self.minutes is None) == (self.until is None):
            raise ValueError("give either `minutes` or `until`")
        return self

    def holds_ms(self, now_ms: int) -> int | None:
        if self.until is None:
            return (self.minutes or 0) * MINUTE_MS
        since_1970 = self.until.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        return int(since_1970.total_seconds() * 1000) - now_ms


class LimitOrder(_Lasting):
    """Charge with at most so much."""

    do: Literal["limit"]
    amps: Annotated[int, Field(ge=LEAST_AMPS, le=MOST_AMPS)]

    def arguments(self) -> dict[str, Any]:
        return {"amps": self.amps}


class PauseOrder(_Lasting):
    """Do not charge."""

    do: Literal["pause"]


class ChargeNowOrder(_Order):
    """This session charges now, whatever the hours say; `on` false: as the hours say, after all."""

    do: Literal["charge_now"]
    on: bool = True

    def arguments(self) -> dict[str, Any]:
        return {"on": self.on}


class HoursWindow(BaseModel):
    """By British time, as the charge point keeps it. A window belongs to the day on which it begins; it ends on the next day
    unless `to` is later than `from`, after 24 hours if they are the same. "00:00" to "00:00" is the whole day."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True)

    from_: Annotated[TimeOfDay, Field(alias="from")]
    to: TimeOfDay

    def window(self) -> Window:
        return Window(*(int(time[:2]) * 60 + int(time[3:]) for time in (self.from_, self.to)))


class ChargingHours(BaseModel):
    """When to charge."""

    model_config = ConfigDict(extra="forbid")

    weekdays: Annotated[list[HoursWindow], Field(max_length=MAX_WINDOWS)] = []
    weekend: Annotated[list[HoursWindow], Field(max_length=MAX_WINDOWS)] = []

    @model_validator(mode="after")
    def _has_a_window(self) -> "ChargingHours":
        if not self.weekdays and not self.weekend:
            raise ValueError('give at least one window, or "any_time"; not to charge at all is a pause')
        return self

    def written(self) -> str:
        """As the charge point takes it."""
        kinds = (self.weekdays, self.weekend)
        return written(Windows(*(tuple(one.window() for one in windows) for windows in kinds)))


class ScheduleOrder(_Order):
    """The owner's hours. `default` is any time but the peak hours of weekdays."""

    do: Literal["schedule"]
    charge: Literal["default", "any_time"] | ChargingHours

    def arguments(self) -> dict[str, Any]:
        if isinstance(self.charge, ChargingHours):
            return {"hours": self.charge.written()}
        return {"hours": DEFAULT if self.charge == "default" else OFF}


class SkipDelayOrder(_Order):
    """The random delay that runs ends now, as its owner may (SI 2021/1467, regulation 11)."""

    do: Literal["skip_delay"]


class ClearOrder(_Order):
    """Neither limit nor pause."""

    do: Literal["clear"]


class StopOrder(_Order):
    """The charge that goes on ends. Of chargers that speak OCPP, as the two below."""

    do: Literal["stop"]


class UnlockOrder(_Order):
    """The cable is let go, where a charger holds it."""

    do: Literal["unlock"]


class RebootOrder(_Order):
    """It starts again, once no vehicle charges where it can wait for that."""

    do: Literal["reboot"]


Order = Annotated[
    LimitOrder
    | PauseOrder
    | ChargeNowOrder
    | ScheduleOrder
    | SkipDelayOrder
    | ClearOrder
    | StopOrder
    | UnlockOrder
    | RebootOrder,
    Field(discriminator="do"),
]
ORDER = {"charge_now": "override", "clear": "resume"}  # where the charge point's word is another one
OF_ORDER = {word: name for name, word in ORDER.items()}


class InForce(Schema):
    """What the charge point itself says is in force."""

    told_at: Annotated[Time, Field(description="when that reached us")]
    allowed_amps: Annotated[float | None, Field(description="0 is a pause; null: nothing limits the current")]
    by: Annotated[
        str | None,
        Field(description="who rules", examples=["cloud", "schedule", "load_manager", "installer", "cable", "safety"]),
    ]
    until: Annotated[Time | None, Field(description="by the charge point's clock; null: no end is known")]
    also: Annotated[list[str], Field(description="what else is in force, and does not rule now")]
    random_delay_s: Annotated[int | None, Field(description="left of the random delay; null: none runs")]
    said: Annotated[str, Field(description="the same in words")]


class InForceNow(Schema):
    """As of the last heartbeat."""

    in_force: Annotated[
        InForce | None, Field(description="null: the charge point is silent or late, or its firmware does not tell")
    ]


class CommandState(Schema):
    """How far a command has come."""

    id: str
    do: Annotated[str, Field(examples=["limit"])]
    given_at: Time
    ends_at: Annotated[Time | None, Field(description="of a limit or a pause, by our clock; null: it has no end")]
    status: Annotated[
        CommandStatus,
        Field(
            description="waiting: sent, and no answer yet; unanswered: none came within a minute; done or refused: the "
            "charge point's own answer; not sent: it had no connection, and will not hear of it later"
        ),
    ]
    said: Annotated[str, Field(description="the same in words, with the charge point's reason")]
    reason: Annotated[str | None, Field(description="why it refused, in the charge point's own word")]
    answered_at: Time | None
    in_force: Annotated[InForce | None, Field(description="after the command; null: no answer, or it does not tell")]
