"""What a unit reports as in force: the allowed current, what sets it, until when, and what else applies. Pure.

A heartbeat and the result of a command report it in the same form (tests/samples/schema.toml), and the texts say only what was
reported. The unit itself decides which of two claims takes precedence (firmware/charging/README.md).
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
SAME_END_S = 2  # tolerance between the end of a pause for the random delay alone and the end of that delay

PAUSED = {  # why no current is offered, by source of the ruling; limits and pauses set by people have their own texts below
    "boot": N_("It has just started"),
    "safety": N_("Stopped by a fault"),
    "ventilation": N_("Not charging: this vehicle needs ventilation that the site does not have"),
    "contactor": N_("Paused for a few minutes: its contactor was switched too often"),
    "vehicle": N_("Paused for 10 minutes: the vehicle draws more than it is offered"),
    "cable": N_("Nothing is offered: there is no vehicle cable whose rating can be read"),
}
ALWAYS_PAUSE = ("boot", "safety", "ventilation", "contactor", "vehicle", "schedule")  # sources that always allow 0 A

Owner = Literal["you", "household", "owner"]  # how the texts address whoever commands the unit
Said = tuple[str, str]  # the text without and with the end

# A limit or a pause that a person set from the cloud: by what is known of its current, and by who set it.
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

# Why the current is limited, where the allowed current is unknown.
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

# How much current is allowed, and why not more.
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
ALSO = {  # claims in force that do not set the ruling: their current and end are unknown
    "override": N_("Charge now, until the vehicle is unplugged"),
    "schedule": N_("Outside your charging hours"),
    "cloud": N_("A limit or pause set from here"),
}


class InForce(NamedTuple):
    """The ruling of a unit at one moment. Values that it did not report are None."""

    amps: float | None  # allowed current; 0 is a pause
    source: str | None  # what sets the current
    until_s: int | None  # by the unit's clock, like `told_s`
    also: tuple[str, ...]  # other claims in force
    delay_s: int | None  # remaining random delay
    told_s: int | None  # when the unit reported it

    @property
    def claims(self) -> tuple[str, ...]:
        """Claims in force that a person can end or wait for, the ruling first."""
        own = (self.source,) if self.source in ("schedule", "cloud", "load_manager") else ()
        return (*own, *(source for source in self.also if source != self.source))

    @property
    def only_delayed(self) -> bool:
        """True if the ruling ends together with the random delay in progress."""
        if not self.delay_s or self.until_s is None or self.told_s is None:
            return False
        return abs(self.until_s - self.told_s - self.delay_s) <= SAME_END_S


class Headline(NamedTuple):
    """Why the current is limited."""

    text: str
    about: str = (
        ""  # "schedule": the charging hours; "override": somebody asked to charge now. Both need no second line
    )


class Wish(NamedTuple):
    """One claim in force. `action` is the form below /charging that ends it, and `on` is the value of its field `on`. `action`
    is None if the claim cannot be ended from here."""

    text: str
    action: str | None = None
    on: str | None = None
    label: str | None = None


def of_heartbeat(heartbeat: Heartbeat) -> InForce:
    amps, source = heartbeat.allowed_amps, heartbeat.limited_by
    if amps is None and source in ALWAYS_PAUSE:
        amps = 0
    elif amps is None and is_plugged(heartbeat):
        # Use the offered current. For a moment after plugging in it is 0, which is not a pause; only a limit or pause reported
        # by older firmware is taken for one.
        amps = heartbeat.amps if source in ("cloud", "load_manager") else heartbeat.amps or None
    also, delay_s = tuple(heartbeat.also_in_force or ()), heartbeat.random_delay_s
    return InForce(amps, source, heartbeat.limited_until_s, also, delay_s, heartbeat.unit_time_s)


def of_result(result: Result) -> InForce | None:
    """Return the ruling in a command's result, or None if older firmware did not report it."""
    if result.allowed_amps is None or result.limited_by is None:
        return None
    also, delay_s = tuple(result.also_in_force or ()), result.random_delay_s
    return InForce(result.allowed_amps, result.limited_by, result.limited_until_s, also, delay_s, result.unit_time_s)


def later(in_force: InForce, age_ms: int) -> InForce | None:
    """Return the ruling after `age_ms`. Return None if it has ended by then, because what followed it is unknown."""
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
    """Return why the current is limited and until when, or None if there is nothing to explain."""
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
    """Return everything in force as one text, for the answer to a command."""
    said = _ruling(in_force, now_ms, time_zone, by)
    if in_force.delay_s:
        said = _("random delay of {length} before the change takes effect. Until then: {now}").format(
            length=minutes(in_force.delay_s), now=said
        )
    return ". ".join([said, *(_also(source) for source in in_force.also)])


def wishes(in_force: InForce, now_ms: int, time_zone: str, by: Owner, plugged: bool = True) -> list[Wish]:
    """Return the claims in force, each with the form that ends it."""
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
    """Return how the texts address the owner. A unit does not know which member of a household sent a command."""
    if asker.role is not Role.DRIVER:
        return "owner"
    return "household" if is_shared else "you"


def minutes(seconds: int) -> str:
    """Return a duration such as 3 min 20 s."""
    if seconds < 60:
        return _("{seconds} s").format(seconds=seconds)
    return _("{minutes} min {seconds} s").format(minutes=seconds // 60, seconds=seconds % 60)


def clock_time(at_s: int, now_ms: int, time_zone: str) -> str | None:
    """Return a time such as 20:50, with its day unless that is today; None if datetime cannot represent it."""
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
    """Return the label of the button that ends a limit or a pause."""
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
