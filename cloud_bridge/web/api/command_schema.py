"""Request and response models of the commands in the HTTP interface.

The values of `do` are the words of the pages. `ORDER` maps those that differ to the firmware's commands (link/commands).
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
LEAST_AMPS, MOST_AMPS = 6, 80  # the range that the pilot signal can encode (IEC 61851-1)

TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["16:00"])]


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    def arguments(self) -> dict[str, Any]:
        """Return the command's arguments as the firmware expects them."""
        return {}

    def holds_ms(self, now_ms: int) -> int | None:
        """Return the duration of the command if it is given now, or None if it does not expire."""
        return None


class _Lasting(_Order):
    """An order that expires on the charge point itself, with or without a connection. Takes either `minutes` or `until`."""

    minutes: Annotated[int | None, Field(ge=1, le=LONGEST_MS // MINUTE_MS, description="Duration from now.")] = None
    until: Annotated[
        AwareDatetime | None, Field(description="ISO 8601 with a UTC offset, at most seven days ahead.")
    ] = None

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
    """Limit the charging current to `amps`, either for `minutes` or `until` a time."""

    do: Literal["limit"]
    amps: Annotated[int, Field(ge=LEAST_AMPS, le=MOST_AMPS)]

    def arguments(self) -> dict[str, Any]:
        return {"amps": self.amps}


class PauseOrder(_Lasting):
    """Pause charging, either for `minutes` or `until` a time."""

    do: Literal["pause"]


class ChargeNowOrder(_Order):
    """Charge in this session regardless of the charging hours. `on`: false returns to the charging hours."""

    do: Literal["charge_now"]
    on: bool = True

    def arguments(self) -> dict[str, Any]:
        return {"on": self.on}


class HoursWindow(BaseModel):
    """A daily window in British time, which the charge point keeps. A window belongs to the day on which it begins. It ends on
    the next day unless `to` is later than `from`; if both are the same, it lasts 24 hours. "00:00" to "00:00" is the whole
    day."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True)

    from_: Annotated[TimeOfDay, Field(alias="from")]
    to: TimeOfDay

    def window(self) -> Window:
        return Window(*(int(time[:2]) * 60 + int(time[3:]) for time in (self.from_, self.to)))


class ChargingHours(BaseModel):
    """The windows in which the charge point may charge, at least one."""

    model_config = ConfigDict(extra="forbid")

    weekdays: Annotated[list[HoursWindow], Field(max_length=MAX_WINDOWS)] = []
    weekend: Annotated[list[HoursWindow], Field(max_length=MAX_WINDOWS)] = []

    @model_validator(mode="after")
    def _has_a_window(self) -> "ChargingHours":
        if not self.weekdays and not self.weekend:
            raise ValueError('give at least one window, or "any_time"; use a pause to stop charging')
        return self

    def written(self) -> str:
        """Return the windows in the firmware's format."""
        kinds = (self.weekdays, self.weekend)
        return written(Windows(*(tuple(one.window() for one in windows) for windows in kinds)))


class ScheduleOrder(_Order):
    """Set the owner's charging hours. `default` is any time except the peak hours of weekdays."""

    do: Literal["schedule"]
    charge: Literal["default", "any_time"] | ChargingHours

    def arguments(self) -> dict[str, Any]:
        if isinstance(self.charge, ChargingHours):
            return {"hours": self.charge.written()}
        return {"hours": DEFAULT if self.charge == "default" else OFF}


class SkipDelayOrder(_Order):
    """End the random delay in progress. The owner has the right to do so (SI 2021/1467, regulation 11)."""

    do: Literal["skip_delay"]


class ClearOrder(_Order):
    """Remove the limit and the pause."""

    do: Literal["clear"]


class StopOrder(_Order):
    """End the charging session in progress. Only for OCPP chargers."""

    do: Literal["stop"]


class UnlockOrder(_Order):
    """Unlock the connector, if the charger locks the cable. Only for OCPP chargers."""

    do: Literal["unlock"]


class RebootOrder(_Order):
    """Restart the charger. A charger that supports it waits until no vehicle charges. Only for OCPP chargers."""

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
ORDER = {"charge_now": "override", "clear": "resume"}  # orders for which the firmware's command has another name
OF_ORDER = {word: name for name, word in ORDER.items()}


class InForce(Schema):
    """The current that the charge point reports as allowed, and what limits it."""

    told_at: Annotated[Time, Field(description="When the charge point's message was received.")]
    allowed_amps: Annotated[
        float | None, Field(description="Allowed current; 0 during a pause; null if nothing limits the current.")
    ]
    by: Annotated[
        str | None,
        Field(
            description="What sets the limit.",
            examples=["cloud", "schedule", "load_manager", "installer", "cable", "safety"],
        ),
    ]
    until: Annotated[
        Time | None, Field(description="When the limit expires, by the charge point's clock; null if unknown.")
    ]
    also: Annotated[list[str], Field(description="Other claims in force that do not set the limit now.")]
    random_delay_s: Annotated[
        int | None, Field(description="Remaining time of the random delay; null if none is in progress.")
    ]
    said: Annotated[str, Field(description="The limit in words.")]


class InForceNow(Schema):
    """What the last heartbeat reported."""

    in_force: Annotated[
        InForce | None,
        Field(description="null if the charge point is silent or late, or if its firmware does not report this."),
    ]


class CommandState(Schema):
    """Status of a command."""

    id: str
    do: Annotated[str, Field(examples=["limit"])]
    given_at: Time
    ends_at: Annotated[
        Time | None,
        Field(description="When a limit or a pause expires, by the service's clock; null for other commands."),
    ]
    status: Annotated[
        CommandStatus,
        Field(
            description="waiting: sent, no answer yet. unanswered: no answer within a minute. done, refused: the charge "
            "point's answer. not sent: the charge point had no connection; the command is not sent later. unreadable: the "
            "stored command or its answer is invalid."
        ),
    ]
    said: Annotated[str, Field(description="The status in words, with the charge point's reason.")]
    reason: Annotated[
        str | None, Field(description="Why the charge point refused, as the word that it sent; null otherwise.")
    ]
    answered_at: Time | None
    in_force: Annotated[
        InForce | None,
        Field(description="What is in force after the command; null without an answer, or if the answer does not say."),
    ]
