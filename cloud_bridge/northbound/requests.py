"""Requests of a back-end to a unit: our answer, or the order that follows from it. Pure.

An order is sent like those from the pages: the unit decides, and the back-end is told what the unit has answered.
Without `may_command`, every request that would change something is refused.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from cloud_bridge.commands import is_possible
from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.ingest.ocpp.fields import items, number, text, time_s, whole
from cloud_bridge.ingest.ocpp.frames import ErrorCode
from cloud_bridge.northbound.known import Known
from cloud_bridge.northbound.reporter import Trigger
from cloud_bridge.store.units import Protocol

LEAST_A = 6  # amperes, IEC 61851-1; less is a pause
LONGEST_MS = 7 * DAY_MS - 5 * MINUTE_MS  # AHEAD_MAX_S of the firmware, whose clock may differ
STOPPED_MS = DAY_MS  # how long a charge that the back-end has stopped stays stopped, if nobody resumes it

ACCEPTED, REJECTED, NOT_SUPPORTED = "Accepted", "Rejected", "NotSupported"

Payload = dict[str, Any]


class Asked(NamedTuple):
    """A request of a back-end, with what is needed to answer it."""

    payload: Payload
    known: Known
    transaction_id: int | None  # of the open transaction
    may_command: bool
    now_ms: int

    @property
    def status(self) -> str | None:
        return text(self.payload.get("status"))


class Order(NamedTuple):
    """An order for the unit. The answer has one of two statuses, depending on what the unit answers."""

    do: str
    arguments: Payload
    holds_ms: int | None = None
    done: str = ACCEPTED
    not_done: str = REJECTED


class Said(NamedTuple):
    """An answer that we give ourselves."""

    payload: Payload
    trigger: Trigger | None = None  # the message to send after it


Reaction = Order | Said | ErrorCode


def react(action: str, asked: Asked) -> Reaction:
    """Return the reaction to a request. Never raises, whatever the payload."""
    found = ACTIONS.get(action.lower())
    return ErrorCode.NOT_IMPLEMENTED if found is None else found(asked)


def _status(status: str) -> Said:
    return Said({"status": status})


def _ordered(asked: Asked, order: Order) -> Reaction:
    protocol = Protocol.OCPP if asked.known.names.is_ocpp else Protocol.MQTT
    if not is_possible(protocol, order.do, order.arguments):
        return _status(NOT_SUPPORTED if order.not_done == "UnlockFailed" else REJECTED)
    return order if asked.may_command and not asked.known.is_away else _status(order.not_done)


def _start(asked: Asked) -> Reaction:
    if text(asked.payload.get("idTag")) is None:
        return ErrorCode.FORMATION_VIOLATION
    if (
        asked.payload.get("connectorId") not in (None, 1)
        or "chargingProfile" in asked.payload
        or not asked.known.is_plugged
    ):
        return _status(REJECTED)
    heartbeat = asked.known.heartbeat
    if heartbeat.limited_by == "cloud" and heartbeat.allowed_amps == 0:
        return _ordered(asked, Order("resume", {}))
    return _ordered(asked, Order("override", {"on": True}))


def _stop(asked: Asked) -> Reaction:
    wanted = whole(asked.payload.get("transactionId"))
    if wanted is None:
        return ErrorCode.FORMATION_VIOLATION
    if wanted != asked.transaction_id:
        return _status(REJECTED)
    if asked.known.names.is_ocpp:
        return _ordered(asked, Order("stop", {}))
    return _ordered(asked, Order("pause", {}, STOPPED_MS))


def _set_profile(asked: Asked) -> Reaction:
    """A temporary limit: one period, in amperes."""
    profile = next(iter(items(asked.payload.get("csChargingProfiles"))), {})
    schedule = next(iter(items(profile.get("chargingSchedule"))), {})
    periods = items(schedule.get("chargingSchedulePeriod"))
    amps = number(periods[0].get("limit")) if len(periods) == 1 else None
    if amps is None and len(periods) < 2:
        return ErrorCode.FORMATION_VIOLATION
    starts_s = [time_s(one) for one in (schedule.get("startSchedule"), profile.get("validFrom")) if one is not None]
    is_now = all(one is not None and one * 1000 <= asked.now_ms + MINUTE_MS for one in starts_s)
    is_plain = profile.get("chargingProfileKind") in ("Absolute", "Relative") and is_now
    if amps is None or amps < 0 or not is_plain or schedule.get("chargingRateUnit") != "A":
        return _status(NOT_SUPPORTED)
    holds_ms = _lasting_ms(profile, schedule, asked.now_ms)
    if holds_ms <= 0:
        return _status(REJECTED)
    if amps < LEAST_A:
        return _ordered(asked, Order("pause", {}, holds_ms))
    return _ordered(asked, Order("limit", {"amps": min(int(amps), 80)}, holds_ms))


def _lasting_ms(profile: Payload, schedule: Payload, now_ms: int) -> int:
    """How long the profile lasts from now; negative if it is over."""
    began_s, lasts_s = time_s(schedule.get("startSchedule")), whole(schedule.get("duration"))
    ends_ms = [now_ms + LONGEST_MS]
    if lasts_s is not None:
        ends_ms.append((now_ms if began_s is None else began_s * 1000) + lasts_s * 1000)
    if (until_s := time_s(profile.get("validTo"))) is not None:
        ends_ms.append(until_s * 1000)
    return min(ends_ms) - now_ms


def _clear_profile(asked: Asked) -> Reaction:
    return _ordered(asked, Order("resume", {}, not_done="Unknown"))


def _reset(asked: Asked) -> Reaction:
    return _ordered(asked, Order("reboot", {}))


def _unlock(asked: Asked) -> Reaction:
    return _ordered(asked, Order("unlock", {}, done="Unlocked", not_done="UnlockFailed"))


def _availability(asked: Asked) -> Reaction:
    """A change of availability. Nothing can be switched off."""
    return _status(ACCEPTED if asked.payload.get("type") == "Operative" else REJECTED)


def _trigger(asked: Asked) -> Reaction:
    try:
        trigger = Trigger(str(asked.payload.get("requestedMessage")))
    except ValueError:
        return _status("NotImplemented")
    if asked.payload.get("connectorId") not in (None, 0, 1):
        return _status(REJECTED)
    if asked.known.is_away or (trigger is Trigger.HEARTBEAT and not asked.known.is_heard(asked.now_ms)):
        return _status(REJECTED)
    return Said({"status": ACCEPTED}, trigger)


CONFIGURATION = {  # of OCPP 1.6, section 9; nothing of it can be changed
    "AuthorizeRemoteTxRequests": "false",
    "ChargeProfileMaxStackLevel": "0",
    "ChargingScheduleAllowedChargingRateUnit": "Current",
    "ChargingScheduleMaxPeriods": "1",
    "GetConfigurationMaxKeys": "50",
    "MaxChargingProfilesInstalled": "1",
    "MeterValuesSampledData": "Energy.Active.Import.Register,Power.Active.Import,Current.Offered",
    "MeterValueSampleInterval": "60",
    "NumberOfConnectors": "1",
    "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
}
MOST_KEYS = 50


def _configuration(asked: Asked) -> Reaction:
    wanted = asked.payload.get("key")
    keys = [text(one) or "" for one in wanted[:MOST_KEYS]] if isinstance(wanted, list) else []
    keys = keys or list(CONFIGURATION)
    known = [{"key": one, "readonly": True, "value": CONFIGURATION[one]} for one in keys if one in CONFIGURATION]
    return Said({"configurationKey": known, "unknownKey": [one for one in keys if one not in CONFIGURATION]})


def _configure(asked: Asked) -> Reaction:
    return _status(REJECTED if text(asked.payload.get("key")) in CONFIGURATION else NOT_SUPPORTED)


def _always(payload: Payload) -> Callable[[Asked], Reaction]:
    return lambda _asked: Said(dict(payload))


def _not_supported(_asked: Asked) -> Reaction:
    return ErrorCode.NOT_SUPPORTED


ACTIONS: dict[str, Callable[[Asked], Reaction]] = {
    "cancelreservation": _always({"status": REJECTED}),
    "changeavailability": _availability,
    "changeconfiguration": _configure,
    "clearcache": _always({"status": REJECTED}),
    "clearchargingprofile": _clear_profile,
    "datatransfer": _always({"status": "UnknownVendorId"}),
    "getcompositeschedule": _always({"status": REJECTED}),
    "getconfiguration": _configuration,
    "getdiagnostics": _always({}),  # there is no file
    "getlocallistversion": _always({"listVersion": -1}),  # there is no list
    "remotestarttransaction": _start,
    "remotestoptransaction": _stop,
    "reservenow": _always({"status": REJECTED}),
    "reset": _reset,
    "sendlocallist": _always({"status": NOT_SUPPORTED}),
    "setchargingprofile": _set_profile,
    "triggermessage": _trigger,
    "unlockconnector": _unlock,
    "updatefirmware": _not_supported,
}
