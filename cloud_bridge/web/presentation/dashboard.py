"""What the dashboard says of one charge point. Pure: the templates only lay it out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from cloud_bridge import faults
from cloud_bridge.clock import iso_utc
from cloud_bridge.contact import SILENT_AFTER_MS, Contact, Gap
from cloud_bridge.durations import HOUR_MS
from cloud_bridge.ocpp_settings import Answered
from cloud_bridge.store.contact_details import Details
from cloud_bridge.store.conversations import Unread
from cloud_bridge.store.jobs import Job
from cloud_bridge.store.northbound import Shown
from cloud_bridge.store.ocpp_lines import NOTHING as NO_LINE
from cloud_bridge.store.ocpp_lines import Line
from cloud_bridge.store.ready_plans import ShownPlan
from cloud_bridge.store.roll_outs import UnitUpdate
from cloud_bridge.store.units import Protocol
from cloud_bridge.text import unknown
from cloud_bridge.troubles import CONTESTED, OVER_QUOTA, UNREADABLE, Trouble, duplicate_identity, troubles_of
from cloud_bridge.values import HEARTBEAT, Value, in_words
from cloud_bridge.web.presentation import in_force, job_words, northbound_words, ready_words, update_words, words
from cloud_bridge.web.presentation.large_action import LargeAction, beside, large_action
from cloud_bridge.web.presentation.plan_bar import Bill, PlanBar, plan_bar
from cloud_bridge.web.presentation.session_now import SessionNow
from cloud_bridge.web.presentation.view import ChargePoint, mark
from cloud_bridge.wire import Heartbeat, is_plugged
from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _


class Fact(NamedTuple):
    """One line of what is known."""

    label: str
    text: str
    means: str | None = None  # the same explained
    bars: int | None = None  # of a signal, 0 to 4
    wide: bool = False  # takes the width of the page


class Contacts(NamedTuple):
    """Whom a driver may turn to, beside support by message, which is always there. Only who is really known."""

    installer: Details | None = None
    maker: str = ""
    help: str = ""  # of whoever runs the service


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything in words; None is left out of the page."""

    id: str
    name: str
    mark: str  # changes when the page must (view.mark)
    contact: Contact
    glance: words.Glance
    last_contact_iso: str | None
    last_contact_age_ms: int | None
    last_contact_ago: str
    last_contact_moment: str | None
    is_estimated: bool  # our clock was wrong: the last contact was no later than that
    checked_at_iso: str
    checked_at: str
    silence: str | None  # how long we listened and heard nothing
    silence_ms: int | None
    outage: str | None  # how long we were not listening since the last contact
    deaf: str | None  # which part of our service does not hear now, and it may come in by
    heartbeat_moment: str | None  # when what follows was true
    expected: str | None  # when the next message is or was due
    is_late: bool  # it has not come
    is_current: bool  # it is the state now, not only the last that we know
    light: str  # red, green, blue, or off while nothing is known
    state: str
    why: str | None  # the current is what it is, and until when: while it is current
    in_force: list[in_force.Wish]  # likewise
    may_command: bool  # and so end it
    action: LargeAction | None  # the one thing to do now
    charging: bool
    power: str | None
    session: list[tuple[str, str]]  # that goes on: label and text of each figure; empty: none does
    plan_bar: PlanBar | None  # what is ahead, until the morning
    facts: list[Fact]
    operator: str | None
    faults: list[tuple[str, str]]  # each one's words, and what the driver may safely do
    troubles: list[Trouble]  # which do not stop charging; reported by it, or seen by us
    has_duplicate: bool  # a second charge point has its identity
    back: str | None  # how long it was silent, shortly after it has come back
    contacts: Contacts
    answered: str | None  # when support answered what is not read yet
    answered_in: int | None  # the conversation with that
    unread: int | None  # answers; None: they are not counted for whoever looks
    job: str | None  # how far the installer's is
    update: str | None  # of its firmware: before, and for some days after
    ready: str | None  # whether the vehicle will be, by the time that was set
    ready_tone: str
    is_ocpp: bool  # of another maker: what it does without its connection, and how its light looks, is not known
    refused: str | None  # when a connection of it was refused since it was heard last, and why


