"""What is known of a plan for the next departure, its charge point and its vehicle. Pure values."""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.wire import Heartbeat

Span = tuple[int, int]  # from, until; UTC in milliseconds


class ReadyPlan(NamedTuple):
    """What the driver wants, and what the car maker does not report."""

    ready_ms: int
    begin_ms: int  # our pause ends then
    target_percent: float
    capacity_kwh: float
    power_w: float  # that the driver expects


class Car(NamedTuple):
    """As it reported itself last. None is unknown."""

    seen_ms: int
    percent: float | None
    charging: bool | None
    plugged: bool | None = None


class Facts(NamedTuple):
    """What is known at one moment."""

    heartbeat: Heartbeat | None = None  # the newest
    heard_ms: int | None = None  # when it came
    is_silent: bool = False  # contact.py's word for it: our own outages are no silence
    car: Car | None = None
    avoided: Sequence[Span] = ()  # the unit's own hours in which it does not charge, up to the departure
    has_others: bool = False  # the household has another vehicle, which may be the one that is plugged in

    @property
    def until_ms(self) -> int | None:
        """The end of what is in force, on our clock; None: not told."""
        told = self.heartbeat
        if told is None or self.heard_ms is None or told.limited_until_s is None or told.unit_time_s is None:
            return None
        return self.heard_ms + (told.limited_until_s - told.unit_time_s) * 1000


class Watched(NamedTuple):
    """What is remembered from look to look. The defaults are those of a plan at which nobody has looked."""

    heard_ms: int = 0  # of the newest heartbeat that was taken in
    plugged_ms: int | None = None  # since when a vehicle is connected; 0: since before the first look
    idle_ms: int | None = None  # since when it takes nothing, though nothing holds it back
    unplugged_ms: int | None = None  # since when none is, after one was
    has_stopped: bool = False  # by itself: it is full, or at its own limit, or rests
    has_charged: bool = False  # before it was unplugged
    drew_from_ms: int | None = None  # when it drew for the first time since it was plugged in
    drew_ms: int | None = None  # when it drew for the last time since it was plugged in
    power_w: float | None = None  # that it draws, on average of the last twenty minutes
    meter_wh: int | None = None
    first_percent: float | None = None  # the first reading of the vehicle since it was plugged in
    first_wh: int | None = None  # the meter then
    percent: float | None = None  # the newest reading
    percent_ms: int = 0
    percent_wh: int | None = None  # the meter then; None: not known
    charges_ms: int | None = None  # of the first of the readings in a row that say that it charges
    charges_percent: float | None = None  # the battery then
    amiss_ms: int | None = None  # since when there is something to tell
    times_told: int = 0  # that the vehicle will not be ready, or that nobody knows
    is_told: bool = False  # and has not been taken back
    knew_battery: bool = False  # when it was told
