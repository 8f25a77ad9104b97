"""The state of an OCPP charger: its connectors and its last transactions. Pure.

The state is stored with each heartbeat record, under its own key (KEY), and read back when the charger connects. A
charger reports its status only when it changes, so the state has to survive a kill -9.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cloud_bridge.ingest.ocpp.fields import ascii_text, number, time_s, whole
from cloud_bridge.ingest.ocpp.meter_values import MAX_A, MAX_W, MAX_WH, Reading, readings
from cloud_bridge.ingest.ocpp.statuses import CHARGING, DRAWING, FAULTED, FIRST, OCCUPIED, PLUGGED, Status, status_of
from cloud_bridge.ingest.ocpp.transactions import MAX_NAME, Transaction
from cloud_bridge.ocpp_settings import Told, Tried

KEY = "ocpp"  # of the heartbeat; not part of the wire format, so it is stored unchanged
MAX_CONNECTORS = 8
MAX_TRANSACTIONS = 8  # the newest: a StopTransaction may be repeated, and offline transactions arrive in sequence
PROBE_AFTER_S = 1200  # without a frame; then the charger is asked for one, 10 minutes before it would be silent
OLD_AFTER_S = 600  # an older reading was taken offline: it is history, not the present state
MAX_STATUS = 20  # characters
MAX_SETTINGS = 100  # that wait to be stored


@dataclass(slots=True)
class Connector:
    """One connector; connector 0 is the whole charger."""

    status: str | None = None  # as last reported
    error: str | None = None
    watts: float | None = None
    total_wh: int | None = None

    @property
    def told(self) -> Status:
        return status_of(self.status, self.error)


@dataclass(slots=True)
class ChargerState:
    """The state of one charger. Times are seconds since 1970."""

    connectors: dict[int, Connector] = field(default_factory=dict)
    transactions: dict[int, Transaction] = field(default_factory=dict)  # the newest, by id
    behind_s: int = 0  # by which its clock is behind ours, from its last StatusNotification
    offered_a: float | None = None
    csq: int | None = None  # signal of its mobile network
    vendor: str = ""  # in lower case, from its BootNotification on this connection
    set_up_s: int = 0  # when it last answered all settings (configuration.py); 0 for never
    settings: list[Tried | Told] = field(default_factory=list)  # answers that wait to be stored

    # Input from the charger.

    def note_time(self, timestamp: Any, now_s: int) -> None:
        """Measure the charger's clock by the timestamp of a status, which is sent as soon as the status changes."""
        if (at_s := time_s(timestamp)) is not None:
            self.behind_s = now_s - at_s

    def take_status(self, at: Any, status: Any, error: Any) -> None:
        """Take the status of connector `at`. A missing status leaves the previous one."""
        connector = self._connector(at)
        if connector is None:
            return
        connector.status = _name(status) or connector.status
        connector.error = _name(error)
        if connector.told.state != CHARGING:
            connector.watts = 0.0  # chargers send no readings while they do not charge

    def take_availability(self, at: Any, status: Any) -> None:
        """Take the availability of connector `at` in OCPP 2.0.1, which reports availability, charging state and errors
        separately. "Occupied" is ignored if a more precise state is known. An error ends when the status is no longer
        faulted."""
        connector = self._connector(at)
        if connector is None:
            return
        said = (_name(status) or "").lower()
        if said == OCCUPIED and connector.told.state in PLUGGED:
            return
        is_mended = connector.told.fault is not None and said != FAULTED
        self.take_status(at, status, None if is_mended else connector.error)

    def take_progress(self, at: Any, status: str) -> None:
        """Take the charging state of the transaction on connector `at` in OCPP 2.0.1. It does not clear a fault."""
        connector = self._connector(at)
        if connector is not None and connector.told.fault is None:
            self.take_status(at, status, connector.error)

    def take_error(self, at: Any, code: str | None) -> None:
        """Take an error of connector `at` in OCPP 2.0.1; None if it has ended. It is kept even if the connector's
        status is not known yet."""
        connector = self._connector(at)
        if connector is not None:
            connector.error = code

    def take_readings(self, at: Any, meter_values: Any, now_s: int, is_past: bool = False) -> None:
        """Take meter values of connector `at`. `is_past` is True if the charger marks them as offline readings."""
        connector = self._connector(at)
        if connector is None:
            return
        for one in readings(meter_values):
            self._take_reading(connector, one, is_past or self.is_past(one.at_s, now_s))

    def is_past(self, at_s: int | None, now_s: int) -> bool:
        """Return whether a time, by the charger's clock, is too long ago for a reading to be the present state."""
        return at_s is not None and now_s - at_s - self.behind_s > OLD_AFTER_S

    def begin(self, transaction: Transaction) -> None:
        """Add a transaction. It does not change the state, since it may have begun days ago, offline."""
        self.transactions.pop(transaction.id, None)
        self.transactions[transaction.id] = transaction
        while len(self.transactions) > MAX_TRANSACTIONS:
            del self.transactions[next(iter(self.transactions))]

    def heard_of(self, transaction_id: int, sequence: int | None) -> bool:
        """Return whether a newer event of the transaction was received before."""
        known = self.transactions.get(transaction_id)
        if known is None or sequence is None:
            return False
        if sequence < known.sequence:
            return True
        self.transactions[transaction_id] = known._replace(sequence=sequence)
        return False

    def end(self, transaction_id: int | None) -> tuple[Transaction | None, bool]:
        """End a transaction. Return it, or None if it is not known, and whether it had ended already."""
        began = None if transaction_id is None else self.transactions.get(transaction_id)
        if began is None:
            return None, False
        self.transactions[began.id] = began._replace(is_over=True)
        return began, began.is_over

    def note_settings(self, settings: Sequence[Tried | Told]) -> None:
        """Add answers about settings, up to MAX_SETTINGS in all."""
        self.settings += settings[: MAX_SETTINGS - len(self.settings)]

    def hand_on_settings(self) -> list[Tried | Told]:
        """Remove and return the answers about settings."""
        found, self.settings = self.settings, []
        return found

    # The state.

    @property
    def state(self) -> str | None:
        """The pilot state; None during a fault or if it is not known."""
        states = {one.told.state for at, one in self.connectors.items() if at and one.status is not None}
        of_all = self.connectors[0].told.state if 0 in self.connectors else None
        if not states or (of_all == "F" and states.isdisjoint(PLUGGED)):
            return of_all
        return next((state for state in FIRST if state in states), None)

    @property
    def faults(self) -> list[str]:
        """The names of the present faults, sorted."""
        of_all = self.connectors[0].error if 0 in self.connectors else None
        told = [status_of(one.status, one.error or of_all) for one in self.connectors.values()]
        return sorted({one.fault for one in told if one.fault})

    @property
    def has_told(self) -> bool:
        """Whether the status of any connector is known."""
        return any(one.status is not None for one in self.connectors.values())

    @property
    def running(self) -> Transaction | None:
        """The newest transaction that has not ended, or None."""
        return next((one for one in reversed(self.transactions.values()) if not one.is_over), None)

    @property
    def plugged(self) -> int | None:
        """The lowest-numbered connector with a vehicle, or None."""
        states = {at: one.told.state for at, one in self.connectors.items() if at}
        return next((at for at, state in sorted(states.items()) if state in PLUGGED), None)

    def draws(self, at: int) -> bool:
        """Return whether a vehicle at this connector charges, or has suspended charging itself."""
        return at in self.connectors and self.connectors[at].told.state in DRAWING

    def heartbeat(self) -> bytes:
        """Return the present state as the payload of a heartbeat in our wire format."""
        numbered = [one for at, one in self.connectors.items() if at]
        troubles = sorted({one.told.trouble for one in self.connectors.values() if one.told.trouble})
        said = {
            "s": self.state,
            "a": self.offered_a,
            "w": _sum(one.watts for one in numbered),
            "e": _register(self.connectors, numbered),
            "f": self.faults or None,
            "h": troubles or None,
            "q": self.csq,
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
            "set": self.set_up_s,
        }

    def _connector(self, said: Any) -> Connector | None:
        """Return the connector with the reported number, creating it if necessary, or None if there are too many."""
        at = whole(said)
        at = 1 if at is None or not 0 <= at <= 1000 else at
        if at not in self.connectors:
            if len(self.connectors) >= MAX_CONNECTORS:
                return None
            self.connectors[at] = Connector()
        return self.connectors[at]

    def _take_reading(self, connector: Connector, one: Reading, is_past: bool) -> None:
        if is_past:
            if one.total_wh is not None and one.total_wh > (connector.total_wh or 0):
                connector.total_wh = one.total_wh  # the register never goes back, so it is at least this now
            return
        if one.total_wh is not None:
            connector.total_wh = one.total_wh
        if one.watts is not None:
            connector.watts = round(one.watts, 1)
        if one.offered_a is not None:
            self.offered_a = one.offered_a
        if one.csq is not None:
            self.csq = one.csq


