"""The link to a vehicle's car account in words, for its driver. Pure."""

from dataclasses import dataclass

from cloud_bridge.clock import iso_utc
from cloud_bridge.contact import is_believable
from cloud_bridge.distances import Distances
from cloud_bridge.vehicles.linking.link import Link, State
from cloud_bridge.vehicles.linking.link_errors import LinkRefused, Refusal
from cloud_bridge.vehicles.plan import PlanReason
from cloud_bridge.vehicles.providers.provider import Reading
from cloud_bridge.vehicles.providers.provider_errors import AUTHORISE_AGAIN, LASTING, REFUSALS, Trouble
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.web.presentation import words
from cloud_bridge.web.presentation.words import LATE_GLANCE, Glance
from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _

# Trouble: title, meaning, remedy.
LOST = {
    Trouble.CONSENT_GONE: (
        N_("We have lost access to {car}"),
        N_(
            "{maker} no longer lets us read it. That happens after a change of password, or when access was taken back."
        ),
        N_("Press Refresh. If that does not help, connect the vehicle again: it takes a minute."),
    ),
    Trouble.SCOPE_MISSING: (
        N_("{car}: a permission is missing"),
        N_("{maker} lets us in, but not to the battery and charging state that we need."),
        N_("Connect the vehicle again and leave all permissions ticked."),
    ),
    Trouble.VEHICLE_GONE: (
        N_("{car} is no longer in this account"),
        N_(
            "{maker} says that your account has no such vehicle. It may have been sold, or its driver list has changed."
        ),
        N_("Connect the vehicle again with the account it is in now, or remove it here."),
    ),
    Trouble.REFUSED: (
        N_("{maker} refuses us the state of {car}"),
        N_("It has given the same answer for three days, and does not say that it is your consent that has ended."),
        N_(
            "Connect the vehicle again: it takes a minute. If that does not help, tell our support, as it is for us to mend."
        ),
    ),
    Trouble.REMOTE_OFF: (
        N_("{car}: remote access is switched off in the car"),
        N_("Somebody has switched off mobile or remote access in the car's own settings."),
        N_("Switch it on in the car, then press Refresh. There is no need to connect again."),
    ),
    Trouble.SUBSCRIPTION: (
        N_("{car}: the maker's connected service has ended"),
        N_("The car's subscription for connected services is not active."),
        N_("Renew it in {maker}'s app or website, then press Refresh. There is no need to connect again."),
    ),
    Trouble.VIRTUAL_KEY: (
        N_("{car} asks for a virtual key"),
        N_("The car wants to know us as a key before it answers."),
        N_("Add the key in {maker}'s app, then press Refresh. There is no need to connect again."),
    ),
    Trouble.ACCOUNT_ISSUE: (
        N_("{car}: something is waiting in your account with the maker"),
        N_("{maker} wants you to do something there first, such as accepting new terms."),
        N_("Open {maker}'s app or website, finish what is asked there, then press Refresh."),
    ),
    Trouble.ACCOUNT_LOCKED: (
        N_("{car}: your account with the maker is locked"),
        N_("{maker} has locked the account. Only {maker} can unlock it."),
        N_("Ask {maker} to unlock it, then press Refresh."),
    ),
}

# Refusal: title; meaning and remedy. Nothing was stored in any of these cases.
REFUSED = {
    Refusal.NOT_OURS: (
        N_("That way back was too old"),
        N_(
            "The return from the car maker took more than ten minutes, came a second time, or came to another browser than "
            "the one that began. Nothing was changed. Start again."
        ),
    ),
    Refusal.MIXED_UP: (
        N_("That answer came from somebody else"),
        N_("The return did not come from the car maker that you were sent to, so we did not use it. Start again."),
    ),
    Refusal.DECLINED: (
        N_("You did not give access"),
        N_("That is your choice, and nothing was changed. The charger works without it."),
    ),
    Refusal.SCOPES: (
        N_("A permission is missing"),
        N_(
            "To show the battery and the charging state we need every permission on the car maker's page. We have given back "
            "what we got. Start again and leave them all ticked."
        ),
    ),
    Refusal.CODE: (
        N_("The car maker's answer could not be used"),
        N_("It was used before or came too late. Start again."),
    ),
    Refusal.PROVIDER: (
        N_("The car maker does not answer"),
        N_(
            "Its service is down or busy, which is neither your fault nor ours. Nothing was changed. Try again in a while."
        ),
    ),
    Refusal.NO_CAR: (
        N_("There is no car in that account"),
        N_("The account that you logged in to has no vehicle. Log in there with the account that your car is in."),
    ),
    Refusal.OTHER_CAR: (N_("That is a different car"), ""),
}

