"""What is shown of a charge point: the store's row with the live state read through it, judged now.

Contact is a fact of the charge point: a new owner is told of the last one, whenever it was. Of a heartbeat from before the
claim they are told what the charge point does now (PRESENT), while it is online; its readings of energy, power, limits
and network are not theirs.
"""

from operator import attrgetter
from typing import Any, NamedTuple

from cloud_bridge.app_state import AppState
from cloud_bridge.clock import iso_utc
from cloud_bridge.contact import SILENT_AFTER_MS, Contact, Verdict, is_believable, judge
from cloud_bridge.duplicate_identity import CLEAR_AFTER_MS
from cloud_bridge.paths import EVERY
from cloud_bridge.store.duplicates import Duplicate
from cloud_bridge.store.firmware import Told
from cloud_bridge.store.units import Protocol, Unit
from cloud_bridge.values import HEARTBEAT
from cloud_bridge.wire import ONLY_SHOWN, BadPayload, Heartbeat, decode


class ChargePoint(NamedTuple):
    """One unit at the moment `now_ms`."""

    id: str
    time_zone: str
    now_ms: int
    last_contact_ms: int | None
    is_estimated: bool  # our clock was wrong: the last contact was no later than that
    verdict: Verdict
    connected: bool | None  # None: nobody knows
    heartbeat_ms: int | None
    heartbeat: Heartbeat  # all unknown until one came
    duplicate: Duplicate | None  # a second charge point has its identity
    name: str  # given by its owner, or its id
    due_ms: int | None  # when its next message was or is expected; None: not known, or it is silent already
    is_late: bool  # that time is over, and nothing came
    is_over_quota: bool  # it sends too much, and is cut off for it
    is_unreadable: bool  # what is stored of its state is not valid
    protocol: str  # store.units.Protocol: what of the above it can tell goes by it
    deaf: list[str]  # nodes of our cluster that do not hear now, and by which it may come in; by name
    silent_after_ms: int = SILENT_AFTER_MS  # from when on it is silent


USUAL_INTERVAL_S = 300  # of heartbeats that do not say it (firmware/link/messages.py)
LATE_AFTER_MS = 60_000  # a connection that died is noticed and made anew within that
OVER_QUOTA_MS = 60 * 60 * 1000  # how long it is told that a unit sent too much
PRESENT = frozenset({"state", "mode", "faults", "troubles", "interval_s"})  # names of values.HEARTBEAT

_FIELDS = [value.name for value in HEARTBEAT if value.name not in ONLY_SHOWN]
_field_values = attrgetter(*_FIELDS)
_NOT_SHOWN = dict.fromkeys(ONLY_SHOWN)


def charge_point(app_state: AppState, unit: Unit) -> ChargePoint:
    now_ms = app_state.clock.now_ms()
    last = app_state.live.last_contact(unit.id, unit.contact, app_state.ledger, now_ms)
    last_contact_ms = None if last is None else last.at_ms
    is_estimated = last is not None and last.is_estimated
    heartbeat_ms = _believable(unit.heartbeat_ms, now_ms, last_contact_ms)
    heartbeat: Heartbeat | None = None
    live = app_state.live.find(unit.id)
    if live is not None and live.heartbeat is not None and (live.heartbeat_ms or 0) >= (heartbeat_ms or 0):
        heartbeat, heartbeat_ms = live.heartbeat, live.heartbeat_ms
    is_unreadable = unit.is_unreadable
    if heartbeat is None:
        stored = _stored(unit.heartbeat)
        is_unreadable = is_unreadable or stored is None
        heartbeat = stored or Heartbeat()
    verdict = judge(last, now_ms, unit.silent_after_ms)
    if heartbeat_ms is not None and heartbeat_ms < unit.period.from_ms:
        if verdict.contact is Contact.ONLINE:
            heartbeat = _present(heartbeat)
        else:
            heartbeat, heartbeat_ms = Heartbeat(), None
    due_ms, is_late = _due(heartbeat_ms, heartbeat, verdict, now_ms)
    return ChargePoint(
        id=unit.id,
        time_zone=unit.time_zone,
        now_ms=now_ms,
        last_contact_ms=last_contact_ms,
        is_estimated=is_estimated,
        verdict=verdict,
        connected=_is_connected(app_state, unit),
        heartbeat_ms=heartbeat_ms,
        heartbeat=heartbeat,
        duplicate=_in_force(unit, now_ms),
        name=unit.name or unit.id,
        due_ms=due_ms,
        is_late=is_late,
        is_over_quota=unit.over_quota_ms is not None and abs(now_ms - unit.over_quota_ms) < OVER_QUOTA_MS,
        is_unreadable=is_unreadable,
        protocol=unit.protocol,
        silent_after_ms=unit.silent_after_ms,
        deaf=app_state.ledger.deaf(now_ms, None if unit.contact is None else unit.contact.shard),
    )


def path_of(unit: Unit) -> int:
    """In a cluster, of the node that it was heard through last (paths.py)."""
    return EVERY if unit.contact is None else unit.contact.shard


