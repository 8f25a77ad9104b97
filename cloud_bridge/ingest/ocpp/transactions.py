"""Transactions of a charger: from StartTransaction and StopTransaction to one session. Pure.

Their ids are ours to give, and are made of what the charger says: a StartTransaction that is sent again, after whatever was
lost in between, gets the id that it had (ABB sends each again after a loss, mobilityhouse/ocpp#186). No row has to be written
before it is answered. By the id a StopTransaction that is sent again is known as well: one session, one row.
"""

import zlib
from typing import Any, NamedTuple

from cloud_bridge.durations import DAY_MS
from cloud_bridge.ingest.ocpp.fields import text, time_s, whole
from cloud_bridge.ingest.ocpp.meter_values import MAX_WH, readings

MAX_SESSION_WH = 1_000_000  # ten of the largest batteries
MAX_SESSION_S = 60 * DAY_MS // 1000
MAX_REASON = 50
ODD_AHEAD_S = 3600  # a clock an hour ahead is one without summer time; further ahead it is wrong


class Transaction(NamedTuple):
    """One that has begun. Times are the charger's own; None where its clock was not set, or it did not tell."""

    id: int
    connector: int
    started_s: int | None
    meter_wh: int | None
    is_over: bool = False


def started(payload: dict[str, Any], received_ms: int) -> Transaction:
    connector, meter_wh = whole(payload.get("connectorId")) or 0, _register(payload.get("meterStart"))
    said = (connector, text(payload.get("timestamp")), text(payload.get("meterStart")), text(payload.get("idTag")))
    number = zlib.crc32(repr(said).encode()) & 0x7FFFFFFF
    return Transaction(number or 1, connector, _believable_s(payload.get("timestamp"), received_ms), meter_wh)


def session(payload: dict[str, Any], began: Transaction | None, received_ms: int) -> dict[str, Any]:
    """The session that a StopTransaction ends, in the keys of the wire format (tests/samples/schema.toml). `began` is None
    for one of which only the end reached us: its energy is known if its readings say so."""
    number = whole(payload.get("transactionId"))
    ended_s, meter_wh = _believable_s(payload.get("timestamp"), received_ms), _register(payload.get("meterStop"))
    begun_wh = _first_wh(payload.get("transactionData")) if began is None else began.meter_wh
    started_s = None if began is None else began.started_s
    said: dict[str, Any] = {"t": ended_s, "t0": started_s, "t1": ended_s, "y": text(payload.get("reason"), MAX_REASON)}
    if number is not None and number > 0:
        said |= {"b": number, "n": 0}
    if started_s is not None and ended_s is not None and 0 <= ended_s - started_s <= MAX_SESSION_S:
        said["s"] = ended_s - started_s
    if begun_wh is not None and meter_wh is not None and 0 <= meter_wh - begun_wh <= MAX_SESSION_WH:
        said["e"] = meter_wh - begun_wh
    return {key: value for key, value in said.items() if value is not None}


def _first_wh(data: Any) -> int | None:
    """The register at the first reading of a transaction, where more than one was sent."""
    registers = [one.total_wh for one in readings(data) if one.total_wh is not None]
    return registers[0] if len(registers) > 1 else None


def _register(value: Any) -> int | None:
    found = whole(value)
    return found if found is not None and 0 <= found <= MAX_WH else None


def _believable_s(value: Any, received_ms: int) -> int | None:
    """A time of the past, however long ago: what happened offline comes later. None for one that is ahead of us."""
    at_s = time_s(value)
    return at_s if at_s is not None and at_s <= received_ms // 1000 + ODD_AHEAD_S else None
