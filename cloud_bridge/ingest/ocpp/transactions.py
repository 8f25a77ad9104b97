"""Transactions of a charger, and the session record from the start and end of one. Pure.

In OCPP 1.6 we assign the transaction id. It is a hash of the fields of the StartTransaction, so a repeated
StartTransaction gets the same id (ABB repeats each after a loss, mobilityhouse/ocpp#186), and no row has to be written
before the answer. The id also identifies a repeated StopTransaction, so that a session is stored once. In 2.0.1 the
charger names its transactions, and the id is a hash of that name.
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
ODD_AHEAD_S = 3600  # a clock may be an hour ahead because of summer time; further ahead it is wrong


class Transaction(NamedTuple):
    """A transaction that has begun. Times are by the charger's clock; None if it was not set or the time was not
    sent."""

    id: int
    connector: int
    started_s: int | None
    meter_wh: int | None
    is_over: bool = False
    sequence: int = -1  # of its newest event, in OCPP 2.0.1
    name: str = ""  # the charger's transactionId, in OCPP 2.0.1; "" if it is not ASCII


class End(NamedTuple):
    """The end of a transaction."""

    number: int | None  # of the session, to detect repeats
    ended_s: int | None
    meter_wh: int | None
    first_wh: int | None  # the first reading, for a transaction whose start did not reach us
    reason: Any


def number_of(*said: Any) -> int:
    """Return a hash of the values: 31 bits, never 0."""
    return zlib.crc32(repr(said).encode()) & 0x7FFFFFFF or 1


def session(began: Transaction | None, end: End) -> dict[str, Any]:
    """Return the session record with the keys of the wire format (tests/samples/schema.toml). `began` is None if only
    the end reached us; the energy then comes from the readings, if there are enough."""
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
    """Return a time in seconds since 1970. It may be long ago, since offline transactions arrive late. Return None if
    it is more than ODD_AHEAD_S ahead of our clock."""
    at_s = time_s(value)
    return at_s if at_s is not None and at_s <= received_ms // 1000 + ODD_AHEAD_S else None