class Around(NamedTuple):
    """What the dashboard shows beside the charge point itself."""

    back: Gap | None = None  # a silence that ended a short while ago
    contacts: Contacts = Contacts()
    stored_mark: str = ""  # of the vehicles and of what follows
    unread: Unread | None = None  # answers of support
    job: Job | None = None  # of an installer here
    firmware: str | None = None  # its version
    board: str | None = None  # that the firmware is for
    modem: str | None = None  # its model
    closings: int | None = None  # of its contactor, in its life
    air_bytes: int | None = None  # that the mobile network has carried in a day
    authority: Trouble | None = None  # troubles.authority_ends
    session: SessionNow | None = None  # that goes on
    bill: Bill | None = None  # what the owner pays, and their hours; None: not for whoever looks
    for_installer: bool = False  # what to do is told to somebody who may open it
    may_command: bool = False  # and so end what is in force
    owner: in_force.Owner = "you"  # as they are told of
    update: UnitUpdate | None = None  # of its firmware
    plan: ShownPlan | None = None  # of the next departure
    line: Line = NO_LINE  # of a charger that speaks OCPP
    offline: Answered | None = None  # likewise: whether it goes on by our settings without its connection
    northbound: Shown | None = None  # to whose back-end it is shown


NOTHING = Around()


def describe(point: ChargePoint, around: Around = NOTHING) -> Dashboard:
    heartbeat, verdict, zone = point.heartbeat, point.verdict, point.time_zone
    last_ms = point.last_contact_ms
    charging = _charges(heartbeat) and verdict.contact is Contact.ONLINE
    ruling = None if heartbeat.faults else ruling_now(point)
    plugged, unread = is_plugged(heartbeat), around.unread
    wishes = in_force.wishes(ruling, point.now_ms, zone, around.owner, plugged) if ruling else []
    action = large_action(point, ruling, around.may_command)
    why = in_force.headline(ruling, plugged, point.now_ms, zone, around.owner) if ruling else None
    return Dashboard(
        id=point.id,
        name=point.name,
        mark=mark(point, around.stored_mark),
        contact=verdict.contact,
        glance=_glance(point),
        last_contact_iso=None if last_ms is None else iso_utc(last_ms),
        last_contact_age_ms=None if last_ms is None else max(0, point.now_ms - last_ms),
        last_contact_ago=_("Never contacted") if last_ms is None else words.ago(point.now_ms - last_ms),
        last_contact_moment=None if last_ms is None else words.moment(last_ms, zone),
        is_estimated=point.is_estimated,
        checked_at_iso=iso_utc(point.now_ms),
        checked_at=words.time_of_day(point.now_ms, zone),
        silence=words.lasting(verdict.silence_ms) if verdict.silence_ms is not None else None,
        silence_ms=verdict.silence_ms,
        outage=words.lasting(verdict.outage_ms) if verdict.outage_ms else None,
        deaf=words.listed(point.deaf) if point.deaf else None,
        heartbeat_moment=None if point.heartbeat_ms is None else words.moment(point.heartbeat_ms, zone),
        expected=words.minute_of_day(point.due_ms, zone) if point.due_ms is not None else None,
        is_late=point.is_late,
        is_current=_is_current(point),
        light=_light(heartbeat),
        state=_state(point),
        why=None if why is None else why.text,
        in_force=beside(action, wishes, why),
        may_command=around.may_command,
        action=action,
        charging=charging,
        power=f"{formats.number(heartbeat.watts / 1000, 1)} kW" if heartbeat.watts and charging else None,
        session=_session(point, around),
        plan_bar=None if around.bill is None else plan_bar(point, ruling, around.bill, around.plan),
        facts=_facts(point, around),
        operator=words.operator_name(heartbeat.operator),
        faults=faults.what_to_do(heartbeat.faults or []),
        troubles=([around.authority] if around.authority else [])
        + _contested(point, around.line)
        + troubles(point, around.for_installer),
        has_duplicate=point.duplicate is not None,
        back=words.lasting(around.back.to_ms - around.back.from_ms) if around.back else None,
        contacts=around.contacts,
        answered=None if unread is None else words.when(unread.newest_ms, point.now_ms, zone),
        answered_in=None if unread is None else unread.conversation_id,
        unread=None if around.for_installer else unread.answers if unread else 0,
        job=job_words.news_for_driver(around.job, point.now_ms, zone),
        update=update_words.news(around.update, around.firmware, point.now_ms, zone),
        ready=ready_words.line(around.plan, zone),
        ready_tone=ready_words.tone(around.plan),
        is_ocpp=point.protocol == Protocol.OCPP,
        refused=_refused(point, around.line),
    )


