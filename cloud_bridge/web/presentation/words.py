"""Times, states and the signal in words. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from cloud_bridge.contact import Contact
from cloud_bridge.text import unknown
from cloud_bridge.time_zones import UNKNOWN, local_time, which, zone_of
from cloud_bridge.values import NO_CSQ, PASS_ABOVE_CSQ
from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _


class Glance(NamedTuple):
    """A one-word verdict with a tone, so that the page does not rely on colour alone."""

    tone: str  # good, bad or unsure: a class of style.css, and the name of the sign in signs.svg
    english: str

    @property
    def word(self) -> str:
        """The word in the reader's language."""
        return _(self.english)


GLANCES = {
    Contact.ONLINE: Glance("good", N_("Working")),
    Contact.SILENT: Glance("bad", N_("Silent")),
    Contact.UNKNOWN: Glance("unsure", N_("We cannot tell")),
    Contact.NEVER: Glance("unsure", N_("Not heard yet")),
}
LATE_GLANCE = Glance("unsure", N_("Late"))
FAULT_GLANCE = Glance("bad", N_("Red light"))
OCPP_FAULT_GLANCE = Glance("bad", N_("Fault"))  # the light of an OCPP charger may have another colour
DUPLICATE_GLANCE = Glance("unsure", N_("Two chargers"))  # the values may be those of the other charger

LIGHTS = {
    "breathing": N_("Green, pulsing"),
    "green": N_("Green, dim"),
    "blue": N_("Blue"),
    "red": N_("Red"),
    "off": N_("Not known"),
}

# Pilot states of IEC 61851-1: the text while the charge point is online, and while it is not. The digit is 2 while current is
# offered.
_READY = (N_("Ready, no vehicle connected"), N_("Was ready, no vehicle connected"))
_WAITS = (N_("Vehicle connected, waiting to charge"), N_("Vehicle was waiting to charge"))
_CHARGING = (N_("Charging"), N_("Was charging"))
STATES = {
    "A1": _READY,
    "A2": _READY,
    "B1": (N_("Vehicle connected, waiting"), N_("Vehicle was connected, waiting")),
    "B2": (N_("Vehicle connected and full, or not ready yet"), N_("Vehicle was connected and full, or not ready yet")),
    "C1": _WAITS,
    "C2": _CHARGING,
    "D1": _WAITS,
    "D2": _CHARGING,
    "E": (N_("No signal on the vehicle cable"), N_("There was no signal on the vehicle cable")),
    "F": (N_("Not available"), N_("Was not available")),
}
FAULTY = (N_("Stopped by a fault"), N_("Was stopped by a fault"))
CHARGING = ("C2", "D2")

MODES = {
    "smart": (N_("Smart"), N_("It follows your schedule and can be controlled from here.")),
    "link_lost": (N_("Smart"), N_("It follows your schedule. Its mobile connection has just dropped.")),
    "standalone": (N_("Standalone"), N_("It has no connection to us, so it charges whenever a vehicle is plugged in.")),
}

# What sets the current, by the heartbeat's key `y` (tests/samples/schema.toml).
LIMITS = {
    "boot": N_("Nobody yet: it has just started"),
    "safety": N_("A fault"),
    "ventilation": N_("The ventilation that this vehicle needs"),
    "contactor": N_("A pause for its contactor, which was switched too often"),
    "vehicle": N_("A pause, because the vehicle draws more than it is offered"),
    "commissioning": N_("Nobody yet: no installer has commissioned it"),
    "installer": N_("The rating of its circuit"),
    "cable": N_("The vehicle cable"),
    "temperature": N_("Its temperature"),
    "load_manager": N_("What the building can spare"),
    "schedule": N_("Your hours"),
    "cloud": N_("A limit or pause set from here"),
}
LAST_S = 253_402_300_799  # end of the year 9999, the last time that datetime can represent

# PLMN codes of the United Kingdom's networks (ITU-T E.212); others are shown as digits.
OPERATORS = {"23410": "O2", "23415": "Vodafone", "23420": "Three", "23430": "EE", "23433": "EE"}


