"""What a unit says is in force: how much may be charged, by whose wish, until when, and what else applies. Pure.

A heartbeat and the result of a command tell it in the same words (tests/samples/schema.toml), and only what they tell is said
here. Which of two wishes of the owner wins is the unit's to decide (firmware/charging/README.md).
"""

from typing import NamedTuple

from cloud_bridge.store.access import Asker, Role
from cloud_bridge.text import unknown
from cloud_bridge.time_zones import local_time, which
from cloud_bridge.web.presentation import words
from cloud_bridge.wire import Heartbeat, Result, is_plugged

DAY_S = 86_400
SAME_END_S = 2  # the end of a pause that only waits for the random delay, against the end of that delay

PAUSED = {  # why nothing is offered, by the source of the ruling; the wishes have words of their own
    "boot": "It has just started",
    "safety": "Stopped by a fault",
    "ventilation": "Not charging: this vehicle needs ventilation that the site does not have",
    "contactor": "Paused for a few minutes: its contactor was switched too often",
    "vehicle": "Paused for 10 minutes: the vehicle draws more than it is offered",
    "cable": "Nothing is offered: there is no vehicle cable whose rating can be read",
}
ALWAYS_PAUSE = ("boot", "safety", "ventilation", "contactor", "vehicle", "schedule")  # never more than 0 A
BOUNDED = {  # why less is offered than asked for
    "installer": "the rating of its circuit",
    "cable": "the rating of the vehicle cable",
    "temperature": "it is warm",
    "load_manager": "your house needs the rest",
}

OUTSIDE_HOURS = "Paused outside your charging hours"
AS_ASKED = "Charges now, as"  # begins the headline of an override that nothing else explains
HOURS_BEGIN = "when your charging hours begin"  # ends the headline of hours whose end is known

ALSO = {  # what is in force beside the ruling: its amperes and its end are not told
    "override": "Charge now, until the vehicle is unplugged",
    "schedule": "Outside your charging hours",
    "cloud": "A limit or pause set from here",
}


class InForce(NamedTuple):
    """The ruling of a unit at one moment. What it did not tell is None."""

    amps: float | None  # allowed; 0 is a pause
    source: str | None  # who rules
    until_s: int | None  # by the unit's clock, as `told_s`
    also: tuple[str, ...]  # other claims in force
    delay_s: int | None  # of the random delay, left
    told_s: int | None  # when it was told

    @property
    def claims(self) -> tuple[str, ...]:
        """All that is in force of what a person can end or wait for."""
        own = (self.source,) if self.source in ("schedule", "cloud", "load_manager") else ()
        return (*own, *(source for source in self.also if source != self.source))

    @property
    def only_delayed(self) -> bool:
        """The ruling ends with the random delay that runs."""
        if not self.delay_s or self.until_s is None or self.told_s is None:
            return False
        return abs(self.until_s - self.told_s - self.delay_s) <= SAME_END_S


class Wish(NamedTuple):
    """One thing in force. `action` is the form below /charging that ends it, with `value` of its field `on`; None: it is not
    ended from here."""

    text: str
    action: str | None = None
    on: str | None = None
    label: str | None = None


def of_heartbeat(heartbeat: Heartbeat) -> InForce:
    amps, source = heartbeat.allowed_amps, heartbeat.limited_by
    if amps is None and source in ALWAYS_PAUSE:
        amps = 0
    elif amps is None and is_plugged(heartbeat):
        # What is offered. That is nothing for a moment after plugging in, too: only a wish of older firmware is a pause then.
        amps = heartbeat.amps if source in ("cloud", "load_manager") else heartbeat.amps or None
    also, delay_s = tuple(heartbeat.also_in_force or ()), heartbeat.random_delay_s
    return InForce(amps, source, heartbeat.limited_until_s, also, delay_s, heartbeat.unit_time_s)


def of_result(result: Result) -> InForce | None:
    """None: older firmware does not tell."""
    if result.allowed_amps is None or result.limited_by is None:
        return None
    also, delay_s = tuple(result.also_in_force or ()), result.random_delay_s
    return InForce(result.allowed_amps, result.limited_by, result.limited_until_s, also, delay_s, result.unit_time_s)


def later(in_force: InForce, age_ms: int) -> InForce | None:
    """What is left of it after `age_ms`; None: by its own words it has ended, and what came then is not known yet."""
    age_s = max(0, age_ms) // 1000
    told_s, until_s, delay_s = in_force.told_s, in_force.until_s, in_force.delay_s
    if until_s is not None and told_s is not None and until_s <= told_s + age_s:
        return None
    if delay_s is not None:
        delay_s -= age_s
        if delay_s <= 0:
            return None
    return in_force._replace(told_s=None if told_s is None else told_s + age_s, delay_s=delay_s)


