"""What we know of one charger that speaks OCPP: the state of its connectors and its last transactions. Pure.

It goes with the newest heartbeat into the store, under a key of its own (KEY), and comes back from there: after a kill -9 the
next message of the charger finds what it left. A charger tells its status only when that changes.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from cloud_bridge.ingest.ocpp.fields import number, text, time_s, whole
from cloud_bridge.ingest.ocpp.meter_values import MAX_A, MAX_W, MAX_WH, Reading, readings
from cloud_bridge.ingest.ocpp.statuses import CHARGING, FIRST, Status, status_of
from cloud_bridge.ingest.ocpp.transactions import Transaction

KEY = "ocpp"  # of the heartbeat; no reader of the wire format knows it, and it is kept as it is
MAX_CONNECTORS = 8
MAX_TRANSACTIONS = 8  # the last ones: a StopTransaction may come again, and offline ones come one after the other
PROBE_AFTER_S = 1200  # without a frame; then it is asked for one, 10 minutes before it would be silent
OLD_AFTER_S = 600  # a reading that is older was made offline: history, not what is drawn now
MAX_STATUS = 20


@dataclass(slots=True)
class Connector:
    """One of them; 0 is the charger as a whole."""

    status: str | None = None  # as it was told last
    error: str | None = None
    watts: float | None = None
    total_wh: int | None = None

    @property
    def told(self) -> Status:
        return status_of(self.status, self.error)


@dataclass(slots=True)
class ChargerState:
    """Times are seconds since 1970."""

    connectors: dict[int, Connector] = field(default_factory=dict)
    transactions: dict[int, Transaction] = field(default_factory=dict)  # by id, the last ones
    behind_s: int = 0  # its clock, behind ours, by its last StatusNotification
    offered_a: float | None = None

    # What it says.

    def take_status(self, payload: dict[str, Any], now_s: int) -> None:
        connector = self._connector(payload.get("connectorId"))
        if connector is None:
            return
        connector.status = _name(payload.get("status")) or connector.status
        connector.error = _name(payload.get("errorCode"))
        if connector.told.state != CHARGING:
            connector.watts = 0.0  # none sends readings then
        if (at_s := time_s(payload.get("timestamp"))) is not None:
            self.behind_s = now_s - at_s

    def take_readings(self, payload: dict[str, Any], now_s: int) -> None:
        connector = self._connector(payload.get("connectorId"))
        if connector is None:
            return
        for one in readings(payload.get("meterValue")):
            self._take_reading(connector, one, now_s)

    def begin(self, transaction: Transaction) -> None:
        """Says nothing of its state: it may have begun days ago, offline."""
        self.transactions.pop(transaction.id, None)
        self.transactions[transaction.id] = transaction
        while len(self.transactions) > MAX_TRANSACTIONS:
            del self.transactions[next(iter(self.transactions))]

    def end(self, transaction_id: int | None) -> tuple[Transaction | None, bool]:
        """The transaction that is over now, if it is one of the last, and whether it was so before."""
        began = None if transaction_id is None else self.transactions.get(transaction_id)
        if began is None:
            return None, False
        self.transactions[began.id] = began._replace(is_over=True)
        return began, began.is_over

    # What is known.

    @property
    def state(self) -> str | None:
        """Of the pilot; None while a fault stops it, or it has not told."""
        states = {one.told.state for at, one in self.connectors.items() if at and one.status is not None}
        of_all = self.connectors[0].told.state if 0 in self.connectors else None
        if not states or (of_all == "F" and states.isdisjoint(FIRST[:3])):
            return of_all
        return next((state for state in FIRST if state in states), None)

    @property
    def faults(self) -> list[str]:
        return sorted({one.told.fault for one in self.connectors.values() if one.told.fault})

    @property
    def has_told(self) -> bool:
        """Whether anything is known of its state."""
        return any(one.status is not None for one in self.connectors.values())

    @property
    def plugged(self) -> int | None:
        """The connector with a vehicle; None where there is none."""
        states = {at: one.told.state for at, one in self.connectors.items() if at}
        return next((at for at, state in sorted(states.items()) if state in FIRST[:3]), None)

    def heartbeat(self) -> bytes:
        """Its state now, in the wire format."""
        numbered = [one for at, one in self.connectors.items() if at]
        troubles = sorted({one.told.trouble for one in self.connectors.values() if one.told.trouble})
        said = {
            "s": self.state,
            "a": self.offered_a,
            "w": _sum(one.watts for one in numbered),
            "e": _register(self.connectors, numbered),
            "f": self.faults or None,
            "h": troubles or None,
            "z": PROBE_AFTER_S,
            KEY: self._kept(),
        }
        told = {key: value for key, value in said.items() if value is not None}
        return json.dumps(told, separators=(",", ":")).encode()

    def _kept(self) -> dict[str, Any]:
        return {
            "connectors": [[at, one.status, one.error, one.watts, one.total_wh] for at, one in self.connectors.items()],
            "transactions": [list(one) for one in self.transactions.values()],
            "behind": self.behind_s,
        }

    def _connector(self, said: Any) -> Connector | None:
        """None for one more than MAX_CONNECTORS."""
        at = whole(said)
        at = 1 if at is None or not 0 <= at <= 1000 else at
        if at not in self.connectors:
            if len(self.connectors) >= MAX_CONNECTORS:
                return None
            self.connectors[at] = Connector()
        return self.connectors[at]

    def _take_reading(self, connector: Connector, one: Reading, now_s: int) -> None:
        if one.at_s is not None and now_s - one.at_s - self.behind_s > OLD_AFTER_S:
            if one.total_wh is not None and one.total_wh > (connector.total_wh or 0):
                connector.total_wh = one.total_wh  # it has drawn as much by then at least
            return
        if one.total_wh is not None:
            connector.total_wh = one.total_wh
        if one.watts is not None:
            connector.watts = round(one.watts, 1)
        if one.offered_a is not None:
            self.offered_a = one.offered_a


def charger_of(heartbeat: dict[str, Any]) -> ChargerState:
    """As `ChargerState.heartbeat` left it. What cannot be read of it, or was never there, is not known."""
    kept, charger = heartbeat.get(KEY), ChargerState()
    if not isinstance(kept, dict):
        return charger
    for row in _rows(kept.get("connectors"), 5)[:MAX_CONNECTORS]:
        at, total_wh = whole(row[0]), _within(row[4], MAX_WH)
        if at is not None:
            charger.connectors[at] = Connector(
                _name(row[1]),
                _name(row[2]),
                _within(row[3], MAX_W),
                None if total_wh is None else int(total_wh),
            )
    for row in _rows(kept.get("transactions"), 5)[:MAX_TRANSACTIONS]:
        transaction_id, connector = whole(row[0]), whole(row[1])
        if transaction_id is not None and connector is not None:
            charger.transactions[transaction_id] = Transaction(
                transaction_id, connector, whole(row[2]), whole(row[3]), row[4] is True
            )
    charger.behind_s = whole(kept.get("behind")) or 0
    charger.offered_a = _within(heartbeat.get("a"), MAX_A)
    return charger


def _name(value: Any) -> str | None:
    """Of a status or an error; those of the standard are ASCII, and a heartbeat has to stay short."""
    found = text(value, MAX_STATUS)
    return found if found is not None and found.isascii() else None


def _within(value: Any, highest: int) -> float | None:
    found = number(value)
    return found if found is not None and 0 <= found <= highest else None


def _rows(value: Any, size: int) -> list[list[Any]]:
    return [row for row in value if isinstance(row, list) and len(row) == size] if isinstance(value, list) else []


def _sum(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _register(connectors: dict[int, Connector], numbered: list[Connector]) -> int | None:
    """Of its connectors together, or else of the meter of all of it."""
    total = _sum(one.total_wh for one in numbered)
    if total is None and 0 in connectors:
        total = connectors[0].total_wh
    return None if total is None else int(total)
