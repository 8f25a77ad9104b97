"""What a unit says is in force: how much may be charged, by whose wish, until when, and what else applies. Pure.

A heartbeat and the result of a command tell it in the same words (tests/samples/schema.toml), and only what they tell is said
here. Which of two wishes of the owner wins is the unit's to decide (firmware/charging/README.md).
"""

from typing import Literal, NamedTuple

from cloud_bridge.store.access import Asker, Role
from cloud_bridge.text import unknown
from cloud_bridge.time_zones import local_time, which
from cloud_bridge.web.presentation import words
from cloud_bridge.wire import Heartbeat, Result, is_plugged
from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _

DAY_S = 86_400
SAME_END_S = 2  # the end of a pause that only waits for the random delay, against the end of that delay

PAUSED = {  # why nothing is offered, by the source of the ruling; the wishes have words of their own
    "boot": N_("It has just started"),
    "safety": N_("Stopped by a fault"),
    "ventilation": N_("Not charging: this vehicle needs ventilation that the site does not have"),
    "contactor": N_("Paused for a few minutes: its contactor was switched too often"),
    "vehicle": N_("Paused for 10 minutes: the vehicle draws more than it is offered"),
    "cable": N_("Nothing is offered: there is no vehicle cable whose rating can be read"),
}
ALWAYS_PAUSE = ("boot", "safety", "ventilation", "contactor", "vehicle", "schedule")  # never more than 0 A

Owner = Literal["you", "household", "owner"]  # whoever commands the unit, as they are called to who asks
Said = tuple[str, str]  # without and with the end

# A limit or a pause set from here, by whom, as far as its amperes are told.
WISHES: dict[str, dict[Owner, Said]] = {
    "bounded": {
        "you": (N_("Limited or paused by you"), N_("Limited or paused by you until {time}")),
        "household": (
            N_("Limited or paused by your household"),
            N_("Limited or paused by your household until {time}"),
        ),
        "owner": (N_("Limited or paused by its owner"), N_("Limited or paused by its owner until {time}")),
    },
    "paused": {
        "you": (N_("Paused by you"), N_("Paused by you until {time}")),
        "household": (N_("Paused by your household"), N_("Paused by your household until {time}")),
        "owner": (N_("Paused by its owner"), N_("Paused by its owner until {time}")),
    },
    "limited": {
        "you": (N_("Limited to {amps} by you"), N_("Limited to {amps} by you until {time}")),
        "household": (
            N_("Limited to {amps} by your household"),
            N_("Limited to {amps} by your household until {time}"),
        ),
        "owner": (N_("Limited to {amps} by its owner"), N_("Limited to {amps} by its owner until {time}")),
    },
}
CHARGES_AS_ASKED: dict[Owner, str] = {
    "you": N_("Charges now, as you asked, until the vehicle is unplugged"),
    "household": N_("Charges now, as your household asked, until the vehicle is unplugged"),
    "owner": N_("Charges now, as its owner asked, until the vehicle is unplugged"),
}
HOUSE_PAUSES: Said = (
    N_("Paused: your house needs all of its current"),
    N_("Paused until {time}: your house needs all of its current"),
)

# Why less is offered than asked for, where the amperes are not told.
LIMITED: Said = (N_("Limited"), N_("Limited until {time}"))
BOUNDED_BY: dict[str, Said] = {
    "commissioning": (
        N_("Limited: no installer has commissioned it yet"),
        N_("Limited: no installer has commissioned it yet until {time}"),
    ),
    "installer": (N_("Limited: the rating of its circuit"), N_("Limited: the rating of its circuit until {time}")),
    "cable": (
        N_("Limited: the rating of the vehicle cable"),
        N_("Limited: the rating of the vehicle cable until {time}"),
    ),
    "temperature": (N_("Limited: it is warm"), N_("Limited: it is warm until {time}")),
    "load_manager": (N_("Limited: your house needs the rest"), N_("Limited: your house needs the rest until {time}")),
}

