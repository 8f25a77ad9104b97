"""The known facts about a plan for the next departure, its charge point and its vehicle. Pure values."""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.wire import Heartbeat

Span = tuple[int, int]  # from, until; UTC in milliseconds


class ReadyPlan(NamedTuple):
    """The driver's target, and what the car maker does not report."""

    ready_ms: int
    begin_ms: int  # end of our pause
    target_percent: float
    capacity_kwh: float
    power_w: float  # that the driver expects


class Car(NamedTuple):
    """The last state that the vehicle reported. None is unknown."""

    seen_ms: int
    percent: float | None
    charging: bool | None
    plugged: bool | None = None


class Facts(NamedTuple):
    """The facts at one moment."""

    heartbeat: Heartbeat | None = None  # the newest
    heard_ms: int | None = None  # when it was received
    is_silent: bool = False  # as in contact.py: outages of the service are no silence
    car: Car | None = None
    avoided: Sequence[Span] = ()  # the unit's charging hours: when it does not charge, up to the departure
    has_others: bool = False  # the household has another vehicle, which may be the one that is plugged in

    @property
    def until_ms(self) -> int | None:
        """The end of what is in force, by our clock; None if it was not reported."""
        told = self.heartbeat
        if told is None or self.heard_ms is None or told.limited_until_s is None or told.unit_time_s is None:
            return None
        return self.heard_ms + (told.limited_until_s - told.unit_time_s) * 1000


class Watched(NamedTuple):
    """What is remembered between checks. The defaults are those of a plan that was never checked."""

    heard_ms: int = 0  # time of the newest heartbeat that was processed
    plugged_ms: int | None = None  # since when a vehicle is connected; 0 if since before the first check
    idle_ms: int | None = None  # since when it draws nothing, although nothing holds it back
    unplugged_ms: int | None = None  # since when no vehicle is connected, after one was
    has_stopped: bool = False  # the vehicle stopped by itself: full, at its own limit, or pausing
    has_charged: bool = False  # before it was unplugged
    drew_from_ms: int | None = None  # when it first drew power since it was plugged in
    drew_ms: int | None = None  # when it last drew power since it was plugged in
    power_w: float | None = None  # mean power, smoothed over twenty minutes
    meter_wh: int | None = None
    first_percent: float | None = None  # the vehicle's first reading since it was plugged in
    first_wh: int | None = None  # the meter at that time
    percent: float | None = None  # the newest reading
    percent_ms: int = 0
    percent_wh: int | None = None  # the meter at that time; None if unknown
    charges_ms: int | None = None  # time of the first in an unbroken series of readings that say that it charges
    charges_percent: float | None = None  # the battery at that time
    amiss_ms: int | None = None  # since when there has been something to alert
    times_told: int = 0  # alerts that the vehicle will not be ready, or that this is unknown
    is_told: bool = False  # the last alert was not taken back
    knew_battery: bool = False  # at the last alert
