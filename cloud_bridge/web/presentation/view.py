"""The state of a charge point as shown now: the store's row together with the live state in memory.

Contact belongs to the charge point, so a new owner sees the last contact even if it was before their claim. Of a heartbeat
from before the claim, they see only the present state (PRESENT), and only while the unit is online. Its readings of energy,
power, limits and network are the former owner's.
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
    """One charge point at the time `now_ms`."""

    id: str
    time_zone: str
    now_ms: int
    last_contact_ms: int | None
    is_estimated: bool  # the clock was wrong, so the last contact was at this time or earlier
    verdict: Verdict
    connected: bool | None  # None if unknown
    heartbeat_ms: int | None
    heartbeat: Heartbeat  # every field is None until a heartbeat was received
    duplicate: Duplicate | None  # a second charge point uses its identity
    name: str  # chosen by its owner; the id if there is none
    due_ms: int | None  # when the next message is or was due; None if unknown, or if the unit is silent
    is_late: bool  # that message is overdue
    is_over_quota: bool  # it sends too much and is disconnected for that
    is_unreadable: bool  # the stored state is invalid
    protocol: str  # store.units.Protocol; it decides which of these values the unit can report
    deaf: list[str]  # names of the cluster nodes that receive nothing now and through which this unit may connect
    silent_after_ms: int = SILENT_AFTER_MS  # how long after the last contact it counts as silent


USUAL_INTERVAL_S = 300  # of heartbeats that do not report their interval (firmware/link/messages.py)
LATE_AFTER_MS = 60_000  # within this time, a lost connection is detected and re-established
OVER_QUOTA_MS = 60 * 60 * 1000  # how long the pages show that a unit sent too much
PRESENT = frozenset({"state", "mode", "faults", "troubles", "interval_s"})  # names in values.HEARTBEAT

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
    """Return the shard of the last contact; in a cluster, that of its node (paths.py)."""
    return EVERY if unit.contact is None else unit.contact.shard


def _is_connected(app_state: AppState, unit: Unit) -> bool | None:
    """Return whether the unit is connected: by this process's own connections, else by what another process or a node has
    stored. Return None if unknown, as with an outside broker, which does not report it. OCPP chargers always connect to this
    service."""
    if app_state.settings.broker is not None and unit.protocol != Protocol.OCPP:
        return None
    live = app_state.live.find(unit.id)
    if live is not None and live.connected:
        return True
    if app_state.settings.cluster is not None:
        return unit.connected
    return bool(unit.connected) and unit.door != app_state.unit_reports.door


def _believable(at_ms: int | None, now_ms: int, last_contact_ms: int | None) -> int | None:
    """Return when the stored heartbeat was received. If its time is impossible, return the last contact instead."""
    return at_ms if at_ms is None or is_believable(at_ms, now_ms) else last_contact_ms


def _due(heartbeat_ms: int | None, heartbeat: Heartbeat, verdict: Verdict, now_ms: int) -> tuple[int | None, bool]:
    """Return when the next message is due, and whether it is late: by more than LATE_AFTER_MS, with no other message received,
    and not because the service was not listening."""
    if heartbeat_ms is None or verdict.silence_ms is None or verdict.contact is not Contact.ONLINE:
        return None, False
    interval_ms = (heartbeat.interval_s or USUAL_INTERVAL_S) * 1000
    must_listen_ms = LATE_AFTER_MS + (interval_ms if verdict.outage_ms else 0)
    due_ms = heartbeat_ms + interval_ms
    return due_ms, now_ms > due_ms + LATE_AFTER_MS and verdict.silence_ms > must_listen_ms


def _in_force(unit: Unit, now_ms: int) -> Duplicate | None:
    """Return the evidence of a duplicate identity, if it is recent and the viewer may see it."""
    found, from_ms = unit.duplicate, unit.period.evidence_from_ms
    if found is None or not is_believable(found.last_ms, now_ms) or now_ms - found.last_ms > CLEAR_AFTER_MS:
        return None
    return found._replace(since_ms=max(found.since_ms, from_ms)) if found.last_ms >= from_ms else None


def is_outdated(app_state: AppState, unit: Unit) -> bool:
    """Return True if this row of the store is older than the newest heartbeat that was committed."""
    live = app_state.live.find(unit.id)
    return live is not None and live.heartbeat is None and (live.heartbeat_ms or 0) > (unit.heartbeat_ms or 0)


def mark(point: ChargePoint, stored_mark: str) -> str:
    """Return a string that changes whenever a page with this charge point has to be redrawn, apart from the ages on it.
    `stored_mark` is that of the page's other content."""
    duplicate = "" if point.duplicate is None else f".{point.duplicate.since_ms}"
    over_quota = ".over" if point.is_over_quota else ""
    contact = "late" if point.is_late else point.verdict.contact
    return f"{point.last_contact_ms}.{point.heartbeat_ms}.{contact}{duplicate}{over_quota}.{stored_mark}"


def as_json(point: ChargePoint, told: Told) -> dict[str, Any]:
    """Return the charge point in the shape of the HTTP interface. Unknown values are None."""
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
    """Decode a stored heartbeat. Return None if it is invalid: another version of the bridge wrote it."""
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
    """Return True if a message from any unit would be stored and acknowledged now: the canary of this process, and those of
    the processes that share the units with it, were received in time."""
    return (
        app_state.counters.canaries > 0
        and app_state.recorder.trouble is None
        and app_state.ledger.is_listening(app_state.clock.now_ms(), app_state.settings.shard.of)
    )