# How much may be charged, and why not more.
UP_TO_AMPS: Said = (N_("May charge at up to {amps}"), N_("May charge at up to {amps} until {time}"))
UP_TO: dict[str, Said] = {
    "commissioning": (
        N_("Limited to {amps}: no installer has commissioned it yet"),
        N_("Limited to {amps} until {time}: no installer has commissioned it yet"),
    ),
    "installer": (
        N_("May charge at up to {amps}: the rating of its circuit"),
        N_("May charge at up to {amps} until {time}: the rating of its circuit"),
    ),
    "cable": (
        N_("May charge at up to {amps}: the rating of the vehicle cable"),
        N_("May charge at up to {amps} until {time}: the rating of the vehicle cable"),
    ),
    "temperature": (N_("Limited to {amps}: it is warm"), N_("Limited to {amps} until {time}: it is warm")),
    "load_manager": (
        N_("Limited to {amps}: your house needs the rest"),
        N_("Limited to {amps} until {time}: your house needs the rest"),
    ),
}
ALSO = {  # what is in force beside the ruling: its amperes and its end are not told
    "override": N_("Charge now, until the vehicle is unplugged"),
    "schedule": N_("Outside your charging hours"),
    "cloud": N_("A limit or pause set from here"),
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


class Headline(NamedTuple):
    """Why the current is what it is."""

    text: str
    about: str = ""  # "schedule": the hours; "override": that somebody asked to charge now. Either needs no second line


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


def headline(in_force: InForce, plugged: bool, now_ms: int, time_zone: str, by: Owner) -> Headline | None:
    """Why the current is what it is, and until when; None where there is nothing to explain."""
    if in_force.delay_s and (in_force.only_delayed or not _is_pause(in_force)):
        end = words.time_of_day(now_ms + in_force.delay_s * 1000, time_zone)
        said = (
            _("Random delay: {length}, until {time}. Then it charges")
            if in_force.only_delayed
            else _("Random delay: {length}, until {time}. Then the change takes effect")
        )
        return Headline(said.format(length=minutes(in_force.delay_s), time=end))
    if in_force.source == "schedule":
        at = None if in_force.until_s is None else clock_time(in_force.until_s, now_ms, time_zone)
        if at is None:
            return Headline(_("Paused outside your charging hours"), "schedule")
        said = (
            _("Plugged in. Charges at {time}, when your charging hours begin")
            if plugged
            else _("Does not charge before {time}, when your charging hours begin")
        )
        return Headline(said.format(time=at), "schedule")
    explained = in_force.source == "temperature" or _is_pause(in_force)
    if in_force.source in ("cloud", "load_manager") or (plugged and explained):
        return Headline(_ruling(in_force, now_ms, time_zone, by))
    if "override" in in_force.also:
        return Headline(_(CHARGES_AS_ASKED[by]), "override")
    return None


def answer(in_force: InForce, now_ms: int, time_zone: str, by: Owner) -> str:
    """All that is in force, as the answer to a command."""
    said = _ruling(in_force, now_ms, time_zone, by)
    if in_force.delay_s:
        said = _("random delay of {length} before the change takes effect. Until then: {now}").format(
            length=minutes(in_force.delay_s), now=said
        )
    return ". ".join([said, *(_also(source) for source in in_force.also)])


def wishes(in_force: InForce, now_ms: int, time_zone: str, by: Owner, plugged: bool = True) -> list[Wish]:
    """What is in force, each with the way to end it."""
    found = []
    for source in in_force.claims:
        rules = source == in_force.source
        if source == "override":
            found.append(Wish(_also(source), "override", "false", _("End charge now")))
        elif source == "schedule":
            text = _hours(in_force, now_ms, time_zone) if rules else _also(source)
            found.append(Wish(text, "override", "true", _("Charge now")) if plugged else Wish(text))
        elif source == "cloud":
            text = _ruling(in_force, now_ms, time_zone, by) if rules else _also(source)
            found.append(Wish(text, "resume", None, _end_of_wish(in_force, rules)))
        elif source == "load_manager":
            ruling = _ruling(in_force, now_ms, time_zone, by)
            found.append(Wish(_("{ruling}. Your house ends it").format(ruling=ruling)))
    if in_force.delay_s:
        text = _("Random delay: {length}, so that not all chargers switch at once")
        found.append(Wish(text.format(length=minutes(in_force.delay_s)), "skip-delay", None, _("Skip the delay")))
    return found


def owner_to(asker: Asker, is_shared: bool) -> Owner:
    """Whoever commands the unit, as they are called to who asks. A unit does not know which of a household it was."""
    if asker.role is not Role.DRIVER:
        return "owner"
    return "household" if is_shared else "you"


def minutes(seconds: int) -> str:
    """3 min 20 s"""
    if seconds < 60:
        return _("{seconds} s").format(seconds=seconds)
    return _("{minutes} min {seconds} s").format(minutes=seconds // 60, seconds=seconds % 60)


def clock_time(at_s: int, now_ms: int, time_zone: str) -> str | None:
    """20:50, with its day unless that is today; None if it cannot be written."""
    if at_s > words.LAST_S - DAY_S:
        return None
    local, today = local_time(at_s * 1000, time_zone), local_time(now_ms, time_zone)
    text = f"{local:%H:%M}{which(local, time_zone)}"
    days = (local.date() - today.date()).days
    if days == 0:
        return text
    if days == 1:
        return _("{time} tomorrow").format(time=text)
    return _("{time} on {day}").format(time=text, day=f"{local:%a} {local.day} {local:%b}")


def _is_pause(in_force: InForce) -> bool:
    return in_force.amps == 0


def _also(source: str) -> str:
    return _(ALSO[source]) if source in ALSO else unknown(_("A wish that we do not know ({name})"), source)


def _end_of_wish(in_force: InForce, rules: bool) -> str:
    """What the button says that ends a limit or a pause."""
    if not rules or in_force.amps is None:
        return _("End it")
    return _("End the pause") if _is_pause(in_force) else _("End the limit")


def _until(in_force: InForce, now_ms: int, time_zone: str) -> str | None:
    return None if in_force.until_s is None else clock_time(in_force.until_s, now_ms, time_zone)


def _hours(in_force: InForce, now_ms: int, time_zone: str) -> str:
    if in_force.only_delayed:
        return _("Paused")
    until = _until(in_force, now_ms, time_zone)
    if until is None:
        return _("Paused outside your charging hours")
    return _("Paused outside your charging hours until {time}").format(time=until)


def _ruling(in_force: InForce, now_ms: int, time_zone: str, by: Owner) -> str:
    amps, source, until = in_force.amps, in_force.source, _until(in_force, now_ms, time_zone)
    if source == "schedule":
        return _hours(in_force, now_ms, time_zone)
    if source == "cloud":
        said = WISHES["bounded" if amps is None else "paused" if amps == 0 else "limited"][by]
    elif source == "load_manager" and amps == 0:
        said = HOUSE_PAUSES
    elif amps == 0:
        return _(PAUSED.get(source or "", N_("Paused")))
    elif amps is None:
        said = BOUNDED_BY.get(source or "", LIMITED)
    else:
        said = UP_TO.get(source or "", UP_TO_AMPS)
    amount = "" if amps is None else _("{amps} A").format(amps=formats.shortest(amps))
    return _(said[0]).format(amps=amount) if until is None else _(said[1]).format(amps=amount, time=until)