def ago(age_ms: int) -> str:
    """Return an age such as "5 minutes ago". static/age.js produces the same text."""
    seconds = max(0, age_ms) // 1000
    if seconds < 5:
        return _("Just now")
    for size, name, upto in ((1, "second", 60), (60, "minute", 3600), (3600, "hour", 48 * 3600)):
        if seconds < upto:
            return formats.ago(seconds // size, name)
    return formats.ago(seconds // 86400, "day")


def lasting(duration_ms: int) -> str:
    """Return a duration in whole minutes, hours or days, at least one minute. static/age.js produces the same text."""
    minutes = max(1, duration_ms // 60_000)
    if minutes < 120:
        return formats.lasting(minutes, "minute")
    return formats.lasting(minutes // 60, "hour") if minutes < 48 * 60 else formats.lasting(minutes // 1440, "day")


def exactly(duration_ms: int) -> str:
    """Return a duration; in seconds below one minute."""
    return lasting(duration_ms) if duration_ms >= 60_000 else formats.lasting(duration_ms // 1000, "second")


def moment(at_ms: int, time_zone: str) -> str:
    """Return date and time at the site, with the zone, because 01:30 occurs twice when the clocks go back."""
    local = local_time(at_ms, time_zone)
    told = f"{formats.weekday_day_year(local)}, {local:%H:%M:%S %Z}"
    if zone_of(time_zone):
        return told
    return _("{moment} (the time zone {time_zone} is not known here)").format(moment=told, time_zone=time_zone)


def utc_second(at_ms: int) -> str:
    """Return a UTC time for a log, without the zone, which the column's heading has: 26 Nov 2026, 06:46:20."""
    utc = local_time(at_ms, "UTC")
    return f"{formats.day_year(utc)}, {utc:%H:%M:%S}"


def chart_zone(time_zone: str) -> str:
    """Return the zone in which the browser draws a chart: the one in which the times in words are written."""
    return time_zone if zone_of(time_zone) else UNKNOWN


def limit(source: str | None, until_s: int | None, time_zone: str) -> str | None:
    """Return what sets the current and until when; None if unknown."""
    if source is None:
        return None
    who = _(LIMITS[source]) if source in LIMITS else unknown(_("A limit that we do not know ({name})"), source)
    if until_s is None or until_s > LAST_S:
        return who
    return _("{who}, until {time}").format(who=who, time=day_and_time(until_s * 1000, time_zone))


def time_of_day(at_ms: int, time_zone: str) -> str:
    """Return a time such as 07:42:11, with the zone if it occurs twice that day."""
    local = local_time(at_ms, time_zone)
    return f"{local:%H:%M:%S}{which(local, time_zone)}"


def minute_of_day(at_ms: int, time_zone: str) -> str:
    """Return a time such as 07:42, with the zone if it occurs twice that day."""
    local = local_time(at_ms, time_zone)
    return f"{local:%H:%M}{which(local, time_zone)}"


def operator_name(plmn: str | None) -> str | None:
    """Return the network's name, or its PLMN if it has none here; None if unknown."""
    return OPERATORS.get(plmn, plmn) if plmn else None


def signal(csq: int | None) -> tuple[str, int]:
    """Return the signal in words, and as 0 to 4 bars."""
    if csq is None or csq == NO_CSQ:
        return _("not known"), 0
    if csq > PASS_ABOVE_CSQ:
        return _("good"), 4 if csq >= 22 else 3
    return _("weak"), 2 if csq >= 8 else 1


def times(number: int) -> str:
    if number in (1, 2):
        return _("once") if number == 1 else _("twice")
    return _("{number} times").format(number=number)


def day_and_time(at_ms: int, time_zone: str) -> str:
    """Return a short time for lists, such as Sun 22 Nov, 07:42; with the zone if it occurs twice: Sun 25 Oct, 01:30 BST."""
    local = local_time(at_ms, time_zone)
    return f"{formats.weekday_day(local)}, {local:%H:%M}{which(local, time_zone)}"


def day(at_ms: int, time_zone: str) -> str:
    """Return a day such as 3 Nov."""
    return formats.day(local_time(at_ms, time_zone))


def date(at_ms: int, time_zone: str) -> str:
    """Return a date such as 3 November 2026."""
    return formats.full_date(local_time(at_ms, time_zone))


def when(at_ms: int, now_ms: int, time_zone: str) -> str:
    """Return "at 14:02" for today, or "on 3 Nov at 14:02"."""
    time = minute_of_day(at_ms, time_zone)
    if local_time(at_ms, time_zone).date() == local_time(now_ms, time_zone).date():
        return _("at {time}").format(time=time)
    return _("on {day} at {time}").format(day=day(at_ms, time_zone), time=time)


def listed(names: Sequence[str]) -> str:
    """Return a list such as n1, n2 and n3."""
    return formats.listed(names)


def sentence(error: Exception) -> str:
    """Return the error's text as a sentence. The text has to begin like one."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
