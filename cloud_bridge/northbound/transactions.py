"""Our sessions as transactions of OCPP: a session lasts from plugging in to unplugging, and so does its transaction.
Pure.

The transaction of a session in progress is started as soon as the session is seen, and stopped by the unit's record of
it. If a session is known only by its record, because we did not listen meanwhile, the back-end gets both the start and
the stop, with the unit's own times.
"""

import json
from typing import Any, NamedTuple

from cloud_bridge.clock import iso_utc
from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.wire import EARLIEST_S, LATEST_S, MAX_COUNT

KEPT_MS = 30 * DAY_MS  # sessions that ended earlier are no longer sent
RECORD_WITHIN_MS = 15 * MINUTE_MS  # after unplugging; later than that, the end is taken from the heartbeats
CLOCKS_MS = 2 * MINUTE_MS  # between plugging in and the heartbeat that reports it
MOST_WH = 2**31 - 1  # the largest number that back-ends store

REASONS = frozenset(  # OCPP 1.6, section 7.36: as chargers of other makers report them
    {
        *("DeAuthorized", "EmergencyStop", "EVDisconnected", "HardReset", "Local", "Other", "PowerLoss", "Reboot"),
        *("Remote", "SoftReset", "UnlockCommand"),
    }
)
OUR_REASONS = {"unplugged": "EVDisconnected"}  # firmware/charging/controller.py


class Ended(NamedTuple):
    """The record of a session. None for what the unit has not reported."""

    id: int
    began_ms: int | None
    ended_ms: int | None
    energy_wh: int | None
    meter_began_wh: int | None
    reason: str | None = None

    @property
    def is_tellable(self) -> bool:
        """Whether it can be sent by OCPP, which needs two times and an energy."""
        if self.began_ms is None or self.ended_ms is None or self.energy_wh is None:
            return False
        in_order = EARLIEST_S * 1000 <= self.began_ms <= self.ended_ms <= LATEST_S * 1000
        return in_order and 0 <= self.energy_wh <= MOST_WH


class Transaction(NamedTuple):
    """A transaction that is being sent to the back-end. It is stored before it is started, so that it is the same when
    it is sent again."""

    began_ms: int
    meter_wh: int
    id_tag: str
    id: int | None = None  # given by the back-end in its answer
    is_ended: bool = False  # stopped before its record arrived, which then adds nothing
    is_given_up: bool = False  # the back-end does not accept it


def stored(transaction: Transaction | None) -> str | None:
    return None if transaction is None else json.dumps(transaction)


def restored(text: Any) -> Transaction | None:
    """Read a stored transaction. None if the text is not one: then no transaction is open, as far as we know."""
    try:
        began_ms, meter_wh, id_tag, number, is_ended, is_given_up = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
    is_valid = all(type(one) is int and 0 <= one <= MAX_COUNT for one in (began_ms, meter_wh))
    if not is_valid or not isinstance(id_tag, str) or not (number is None or type(number) is int):
        return None
    return Transaction(began_ms, meter_wh, id_tag, number, is_ended is True, is_given_up is True)


def is_record_of(ended: Ended, transaction: Transaction) -> bool:
    """Whether the record is of the session of this transaction: it ended after the transaction was seen to begin, or
    both began at the same time."""
    if ended.began_ms is None or ended.ended_ms is None:
        return False
    return ended.ended_ms > transaction.began_ms or abs(ended.began_ms - transaction.began_ms) < CLOCKS_MS


def start(transaction: Transaction) -> dict[str, Any]:
    """The payload of a StartTransaction."""
    return {
        "connectorId": 1,
        "idTag": transaction.id_tag,
        "meterStart": min(transaction.meter_wh, MOST_WH),
        "timestamp": iso_utc(transaction.began_ms),
    }


def stop(transaction: Transaction, ended_ms: int, energy_wh: int, reason: str | None) -> dict[str, Any]:
    """The payload of a StopTransaction, once the back-end has numbered the transaction."""
    return {
        "transactionId": transaction.id,
        "idTag": transaction.id_tag,
        "meterStop": min(transaction.meter_wh + energy_wh, MOST_WH),
        "timestamp": iso_utc(max(ended_ms, transaction.began_ms)),
        "reason": reason if reason in REASONS else OUR_REASONS.get(reason or "", "Other"),
    }


def whole(ended: Ended, id_tag: str) -> Transaction:
    """The transaction of a finished session. A meter that is not known starts at 0: the difference is the energy
    charged."""
    return Transaction(ended.began_ms or 0, ended.meter_began_wh or 0, id_tag)
