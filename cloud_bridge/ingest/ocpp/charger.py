"""What we know of one charger that speaks OCPP: the state of its connectors and its last transactions. Pure.

It goes with the newest heartbeat into the store, under a key of its own (KEY), and comes back from there: after a kill -9 the
next message of the charger finds what it left. A charger tells its status only when that changes.
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

KEY = "ocpp"  # of the heartbeat; no reader of the wire format knows it, and it is kept as it is
MAX_CONNECTORS = 8
MAX_TRANSACTIONS = 8  # the last ones: a StopTransaction may come again, and offline ones come one after the other
PROBE_AFTER_S = 1200  # without a frame; then it is asked for one, 10 minutes before it would be silent
OLD_AFTER_S = 600  # a reading that is older was made offline: history, not what is drawn now
MAX_STATUS = 20
MAX_SETTINGS = 100  # of one frame


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
    csq: int | None = None  # of its mobile network
    vendor: str = ""  # in small letters, once it has booted on this connection
    set_up_s: int = 0  # when it has answered all that was set last (configuration.py); 0: never
    settings: list[Tried | Told] = field(default_factory=list)  # that are not handed on yet

    # What it says.

    def note_time(self, timestamp: Any, now_s: int) -> None:
        """Of a status, which is told as soon as it is so."""
        if (at_s := time_s(timestamp)) is not None:
            self.behind_s = now_s - at_s

    def take_status(self, at: Any, status: Any, error: Any) -> None:
        """Of the connector `at`. A status that is not told is what it was."""
        connector = self._connector(at)
        if connector is None:
            return
        connector.status = _name(status) or connector.status
        connector.error = _name(error)
        if connector.told.state != CHARGING:
            connector.watts = 0.0  # none sends readings then

    def take_availability(self, at: Any, status: Any) -> None:
        """Of OCPP 2.0.1, which tells apart whether a connector is occupied, what a transaction does, and what is wrong there.
        "Occupied" is no news where more is known; an error ends with the fault."""
        connector = self._connector(at)
        if connector is None:
            return
        said = (_name(status) or "").lower()
        if said == OCCUPIED and connector.told.state in PLUGGED:
            return
        is_mended = connector.told.fault is not None and said != FAULTED
        self.take_status(at, status, None if is_mended else connector.error)

    def take_progress(self, at: Any, status: str) -> None:
        """What the transaction on a connector does, likewise. It mends no fault."""
        connector = self._connector(at)
        if connector is not None and connector.told.fault is None:
            self.take_status(at, status, connector.error)

    def take_error(self, at: Any, code: str | None) -> None:
        """Likewise; None: it is over. Said of a connector whose status is not known it is kept."""
        connector = self._connector(at)
        if connector is not None:
            connector.error = code

    def take_readings(self, at: Any, meter_values: Any, now_s: int, is_past: bool = False) -> None:
        """`is_past`: the charger says itself that they are of a time without a connection."""
        connector = self._connector(at)
        if connector is None:
            return
        for one in readings(meter_values):
            self._take_reading(connector, one, is_past or self.is_past(one.at_s, now_s))

    def is_past(self, at_s: int | None, now_s: int) -> bool:
        """Whether a time, by the charger's clock, is so long ago that what was then is no state of now."""
        return at_s is not None and now_s - at_s - self.behind_s > OLD_AFTER_S

    def begin(self, transaction: Transaction) -> None:
        """Says nothing of its state: it may have begun days ago, offline."""
        self.transactions.pop(transaction.id, None)
        self.transactions[transaction.id] = transaction
        while len(self.transactions) > MAX_TRANSACTIONS:
            del self.transactions[next(iter(self.transactions))]

    def heard_of(self, transaction_id: int, sequence: int | None) -> bool:
        """Whether a newer event of it was heard before."""
        known = self.transactions.get(transaction_id)
        if known is None or sequence is None:
            return False
        if sequence < known.sequence:
            return True
        self.transactions[transaction_id] = known._replace(sequence=sequence)
        return False

    def end(self, transaction_id: int | None) -> tuple[Transaction | None, bool]:
        """The transaction that is over now, if it is one of the last, and whether it was so before."""
        began = None if transaction_id is None else self.transactions.get(transaction_id)
        if began is None:
            return None, False
        self.transactions[began.id] = began._replace(is_over=True)
        return began, began.is_over

    def note_settings(self, settings: Sequence[Tried | Told]) -> None:
        """No more than MAX_SETTINGS wait to be handed on."""
        self.settings += settings[: MAX_SETTINGS - len(self.settings)]

    def hand_on_settings(self) -> list[Tried | Told]:
        """Those that have come since."""
        found, self.settings = self.settings, []
        return found

    # What is known.

    @property
    def state(self) -> str | None:
        """Of the pilot; None while a fault stops it, or it has not told."""
        states = {one.told.state for at, one in self.connectors.items() if at and one.status is not None}
        of_all = self.connectors[0].told.state if 0 in self.connectors else None
        if not states or (of_all == "F" and states.isdisjoint(PLUGGED)):
            return of_all
        return next((state for state in FIRST if state in states), None)

    @property
    def faults(self) -> list[str]:
        of_all = self.connectors[0].error if 0 in self.connectors else None
        told = [status_of(one.status, one.error or of_all) for one in self.connectors.values()]
        return sorted({one.fault for one in told if one.fault})

    @property
    def has_told(self) -> bool:
        """Whether anything is known of its state."""
        return any(one.status is not None for one in self.connectors.values())

    @property
    def running(self) -> Transaction | None:
        """The one that began last and is not over."""
        return next((one for one in reversed(self.transactions.values()) if not one.is_over), None)

    @property
    def plugged(self) -> int | None:
        """The connector with a vehicle; None where there is none."""
        states = {at: one.told.state for at, one in self.connectors.items() if at}
        return next((at for at, state in sorted(states.items()) if state in PLUGGED), None)

    def draws(self, at: int) -> bool:
        """Whether a vehicle charges at this connector, or could."""
        return at in self.connectors and self.connectors[at].told.state in DRAWING

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
        """None for one more than MAX_CONNECTORS."""
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
                connector.total_wh = one.total_wh  # it has drawn as much by then at least
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
    """As `ChargerState.heartbeat` left it. What cannot be read of it, or was never there, is not known."""
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
    """Of a status or an error; those of the standard are ASCII, and a heartbeat has to stay short."""
    return ascii_text(value, MAX_STATUS)


def _within(value: Any, highest: int) -> float | None:
    found = number(value)
    return found if found is not None and 0 <= found <= highest else None


def _rows(value: Any, least: int, most: int) -> list[list[Any]]:
    """Of `most` values each; those of an older version have fewer, and end with None."""
    rows = [row for row in value if isinstance(row, list)] if isinstance(value, list) else []
    return [[*row, *[None] * (most - len(row))] for row in rows if least <= len(row) <= most]


def _sum(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _register(connectors: dict[int, Connector], numbered: list[Connector]) -> int | None:
    """Of its connectors together, or else of the meter of all of it."""
    total = _sum(one.total_wh for one in numbered)
    if total is None and 0 in connectors:
        total = connectors[0].total_wh
    return None if total is None else int(total)