# Why the charger does not wait, with "Ready by" set.
AT_ONCE: dict[str, str] = {
    PlanReason.BATTERY_UNKNOWN: N_("We do not know how full the battery is, so your charger does not wait."),
    PlanReason.FULL_ENOUGH: N_("The battery is as full as you want it, so there is nothing to wait for."),
    PlanReason.NO_TIME: N_("The car needs all the time there is, so your charger does not wait."),
    PlanReason.WATCHED: N_("Your charger does not wait, so that we can tell you in time if the car does not charge."),
}

CHARGING_BELIEVED_MS = 60 * 60 * 1000  # a charging vehicle is polled every ten minutes: older reports are stale

HEARD_WITHIN_MS = 60 * 60 * 1000  # accounts are polled every half hour: two answers are missing
TOLD_WITHIN_MS = 60 * 60 * 1000  # older readings are worded in the past tense

STATES = {
    State.UNLINKED: N_("Not connected"),
    State.LINKING: N_("Waiting for the car maker"),
    State.LINKED: N_("Connected"),
    State.DEGRADED: N_("Connected; the car maker does not answer at the moment"),
    State.ACCESS_LOST: N_("Access lost"),
}
REFUSED_FOR_NOW = N_(
    "Connected; the car maker refuses an answer at the moment"
)  # degraded by a refusal rather than by an outage


GLANCES = {
    State.UNLINKED: Glance("unsure", N_("Not connected")),
    State.LINKING: Glance("unsure", N_("Not connected yet")),
    State.LINKED: Glance("good", N_("Connected")),
    State.DEGRADED: Glance("unsure", N_("No answer")),
    State.ACCESS_LOST: Glance("bad", N_("Access lost")),
}
REFUSED_GLANCE = Glance("unsure", N_("Refused"))
NOT_HEARD_GLANCE = Glance("unsure", N_("Not heard yet"))
WRONG_CLOCK_GLANCE = Glance("unsure", N_("We cannot tell"))  # the time of the answer is in the future

