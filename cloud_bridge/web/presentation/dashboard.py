"""The content of the dashboard of one charge point, as words and figures. Pure: the templates only lay it out."""

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
    """One line in the list of facts about the charge point."""

    label: str
    text: str
    means: str | None = None  # explanation of `text`
    bars: int | None = None  # signal bars, 0 to 4; None if the fact is not a signal
    wide: bool = False  # takes the full width of the page


class Contacts(NamedTuple):
    """Whom a driver may contact besides support, which is always offered. Only contacts that are on record."""

    installer: Details | None = None
    maker: str = ""
    help: str = ""  # contact of the operator of the service


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything that the page shows, as text. Fields that are None are left out of the page."""

    id: str
    name: str
    mark: str  # changes when the page has to be redrawn (view.mark)
    contact: Contact
    glance: words.Glance
    last_contact_iso: str | None
    last_contact_age_ms: int | None
    last_contact_ago: str
    last_contact_moment: str | None
    is_estimated: bool  # the clock was wrong, so the last contact was at this time or earlier
    checked_at_iso: str
    checked_at: str
    silence: str | None  # how long the service listened without receiving a message
    silence_ms: int | None
    outage: str | None  # how long the service was not listening since the last contact
    deaf: str | None  # cluster nodes that receive nothing now and through which this unit may connect
    heartbeat_moment: str | None  # time of the heartbeat that the values below come from
    expected: str | None  # when the next message is or was due
    is_late: bool  # that message is overdue
    is_current: bool  # the values below are the present state, not only the last known one
    light: str  # red, green or blue; off if unknown
    state: str
    why: str | None  # why the current is limited, and until when; only while `is_current`
    in_force: list[in_force.Wish]  # only while `is_current`
    may_command: bool  # the viewer may end what is in force
    action: LargeAction | None  # the large button
    charging: bool
    power: str | None
    session: list[tuple[str, str]]  # of the session in progress: label and text of each figure; empty if there is none
    plan_bar: PlanBar | None  # the hours ahead, until the morning
    facts: list[Fact]
    operator: str | None
    faults: list[tuple[str, str]]  # the text of each fault, and what the driver may safely do
    troubles: list[Trouble]  # conditions that do not stop charging; reported by the unit, or detected by the cloud
    has_duplicate: bool  # a second charge point uses its identity
    back: str | None  # how long it was silent, for a short time after it is back
    contacts: Contacts
    answered: str | None  # when support sent the newest unread answer
    answered_in: int | None  # the conversation with that answer
    unread: int | None  # unread answers; None if they are not counted for this viewer
    job: str | None  # progress of the installer's job
    update: str | None  # the firmware update: while it is pending, and for some days after it
    ready: str | None  # whether the vehicle will be ready by the time that was set
    ready_tone: str
    is_ocpp: bool  # of another maker: its behaviour without a connection and the colours of its light are unknown
    refused: str | None  # when and why a connection was last refused, if that was after the last contact


class Around(NamedTuple):
    """What the dashboard shows besides the charge point itself."""

    back: Gap | None = None  # a silence that ended recently
    contacts: Contacts = Contacts()
    stored_mark: str = ""  # a mark of the vehicles and of the fields below (view.mark)
    unread: Unread | None = None  # unread answers from support
    job: Job | None = None  # an installer's job at this charge point
    firmware: str | None = None  # version
    board: str | None = None  # board that the firmware was built for
    modem: str | None = None  # modem model
    closings: int | None = None  # contactor closings in the unit's life
    air_bytes: int | None = None  # mobile data of one day
    authority: Trouble | None = None  # troubles.authority_ends
    session: SessionNow | None = None  # the session in progress
    bill: Bill | None = None  # the owner's tariff and charging hours; None if the viewer may not see them
    for_installer: bool = False  # advice is worded for somebody who may open the charge point
    may_command: bool = False  # the viewer may end what is in force
    owner: in_force.Owner = "you"  # how the texts address the owner
    update: UnitUpdate | None = None  # of the firmware
    plan: ShownPlan | None = None  # for the next departure
    line: Line = NO_LINE  # connection of an OCPP charger
    offline: Answered | None = (
        None  # of an OCPP charger: whether it accepted the settings for charging without a connection
    )
    northbound: Shown | None = None  # the back-end that the charge point is shown to


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
    """Return what is in force by the last heartbeat. Return None if that heartbeat is not current or does not report it."""
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
    """Return the conditions that do not stop charging: a duplicate identity first, then those that the charge point reports,
    then the others that the cloud detected."""
    found = troubles_of(point.heartbeat) + ([OVER_QUOTA.said()] if point.is_over_quota else [])
    found += [UNREADABLE.said()] if point.is_unreadable else []
    if point.duplicate is None:
        return found
    boot, other_boot = point.duplicate.boot, point.duplicate.other_boot
    return [duplicate_identity(point.id, boot, other_boot, for_installer), *found]


def _facts(point: ChargePoint, around: Around) -> list[Fact]:
    """Return the labelled values of the heartbeat and the other known facts. Wide facts come last."""
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


RARE = N_("It sends messages only rarely, and does not answer requests.")
VERSIONS = {"ocpp1.6": "OCPP 1.6", "ocpp2.0.1": "OCPP 2.0.1"}


# What an OCPP charger does without a connection, by its answer to the settings that the cloud sent.
OFFLINE = {
    Answered.ACCEPTED: N_("It charges, as we have set it"),
    Answered.REBOOT: N_("It charges, once it has restarted: our setting holds from then on"),
    Answered.REJECTED: N_("By a setting of its own: it did not accept ours"),
    Answered.UNKNOWN: N_("By a setting of its own: it does not support ours"),
}


def _of_ocpp(point: ChargePoint, line: Line, offline: Answered | None) -> list[Fact]:
    """Return the facts about the connection of an OCPP charger. A WebSocket ping or pong is a sign of the line, not of the
    charger, so it is no contact."""
    found = [Fact(_("Connection"), VERSIONS.get(line.version or "", "OCPP"))]
    if line.alive_ms is not None:
        means = _("Its connection answered then, which is no sign of the charger itself.")
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
    """Return when and why the last connection was refused; None if that was before the last contact."""
    if line.refused is None or (point.last_contact_ms or 0) >= line.refused.at_ms:
        return None
    at = words.when(line.refused.at_ms, point.now_ms, point.time_zone)
    return _("A connection in its name was refused {at}: {reason}.").format(at=at, reason=_(line.refused.reason))


def _session(point: ChargePoint, around: Around) -> list[tuple[str, str]]:
    """Return the figures of the session in progress, and when the vehicle reaches its target."""
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
    """Return a time such as 17:43, with its day unless that is today."""
    at, day = words.minute_of_day(at_ms, time_zone), words.day(at_ms, time_zone)
    return at if day == words.day(now_ms, time_zone) else _("{day}, {time}").format(day=day, time=at)


def _plain(value: Value, point: ChargePoint) -> Fact | None:
    text = in_words(value, point.heartbeat.get(value.name))
    return None if text is None else Fact(_(str(value.label)), text, wide=value.wide)


def _signal(value: Value, point: ChargePoint) -> Fact | None:
    if point.protocol == Protocol.OCPP and point.heartbeat.csq is None:
        return None  # OCPP chargers do not report their signal
    text, bars = words.signal(point.heartbeat.csq)
    operator = words.operator_name(point.heartbeat.operator)
    return Fact(_(str(value.label)), f"{text}, {operator}" if operator else text, bars=bars)


def _limit(value: Value, point: ChargePoint) -> Fact | None:
    heartbeat = point.heartbeat
    if heartbeat.limited_by == "cable" and (heartbeat.state or "").startswith("A"):
        return None  # without a vehicle there is no cable, and an unreadable rating limits the current to 0
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


# Values that need more words than the plain value, by name.
PRESENTED: dict[str, Callable[[Value, ChargePoint], Fact | None]] = {
    "csq": _signal,
    "limited_by": _limit,
    "mode": _mode,
}


def _state(point: ChargePoint) -> str:
    """Return the state in words; in the past tense for a charge point that is not online."""
    heartbeat, tense = point.heartbeat, 0 if point.verdict.contact is Contact.ONLINE else 1
    if heartbeat.faults:
        return _(words.FAULTY[tense])
    if heartbeat.state is None:
        return _("Not known yet")
    state = words.STATES.get(heartbeat.state)
    return _(state[tense]) if state else unknown(_("A state that we do not know ({name})"), heartbeat.state)


def _light(heartbeat: Heartbeat) -> str:
    """Return the colour of the light: red if and only if a fault is set, green when idle or charging, blue when waiting."""
    if heartbeat.faults:
        return "red"
    if heartbeat.state is None:
        return "off"
    return "green" if heartbeat.state in words.CHARGING or heartbeat.state.startswith("A") else "blue"


def _charges(heartbeat: Heartbeat) -> bool:
    return heartbeat.state in words.CHARGING and not heartbeat.faults
