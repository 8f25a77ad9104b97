"""Transactions of a charger, from their beginning and their end to one session. Pure.

Their ids in OCPP 1.6 are ours to give, and are made of what the charger says: a StartTransaction that is sent again, after
whatever was lost in between, gets the id that it had (ABB sends each again after a loss, mobilityhouse/ocpp#186). No row has
to be written before it is answered. By the id a StopTransaction that is sent again is known as well: one session, one row. In
2.0.1 a charger names its transactions itself, and the id is made of that name.
"""

import zlib
from typing import Any, NamedTuple

from cloud_bridge.durations import DAY_MS
from cloud_bridge.ingest.ocpp.fields import text, time_s, whole
from cloud_bridge.ingest.ocpp.meter_values import MAX_WH

MAX_SESSION_WH = 1_000_000  # ten of the largest batteries
MAX_SESSION_S = 60 * DAY_MS // 1000
MAX_REASON = 50
MAX_NAME = 36  # characters, of TransactionType.transactionId
ODD_AHEAD_S = 3600  # a clock an hour ahead is one without summer time; further ahead it is wrong


class Transaction(NamedTuple):
    """One that has begun. Times are the charger's own; None where its clock was not set, or it did not tell."""

    id: int
    connector: int
    started_s: int | None
    meter_wh: int | None
    is_over: bool = False
    sequence: int = -1  # of the newest event that was heard of it, in OCPP 2.0.1
    name: str = ""  # by which the charger knows it, likewise; empty for one that is not ASCII


class End(NamedTuple):
    """What ends one."""

    number: int | None  # of the session, by which one that is sent again is known
    ended_s: int | None
    meter_wh: int | None
    first_wh: int | None  # of its readings, for one whose beginning did not reach us
    reason: Any


def number_of(*said: Any) -> int:
    """Of 31 bits, and never 0."""
    return zlib.crc32(repr(said).encode()) & 0x7FFFFFFF or 1


def session(began: Transaction | None, end: End) -> dict[str, Any]:
    """In the keys of the wire format (tests/samples/schema.toml). `began` is None for one of which only the end reached us:
    its energy is known if its readings say so."""
    begun_wh = end.first_wh if began is None else began.meter_wh
    started_s, ended_s, meter_wh = None if began is None else began.started_s, end.ended_s, end.meter_wh
    said: dict[str, Any] = {"t": ended_s, "t0": started_s, "t1": ended_s, "y": text(end.reason, MAX_REASON)}
    if end.number is not None and end.number > 0:
        said |= {"b": end.number, "n": 0}
    if started_s is not None and ended_s is not None and 0 <= ended_s - started_s <= MAX_SESSION_S:
        said["s"] = ended_s - started_s
    if begun_wh is not None and meter_wh is not None and 0 <= meter_wh - begun_wh <= MAX_SESSION_WH:
        said["e"] = meter_wh - begun_wh
    return {key: value for key, value in said.items() if value is not None}


def register_wh(value: Any) -> int | None:
    found = whole(value)
    return found if found is not None and 0 <= found <= MAX_WH else None


def believable_s(value: Any, received_ms: int) -> int | None:
    """A time of the past, however long ago: what happened offline comes later. None for one that is ahead of us."""
    at_s = time_s(value)
    return at_s if at_s is not None and at_s <= received_ms // 1000 + ODD_AHEAD_S else None