def ruling_now(point: ChargePoint) -> in_force.InForce | None:
    """What is in force by the last heartbeat; None while that is not current, or does not tell."""
    heartbeat, heartbeat_ms = point.heartbeat, point.heartbeat_ms
    if not _is_current(point) or heartbeat_ms is None or heartbeat.limited_by is None:
        return None
    return in_force.later(in_force.of_heartbeat(heartbeat), point.now_ms - heartbeat_ms)


def _glance(point: ChargePoint) -> words.Glance:
    if point.heartbeat.faults:
        return words.FAULT_GLANCE if point.protocol != Protocol.OCPP else words.OCPP_FAULT_GLANCE
    if point.duplicate is not None and point.verdict.contact is Contact.ONLINE:
        return words.DUPLICATE_GLANCE
    return words.LATE_GLANCE if point.is_late else words.GLANCES[point.verdict.contact]


def _is_current(point: ChargePoint) -> bool:
    return point.verdict.contact is Contact.ONLINE and not point.is_late


def troubles(point: ChargePoint, for_installer: bool = False) -> list[Trouble]:
    """What does not stop charging: found by us, then reported by the charge point."""
    found = troubles_of(point.heartbeat) + ([OVER_QUOTA.said()] if point.is_over_quota else [])
    found += [UNREADABLE.said()] if point.is_unreadable else []
    if point.duplicate is None:
        return found
    boot, other_boot = point.duplicate.boot, point.duplicate.other_boot
    return [duplicate_identity(point.id, boot, other_boot, for_installer), *found]


def _facts(point: ChargePoint, around: Around) -> list[Fact]:
    """The values of the heartbeat that have a label, and what else is known; the wide ones last."""
    shown = [(PRESENTED.get(value.name) or _plain)(value, point) for value in HEARTBEAT if value.label is not None]
    found = [fact for fact in shown if fact is not None]
    if point.protocol == Protocol.OCPP:
        found += _of_ocpp(point, around.line, around.offline)
    else:
        found.append(
            Fact(
                _("Light on the wall"),
                _(words.LIGHTS["breathing" if _charges(point.heartbeat) else _light(point.heartbeat)]),
            )
        )
    if around.firmware is not None:
        found.append(Fact(_("Firmware"), around.firmware))
    if around.board is not None and around.for_installer:
        found.append(Fact(_("Board"), around.board))
    if around.update is not None and around.for_installer:
        found.append(Fact(_("Update"), update_words.progress(around.update), wide=True))
    if around.modem is not None:
        found.append(Fact(_("Modem"), around.modem))
    if around.closings is not None:
        found.append(Fact(_("Contactor closings"), formats.count(around.closings)))
    if around.air_bytes is not None:
        found.append(Fact(_("Mobile data in a day"), f"{formats.count(round(around.air_bytes / 1000))} kB"))
    if around.northbound is not None:
        text = northbound_words.how_it_goes(around.northbound, point.now_ms, point.time_zone)
        found.append(Fact(_("Also shown to"), text, northbound_words.what_it_may(around.northbound), wide=True))
    return sorted(found, key=lambda fact: fact.wide)


RARE = N_("It says something by itself only now and then, and does not answer when it is asked.")
VERSIONS = {"ocpp1.6": "OCPP 1.6", "ocpp2.0.1": "OCPP 2.0.1"}


# What it does without its connection, by what it has made of our settings.
OFFLINE = {
    Answered.ACCEPTED: N_("It charges, as we have set it"),
    Answered.REBOOT: N_("It charges, once it has restarted: our setting holds from then on"),
    Answered.REJECTED: N_("By a setting of its own: it did not accept ours"),
    Answered.UNKNOWN: N_("By a setting of its own: it does not know ours"),
}


def _of_ocpp(point: ChargePoint, line: Line, offline: Answered | None) -> list[Fact]:
    """How it is connected. A sign of the line is none of the charger, and so no contact."""
    found = [Fact(_("Connection"), VERSIONS.get(line.version or "", "OCPP"))]
    if line.alive_ms is not None:
        means = _("Its connection has answered then, which says nothing of the charger itself.")
        found.append(Fact(_("Line alive"), words.when(line.alive_ms, point.now_ms, point.time_zone), means))
    if offline is not None:
        found.append(Fact(_("Without a connection"), _(OFFLINE[offline])))
    if point.silent_after_ms > SILENT_AFTER_MS:
        after = _("after {duration}").format(duration=words.lasting(point.silent_after_ms))
        found.append(Fact(_("Counted as silent"), after, _(RARE) if line.is_rare else None))
    return found