def headline(in_force: InForce, plugged: bool, now_ms: int, time_zone: str, by: str) -> str | None:
    """Why the current is what it is, and until when; None where there is nothing to explain. `by`: the owner's name here."""
    if in_force.delay_s and (in_force.only_delayed or not _is_pause(in_force)):
        then = "it charges" if in_force.only_delayed else "the change takes effect"
        end = words.time_of_day(now_ms + in_force.delay_s * 1000, time_zone)
        return f"Random delay: {minutes(in_force.delay_s)}, until {end}. Then {then}"
    if in_force.source == "schedule":
        at = None if in_force.until_s is None else clock_time(in_force.until_s, now_ms, time_zone)
        if at is None:
            return OUTSIDE_HOURS
        return f"{'Plugged in. Charges at' if plugged else 'Does not charge before'} {at}, {HOURS_BEGIN}"
    explained = in_force.source == "temperature" or _is_pause(in_force)
    if in_force.source in ("cloud", "load_manager") or (plugged and explained):
        return _ruling(in_force, now_ms, time_zone, by)
    if "override" in in_force.also:
        return f"{AS_ASKED} {by} asked, until the vehicle is unplugged"
    return None


def answer(in_force: InForce, now_ms: int, time_zone: str, by: str) -> str:
    """All that is in force, as the answer to a command."""
    said = _ruling(in_force, now_ms, time_zone, by)
    if in_force.delay_s:
        said = f"random delay of {minutes(in_force.delay_s)} before the change takes effect. Until then: {said}"
    return ". ".join([said, *(ALSO.get(source) or unknown("wish", source) for source in in_force.also)])


def wishes(in_force: InForce, now_ms: int, time_zone: str, by: str, plugged: bool = True) -> list[Wish]:
    """What is in force, each with the way to end it."""
    found = []
    for source in in_force.claims:
        rules = source == in_force.source
        if source == "override":
            found.append(Wish(ALSO[source], "override", "false", "End charge now"))
        elif source == "schedule":
            text = _hours(in_force, now_ms, time_zone) if rules else ALSO[source]
            found.append(Wish(text, "override", "true", "Charge now") if plugged else Wish(text))
        elif source == "cloud":
            text = _ruling(in_force, now_ms, time_zone, by) if rules else ALSO[source]
            what = "it" if not rules or in_force.amps is None else "the pause" if _is_pause(in_force) else "the limit"
            found.append(Wish(text, "resume", None, f"End {what}"))
        elif source == "load_manager":
            found.append(Wish(f"{_ruling(in_force, now_ms, time_zone, by)}. Your house ends it"))
    if in_force.delay_s:
        text = f"Random delay: {minutes(in_force.delay_s)}, so that not all chargers switch at once"
        found.append(Wish(text, "skip-delay", None, "Skip the delay"))
    return found


def owner_to(asker: Asker, is_shared: bool) -> str:
    """Whoever commands the unit, as they are called to who asks. A unit does not know which of a household it was."""
    if asker.role is not Role.DRIVER:
        return "its owner"
    return "your household" if is_shared else "you"


def minutes(seconds: int) -> str:
    """3 min 20 s"""
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


def clock_time(at_s: int, now_ms: int, time_zone: str) -> str | None:
    """20:50, with its day unless that is today; None if it cannot be written."""
    if at_s > words.LAST_S - DAY_S:
        return None
    local, today = local_time(at_s * 1000, time_zone), local_time(now_ms, time_zone)
    text = f"{local:%H:%M}{which(local, time_zone)}"
    days = (local.date() - today.date()).days
    if days == 0:
        return text
    return f"{text} tomorrow" if days == 1 else f"{text} on {local:%a} {local.day} {local:%b}"


def _is_pause(in_force: InForce) -> bool:
    return in_force.amps == 0


def _until(in_force: InForce, now_ms: int, time_zone: str) -> str:
    at = None if in_force.until_s is None else clock_time(in_force.until_s, now_ms, time_zone)
    return "" if at is None else f" until {at}"


def _hours(in_force: InForce, now_ms: int, time_zone: str) -> str:
    if in_force.only_delayed:
        return "Paused"
    return f"{OUTSIDE_HOURS}{_until(in_force, now_ms, time_zone)}"


def _ruling(in_force: InForce, now_ms: int, time_zone: str, by: str) -> str:
    amps, source, until = in_force.amps, in_force.source, _until(in_force, now_ms, time_zone)
    if source == "schedule":
        return _hours(in_force, now_ms, time_zone)
    if source == "cloud" and amps is None:
        return f"Limited or paused by {by}{until}"
    if source == "cloud":
        return f"Paused by {by}{until}" if amps == 0 else f"Limited to {amps:g} A by {by}{until}"
    if source == "load_manager" and amps == 0:
        return f"Paused{until}: your house needs all of its current"
    if amps == 0:
        return PAUSED.get(source or "", "Paused")
    if amps is None:
        return "Limited" + (f": {BOUNDED[source]}" if source in BOUNDED else "") + until
    how = "Limited to" if source in ("load_manager", "temperature") else "May charge at up to"
    return f"{how} {amps:g} A{until}" + (f": {BOUNDED[source]}" if source in BOUNDED else "")