# The text for a current reading, and for an old one.
CHARGING = (N_("Charging"), N_("Was charging"))
PLUGGED_IN = (N_("Plugged in, not charging"), N_("Was plugged in, not charging"))
PLUGGED_IN_ONLY = (N_("Plugged in"), N_("Was plugged in"))  # the account does not say whether it charges
NOT_PLUGGED_IN = (N_("Not plugged in"), N_("Was not plugged in"))
NOT_TOLD = (N_("Its state is not known"), N_("Its state is not known"))


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with the link, as shown on the dashboard."""

    title: str
    meaning: str
    remedy: str
    since: str
    reconnect: bool  # the remedy is to authorise again


@dataclass(frozen=True, slots=True)
class Card:
    """A vehicle as shown on the pages. Fields that are None are left out."""

    id: int
    name: str
    vin: str
    maker: str
    state: str
    connected: bool
    problem: Problem | None
    battery: str | None
    plugged_in: str | None
    charging: str | None
    range: str | None
    seen_iso: str | None
    seen_age_ms: int | None
    seen_ago: str | None
    seen_moment: str | None
    is_charging: bool  # by a reading that is recent enough
    heard_iso: str | None  # when the account answered last
    heard_age_ms: int | None
    heard_ago: str
    heard_moment: str | None
    glance: Glance  # state of the account
    headline: str  # state of the vehicle
    is_current: bool  # the headline is the present state, not only the last known one
    battery_percent: int | None


def card(vehicle: Vehicle, maker: str, now_ms: int, time_zone: str, distances: Distances) -> Card:
    """Describe a vehicle. `maker` is the provider's title. `time_zone` is an IANA name, for the times of problems."""
    link, reading, heard_ms = vehicle.link, vehicle.reading, vehicle.heard_ms
    glance = _glance(link, heard_ms, now_ms)
    is_current = link.state is State.LINKED and reading is not None and now_ms - reading.seen_ms <= TOLD_WITHIN_MS
    percent = None if reading is None else reading.battery_percent
    return Card(
        id=vehicle.id,
        name=vehicle.name,
        vin=vehicle.vin,
        maker=maker,
        state=_(REFUSED_FOR_NOW if link.state is State.DEGRADED and link.reason in REFUSALS else STATES[link.state]),
        connected=link.state in (State.LINKED, State.DEGRADED),
        problem=_problem(vehicle, link.reason, maker, time_zone) if link.reason in LASTING else None,
        battery=None if percent is None else f"{formats.number(percent)} %",
        plugged_in=None
        if reading is None or reading.plugged_in is None
        else _("Yes")
        if reading.plugged_in
        else _("No"),
        charging=None if reading is None or reading.charging is None else _("Yes") if reading.charging else _("No"),
        range=None if reading is None or reading.range_km is None else distances.words(reading.range_km),
        seen_iso=None if reading is None else iso_utc(reading.seen_ms),
        seen_age_ms=None if reading is None else max(0, now_ms - reading.seen_ms),
        seen_ago=None if reading is None else words.ago(now_ms - reading.seen_ms),
        seen_moment=None if reading is None else words.moment(reading.seen_ms, time_zone),
        is_charging=bool(reading and reading.charging and now_ms - reading.seen_ms <= CHARGING_BELIEVED_MS),
        heard_iso=None if heard_ms is None else iso_utc(heard_ms),
        heard_age_ms=None if heard_ms is None else max(0, now_ms - heard_ms),
        heard_ago=_("Not heard yet") if heard_ms is None else words.ago(now_ms - heard_ms),
        heard_moment=None if heard_ms is None else words.moment(heard_ms, time_zone),
        glance=glance,
        headline=_(_headline(reading)[0 if is_current else 1]),
        is_current=is_current,
        battery_percent=None if percent is None else round(percent),
    )


def _glance(link: Link, heard_ms: int | None, now_ms: int) -> Glance:
    if link.state is State.DEGRADED and link.reason in REFUSALS:
        return REFUSED_GLANCE
    if link.state is not State.LINKED:
        return GLANCES[link.state]
    if heard_ms is None:
        return NOT_HEARD_GLANCE
    if not is_believable(heard_ms, now_ms):
        return WRONG_CLOCK_GLANCE
    return LATE_GLANCE if now_ms - heard_ms > HEARD_WITHIN_MS else GLANCES[link.state]


def _headline(reading: Reading | None) -> tuple[str, str]:
    if reading is None:
        return NOT_TOLD
    if reading.charging:
        return CHARGING
    if reading.plugged_in:
        return PLUGGED_IN if reading.charging is False else PLUGGED_IN_ONLY
    return NOT_PLUGGED_IN if reading.plugged_in is False else NOT_TOLD


def refusal_words(refused: LinkRefused) -> tuple[str, str]:
    """Return title and meaning."""
    title, meaning = (_(said) for said in REFUSED[refused.refusal])
    if refused.refusal is Refusal.OTHER_CAR and refused.vehicle is not None:
        found = ", ".join(f"{car.name} (…{car.vin[-4:]})" for car in refused.cars)
        meaning = _(
            "You wanted to connect {vehicle} again, but the account that you logged in to has {found}. Nothing was changed. "
            "Log in at the car maker with the other account, or add the other car as a new vehicle."
        ).format(vehicle=f"{refused.vehicle.name} (…{refused.vehicle.vin[-4:]})", found=found)
    return title, meaning


def _problem(vehicle: Vehicle, reason: Trouble, maker: str, time_zone: str) -> Problem:
    title, meaning, remedy = (_(text).format(car=vehicle.name, maker=maker) for text in LOST[reason])
    return Problem(
        title,
        meaning,
        vehicle.advice or remedy,
        words.moment(vehicle.link.since_ms, time_zone),
        reason in AUTHORISE_AGAIN,
    )