def _contested(point: ChargePoint, line: Line) -> list[Trouble]:
    at_ms = line.contested_ms
    return [CONTESTED.said()] if at_ms is not None and abs(point.now_ms - at_ms) < HOUR_MS else []


def _refused(point: ChargePoint, line: Line) -> str | None:
    """None too once it was heard again."""
    if line.refused is None or (point.last_contact_ms or 0) >= line.refused.at_ms:
        return None
    at = words.when(line.refused.at_ms, point.now_ms, point.time_zone)
    return _("A connection in its name was refused {at}: {reason}.").format(at=at, reason=_(line.refused.reason))


def _session(point: ChargePoint, around: Around) -> list[tuple[str, str]]:
    """The figures of the session that goes on, and of how far the vehicle gets."""
    now, plan, zone = around.session, around.plan, point.time_zone
    found = []
    if now is not None:
        found.append((_("This session"), f"{formats.number(now.energy_wh / 1000, 1)} kWh"))
        if now.cost is not None:
            found.append((_("Cost so far"), now.cost))
        found.append((_("Since"), _since(now.plugged_ms, point.now_ms, zone)))
    if plan is not None and plan.outlook is not None and plan.outlook.full_ms is not None:
        full_ms = plan.outlook.full_ms
        if full_ms > point.now_ms:
            label = _("{percent} by").format(percent=f"{formats.shortest(plan.target_percent)} %")
            found.append((label, words.minute_of_day(full_ms, zone)))
    return found


def _since(at_ms: int, now_ms: int, time_zone: str) -> str:
    """17:43, with its day unless that is today."""
    at, day = words.minute_of_day(at_ms, time_zone), words.day(at_ms, time_zone)
    return at if day == words.day(now_ms, time_zone) else _("{day}, {time}").format(day=day, time=at)


def _plain(value: Value, point: ChargePoint) -> Fact | None:
    text = in_words(value, point.heartbeat.get(value.name))
    return None if text is None else Fact(_(str(value.label)), text, wide=value.wide)


def _signal(value: Value, point: ChargePoint) -> Fact | None:
    if point.protocol == Protocol.OCPP and point.heartbeat.csq is None:
        return None  # it has no way to tell
    text, bars = words.signal(point.heartbeat.csq)
    operator = words.operator_name(point.heartbeat.operator)
    return Fact(_(str(value.label)), f"{text}, {operator}" if operator else text, bars=bars)


def _limit(value: Value, point: ChargePoint) -> Fact | None:
    heartbeat = point.heartbeat
    if heartbeat.limited_by == "cable" and (heartbeat.state or "").startswith("A"):
        return None  # no vehicle and so no cable, whose rating limits the current to nothing
    text = words.limit(heartbeat.limited_by, heartbeat.limited_until_s, point.time_zone)
    return None if text is None else Fact(_(str(value.label)), text, wide=value.wide)


def _mode(value: Value, point: ChargePoint) -> Fact | None:
    mode = point.heartbeat.mode
    if not mode:
        return None
    if mode not in words.MODES:
        return Fact(_(str(value.label)), unknown(_("A mode that we do not know ({name})"), mode), wide=value.wide)
    text, means = words.MODES[mode]
    return Fact(_(str(value.label)), _(text), _(means) if _is_current(point) else None, wide=value.wide)


# Values whose words need more than the value itself, by name.
PRESENTED: dict[str, Callable[[Value, ChargePoint], Fact | None]] = {
    "csq": _signal,
    "limited_by": _limit,
    "mode": _mode,
}


def _state(point: ChargePoint) -> str:
    """Of a charge point that is not online, what it was."""
    heartbeat, tense = point.heartbeat, 0 if point.verdict.contact is Contact.ONLINE else 1
    if heartbeat.faults:
        return _(words.FAULTY[tense])
    if heartbeat.state is None:
        return _("Not known yet")
    state = words.STATES.get(heartbeat.state)
    return _(state[tense]) if state else unknown(_("A state that we do not know ({name})"), heartbeat.state)


def _light(heartbeat: Heartbeat) -> str:
    """The colour on the wall: red if and only if a fault is set, green idle and charging, blue waiting."""
    if heartbeat.faults:
        return "red"
    if heartbeat.state is None:
        return "off"
    return "green" if heartbeat.state in words.CHARGING or heartbeat.state.startswith("A") else "blue"


def _charges(heartbeat: Heartbeat) -> bool:
    return heartbeat.state in words.CHARGING and not heartbeat.faults