def charger_of(heartbeat: dict[str, Any]) -> ChargerState:
    """Restore the state from a stored heartbeat. Missing or unreadable values are left unknown."""
    kept, charger = heartbeat.get(KEY), ChargerState()
    if not isinstance(kept, dict):
        return charger
    for row in _rows(kept.get("connectors"), 5, 5)[:MAX_CONNECTORS]:
        at, total_wh = whole(row[0]), _within(row[4], MAX_WH)
        if at is not None:
            charger.connectors[at] = Connector(
                _name(row[1]),
                _name(row[2]),
                _within(row[3], MAX_W),
                None if total_wh is None else int(total_wh),
            )
    for row in _rows(kept.get("transactions"), 5, 7)[:MAX_TRANSACTIONS]:
        transaction_id, connector = whole(row[0]), whole(row[1])
        if transaction_id is not None and connector is not None:
            sequence = whole(row[5])
            charger.transactions[transaction_id] = Transaction(
                transaction_id,
                connector,
                whole(row[2]),
                whole(row[3]),
                row[4] is True,
                -1 if sequence is None else sequence,
                ascii_text(row[6], MAX_NAME) or "",
            )
    charger.behind_s = whole(kept.get("behind")) or 0
    charger.set_up_s = whole(kept.get("set")) or 0
    charger.offered_a = _within(heartbeat.get("a"), MAX_A)
    csq = _within(heartbeat.get("q"), 31)
    charger.csq = None if csq is None else int(csq)
    return charger


def _name(value: Any) -> str | None:
    """Return a status or error name. Those of the standard are ASCII, and the heartbeat must stay short."""
    return ascii_text(value, MAX_STATUS)


def _within(value: Any, highest: int) -> float | None:
    found = number(value)
    return found if found is not None and 0 <= found <= highest else None


def _rows(value: Any, least: int, most: int) -> list[list[Any]]:
    """Return the rows that have `least` to `most` values, padded with None. Rows of an older version have fewer
    values."""
    rows = [row for row in value if isinstance(row, list)] if isinstance(value, list) else []
    return [[*row, *[None] * (most - len(row))] for row in rows if least <= len(row) <= most]


def _sum(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _register(connectors: dict[int, Connector], numbered: list[Connector]) -> int | None:
    """Return the sum of the connectors' energy registers, or else that of connector 0, in Wh."""
    total = _sum(one.total_wh for one in numbered)
    if total is None and 0 in connectors:
        total = connectors[0].total_wh
    return None if total is None else int(total)