def _is_connected(app_state: AppState, unit: Unit) -> bool | None:
    """As this process sees it itself, or else another one or a node has told. None: nobody knows, as with an outside broker,
    which does not tell; a charger that speaks OCPP is connected to us."""
    if app_state.settings.broker is not None and unit.protocol != Protocol.OCPP:
        return None
    live = app_state.live.find(unit.id)
    if live is not None and live.connected:
        return True
    if app_state.settings.cluster is not None:
        return unit.connected
    return bool(unit.connected) and unit.door != app_state.unit_reports.door


def _believable(at_ms: int | None, now_ms: int, last_contact_ms: int | None) -> int | None:
    """When the stored heartbeat came: no later than the last contact, where its stamp is impossible."""
    return at_ms if at_ms is None or is_believable(at_ms, now_ms) else last_contact_ms


def _due(heartbeat_ms: int | None, heartbeat: Heartbeat, verdict: Verdict, now_ms: int) -> tuple[int | None, bool]:
    """When the next message is expected, and whether it is late: LATE_AFTER_MS over, with nothing else heard meanwhile, and
    not for want of our listening.
    """
    if heartbeat_ms is None or verdict.silence_ms is None or verdict.contact is not Contact.ONLINE:
        return None, False
    interval_ms = (heartbeat.interval_s or USUAL_INTERVAL_S) * 1000
    must_listen_ms = LATE_AFTER_MS + (interval_ms if verdict.outage_ms else 0)
    due_ms = heartbeat_ms + interval_ms
    return due_ms, now_ms > due_ms + LATE_AFTER_MS and verdict.silence_ms > must_listen_ms


def _in_force(unit: Unit, now_ms: int) -> Duplicate | None:
    """What was found of its identity, if it holds and is the asker's to see."""
    found, from_ms = unit.duplicate, unit.period.evidence_from_ms
    if found is None or not is_believable(found.last_ms, now_ms) or now_ms - found.last_ms > CLEAR_AFTER_MS:
        return None
    return found._replace(since_ms=max(found.since_ms, from_ms)) if found.last_ms >= from_ms else None


def is_outdated(app_state: AppState, unit: Unit) -> bool:
    """Whether the store has been told of a newer heartbeat than this row of it has."""
    live = app_state.live.find(unit.id)
    return live is not None and live.heartbeat is None and (live.heartbeat_ms or 0) > (unit.heartbeat_ms or 0)


def mark(point: ChargePoint, stored_mark: str) -> str:
    """The same for as long as a page that shows both need not change, but for the ages on it. `stored_mark` is that of what
    it shows beside the charge point."""
    duplicate = "" if point.duplicate is None else f".{point.duplicate.since_ms}"
    over_quota = ".over" if point.is_over_quota else ""
    contact = "late" if point.is_late else point.verdict.contact
    return f"{point.last_contact_ms}.{point.heartbeat_ms}.{contact}{duplicate}{over_quota}.{stored_mark}"


def as_json(point: ChargePoint, told: Told) -> dict[str, Any]:
    """The HTTP interface's words. Whatever is unknown is null."""
    heartbeat = point.heartbeat
    return {
        "id": point.id,
        "protocol": point.protocol,
        "last_contact": _iso(point.last_contact_ms),
        "contact": point.verdict.contact,
        "silence_ms": point.verdict.silence_ms,
        "checked_at": iso_utc(point.now_ms),
        "next_message_expected": _iso(point.due_ms),
        "late": point.is_late,
        "connected": point.connected,
        "heartbeat_at": _iso(point.heartbeat_ms),
        **dict(zip(_FIELDS, _field_values(heartbeat), strict=True)),
        **({name: heartbeat.more.get(name) for name in ONLY_SHOWN} if heartbeat.more else _NOT_SHOWN),
        "firmware": told.firmware,
        "board": told.board,
        "modem": told.modem,
        "contactor_closings": told.closings,
        "mobile_data_bytes": told.air_bytes,
        "duplicate_identity_since": None if point.duplicate is None else iso_utc(point.duplicate.since_ms),
        "boot": heartbeat.boot,
        "sequence": heartbeat.sequence,
        "unit_time_s": heartbeat.unit_time_s,
    }


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso_utc(at_ms)


def _stored(payload: str | None) -> Heartbeat | None:
    """None: it is not valid, written by another version of the bridge."""
    if payload is None:
        return Heartbeat()
    try:
        message = decode("heartbeat", payload.encode())
    except BadPayload:
        return None
    return message if isinstance(message, Heartbeat) else None


def _present(heartbeat: Heartbeat) -> Heartbeat:
    return Heartbeat(**{name: heartbeat.get(name) for name in PRESENT})


def is_listening(app_state: AppState) -> bool:
    """Whether a message of any unit that reaches us now would be stored and acknowledged: our own canary just was, and those
    of the processes that share the units with this one."""
    return (
        app_state.counters.canaries > 0
        and app_state.recorder.trouble is None
        and app_state.ledger.is_listening(app_state.clock.now_ms(), app_state.settings.shard.of)
    )
