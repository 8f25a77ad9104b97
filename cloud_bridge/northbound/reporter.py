"""Which CALL the back-end gets next: one at a time, as the standard demands. Pure.

Nothing waits in a queue. Each CALL is made from what is known when its turn comes, so a late answer or a back-end that
was away costs no memory, and the back-end is told the present state, not an old one. What must not be lost, our
sessions, waits in the store.

    turn  CALL                      when
    -----------------------------------------------------------------------------------------------
    1     BootNotification          until it is accepted; nothing else before that
    2     StartTransaction, Stop    for sessions, oldest first
    3     StatusNotification        for a connector whose status differs from the one last sent
    4     MeterValues               for a new heartbeat, while a transaction is open
    5     Heartbeat                 as often as it wants one, while the unit is heard (known.py)
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from cloud_bridge.clock import iso_utc
from cloud_bridge.ingest.ocpp.fields import text, whole
from cloud_bridge.ingest.ocpp.frames import Reply
from cloud_bridge.northbound import link_errors, transactions
from cloud_bridge.northbound.known import Known
from cloud_bridge.northbound.link_errors import Refusal
from cloud_bridge.northbound.statuses import CONNECTORS, Status, status_of
from cloud_bridge.northbound.transactions import Ended, Transaction

VENDOR = "Chargekeeper"
MAX_NAME, MAX_SERIAL, MAX_FIRMWARE = 20, 25, 50  # OCPP 1.6, section 6.1
INTERVAL_S, LEAST_INTERVAL_S, MOST_INTERVAL_S = 300, 10, 86_400
BOOT_AGAIN_S = 60  # if a back-end that does not accept us gives no interval
TRIES, AGAIN_S = 3, 60  # for what a back-end answers with an error
MOST_DOUBLED = 6  # how often the pause is doubled for what it does not answer: up to an hour
METER_EVERY_S = 60


class Trigger(StrEnum):
    """What the back-end may ask us to send."""

    BOOT = "BootNotification"
    HEARTBEAT = "Heartbeat"
    METER = "MeterValues"
    STATUS = "StatusNotification"


class Progress(NamedTuple):
    """How far the back-end has been informed, as kept in the store."""

    told_id: int  # the newest session that is finished with
    transaction: Transaction | None
    dropped: int = 0  # sessions that the back-end was not told of


class Due(NamedTuple):
    """A CALL that is to be sent now."""

    action: str
    payload: dict[str, Any]
    connector: int = 0  # for a status
    status: Status | None = None
    session: Ended | None = None  # the session that it is about


class Reporter:
    """Decides what to send for one unit. `now_s` is monotonic, `now_ms` our time. A connection begins with
    `connected`."""

    def __init__(self, progress: Progress, id_tag: str) -> None:
        self.progress = progress
        self.refused: Refusal | None = None  # the latest refusal since the back-end last accepted us
        self._id_tag = id_tag
        self._past: Transaction | None = None  # of a finished session, while it is being sent
        self._unplugged_ms: int | None = None  # since when a transaction waits for its record
        self._tries = 0  # of the next message about a session that were answered with an error
        self._unanswered = 0  # tries without any answer: this message may be what ends each connection
        self._sessions_again_s = 0.0  # no earlier than this
        self._interval_s = INTERVAL_S
        self.connected()

    def connected(self) -> None:
        """Start anew for a new connection: the back-end knows nothing of the present state."""
        self.is_booted = False
        self._told: dict[int, Status] = {}
        self._triggered: set[Trigger] = set()
        self._boot_again_s = 0.0  # no earlier than this
        self._heartbeat_s = 0.0  # when the last was sent
        self._meter_s = 0.0
        self._metered_ms: int | None = None  # the unit's heartbeat that was sent last

    @property
    def transaction_id(self) -> int | None:
        """The back-end's number of the open transaction."""
        transaction = self.progress.transaction
        return None if transaction is None or transaction.is_ended else transaction.id

    def wants_beginning(self, known: Known) -> bool:
        """Whether a session is in progress for which no transaction was made."""
        transaction = self.progress.transaction
        return (transaction is None or transaction.is_ended) and known.is_plugged and not known.is_away

    def begin(self, began_ms: int, meter_wh: int) -> None:
        """Note that a session has been in progress since `began_ms`, when the meter read `meter_wh`."""
        self._set(Transaction(began_ms, meter_wh, self._id_tag))

    def trigger(self, what: Trigger) -> None:
        """Note that the back-end has asked for this message."""
        self._triggered.add(what)
        if what is Trigger.BOOT:
            self.is_booted = False

    def has_left(self, known: Known) -> bool:
        """Whether the unit is away, and the back-end knows it."""
        is_told = all(self._told.get(one) == status_of(known, one) for one in CONNECTORS)
        return known.is_away and (is_told or not self.is_booted)

    def next(self, known: Known, sessions: Sequence[Ended], now_s: float, now_ms: int) -> Due | None:
        """Return the CALL to send now. `sessions` have ended, oldest first; some may already be finished with."""
        if not self.is_booted:
            return self._boot(known) if now_s >= self._boot_again_s else None
        return (
            self._of_session(known, sessions, now_s, now_ms)
            or self._of_status(known, now_ms)
            or self._of_meter(known, now_s)
            or self._of_heartbeat(known, now_s, now_ms)
        )

    def answered(self, due: Due, reply: Reply, now_s: float) -> None:
        """Note the answer, a CALLRESULT or a CALLERROR."""
        match due.action:
            case "BootNotification":
                self._booted(reply, now_s)
            case "StartTransaction":
                self._unanswered, self._sessions_again_s = 0, 0.0
                self._started(due, reply, now_s)
            case "StopTransaction":
                self._unanswered, self._sessions_again_s = 0, 0.0
                if reply.error is None or self._has_tried(now_s):
                    self._stopped(due, is_told=reply.error is None)
            case "StatusNotification" if due.status is not None:
                self._told[due.connector] = due.status  # it would give the same answer again

    def _boot(self, known: Known) -> Due:
        names = known.names
        said = {
            "chargePointVendor": VENDOR,
            "chargePointModel": text(names.model, MAX_NAME) or VENDOR,
            "firmwareVersion": text(names.firmware, MAX_FIRMWARE),
            "chargePointSerialNumber": names.serial if len(names.serial) <= MAX_SERIAL else None,
        }
        return Due("BootNotification", {key: value for key, value in said.items() if value is not None})

    def _booted(self, reply: Reply, now_s: float) -> None:
        status, wanted_s = text(reply.payload.get("status")), whole(reply.payload.get("interval")) or 0
        self.is_booted = reply.error is None and status == "Accepted"
        if self.is_booted:
            self.refused = None
            self._interval_s = max(LEAST_INTERVAL_S, min(wanted_s or INTERVAL_S, MOST_INTERVAL_S))
            self._heartbeat_s = now_s  # a BootNotification counts as one
        else:
            self.refused = Refusal(link_errors.BOOT, text(reply.error) or status or "-")
            self._boot_again_s = now_s + max(LEAST_INTERVAL_S, min(wanted_s or BOOT_AGAIN_S, MOST_INTERVAL_S))

    def _of_session(self, known: Known, sessions: Sequence[Ended], now_s: float, now_ms: int) -> Due | None:
        """What to send next about sessions. If it is not answered, everything else has its turn before it is tried
        again, later each time."""
        if now_s < self._sessions_again_s:
            return None
        due = self._of_sessions(known, sessions, now_ms)
        if due is not None:
            self._sessions_again_s = now_s + AGAIN_S * 2 ** min(self._unanswered, MOST_DOUBLED)
            self._unanswered += 1
        return due

    def _of_sessions(self, known: Known, sessions: Sequence[Ended], now_ms: int) -> Due | None:
        for one in sessions:
            if one.id <= self.progress.told_id:
                continue
            if (due := self._of_record(one, now_ms)) is not None:
                return due
        transaction = self.progress.transaction
        if transaction is None or transaction.is_given_up or transaction.is_ended:
            return None
        if transaction.id is None:
            return Due("StartTransaction", transactions.start(transaction))
        return self._of_lost_record(known, transaction, now_ms)

    def _of_record(self, one: Ended, now_ms: int) -> Due | None:
        """What to send about a session with a record. None: it is finished with."""
        transaction = self.progress.transaction
        if transaction is not None and transactions.is_record_of(one, transaction):
            if transaction.is_ended or transaction.is_given_up:
                self._done(one, None)
                return None
        else:
            if not one.is_tellable or (one.ended_ms or 0) < now_ms - transactions.KEPT_MS:
                self._done(one, transaction, dropped=1)
                self._past = None
                return None
            transaction = self._past = self._past or transactions.whole(one, self._id_tag)
        if transaction.id is None:
            return Due("StartTransaction", transactions.start(transaction), session=one)
        energy_wh = min(one.energy_wh or 0, transactions.MOST_WH)
        stop = transactions.stop(transaction, one.ended_ms or now_ms, energy_wh, one.reason)
        return Due("StopTransaction", stop, session=one)

    def _of_lost_record(self, known: Known, transaction: Transaction, now_ms: int) -> Due | None:
        """The end of a session whose record does not arrive, taken from its heartbeats."""
        if known.is_plugged or known.heartbeat.state is None or known.unit_time_ms is None:
            self._unplugged_ms = None
            return None
        self._unplugged_ms = self._unplugged_ms or now_ms
        if now_ms - self._unplugged_ms < transactions.RECORD_WITHIN_MS:
            return None
        energy_wh = max(0, (known.heartbeat.total_wh or 0) - transaction.meter_wh)
        ended_ms = min(self._unplugged_ms, known.unit_time_ms)
        return Due("StopTransaction", transactions.stop(transaction, ended_ms, energy_wh, None))

    def _started(self, due: Due, reply: Reply, now_s: float) -> None:
        transaction = self._past or self.progress.transaction
        if transaction is None:
            return
        number = whole(reply.payload.get("transactionId")) if reply.error is None else None
        if number is not None:
            self._tries = 0
            told = transaction._replace(id=number)
            id_tag = reply.payload.get("idTagInfo")
            status = text(id_tag.get("status")) if isinstance(id_tag, dict) else None
            if status not in (None, "Accepted"):
                self.refused = Refusal(link_errors.TAG, status)
        elif self._has_tried(now_s):
            told = transaction._replace(is_given_up=True)
        else:
            return
        if self._past is None:
            self._set(told, dropped=int(told.is_given_up))
        elif told.is_given_up:
            self._stopped(due, is_told=False)
        else:
            self._past = told

    def _stopped(self, due: Due, is_told: bool) -> None:
        self._tries = 0
        self._unplugged_ms = None
        transaction, dropped = self.progress.transaction, int(not is_told)
        if due.session is None and transaction is not None:
            self._set(transaction._replace(is_ended=True), dropped)
        elif due.session is not None:
            self._done(due.session, transaction if self._past else None, dropped)
        self._past = None

    def _has_tried(self, now_s: float) -> bool:
        """Return whether this was the last try; otherwise it is tried again later."""
        self._tries += 1
        if self._tries >= TRIES:
            self._tries = 0
            return True
        self._sessions_again_s = now_s + AGAIN_S
        return False

    def _of_status(self, known: Known, now_ms: int) -> Due | None:
        is_asked = Trigger.STATUS in self._triggered
        self._triggered.discard(Trigger.STATUS)
        if is_asked:
            self._told.clear()
        for connector in CONNECTORS:
            status = status_of(known, connector)
            if status is not None and status != self._told.get(connector):
                at_ms = now_ms if known.is_away else known.unit_time_ms or now_ms
                return Due("StatusNotification", status.payload(connector, at_ms), connector, status)
        return None

    def _of_meter(self, known: Known, now_s: float) -> Due | None:
        is_asked = Trigger.METER in self._triggered
        self._triggered.discard(Trigger.METER)
        is_new = known.heartbeat_ms != self._metered_ms and now_s - self._meter_s >= METER_EVERY_S
        goes_on = self.transaction_id is not None and known.is_plugged
        if not (is_asked or (is_new and goes_on)) or known.is_away or known.unit_time_ms is None:
            return None
        samples = _samples(known)
        if not samples:
            return None
        self._metered_ms, self._meter_s = known.heartbeat_ms, now_s
        value = {"timestamp": iso_utc(known.unit_time_ms), "sampledValue": samples}
        said: dict[str, Any] = {"connectorId": 1, "meterValue": [value]}
        return Due("MeterValues", said | ({"transactionId": self.transaction_id} if goes_on else {}))

    def _of_heartbeat(self, known: Known, now_s: float, now_ms: int) -> Due | None:
        is_due = Trigger.HEARTBEAT in self._triggered or now_s - self._heartbeat_s >= self._interval_s
        self._triggered.discard(Trigger.HEARTBEAT)
        if not is_due or not known.is_heard(now_ms):
            return None
        self._heartbeat_s = now_s
        return Due("Heartbeat", {})

    def _set(self, transaction: Transaction | None, dropped: int = 0) -> None:
        self._done_with(self.progress.told_id, transaction, dropped)

    def _done(self, one: Ended, transaction: Transaction | None, dropped: int = 0) -> None:
        self._done_with(one.id, transaction, dropped)

    def _done_with(self, told_id: int, transaction: Transaction | None, dropped: int) -> None:
        self.progress = Progress(told_id, transaction, self.progress.dropped + dropped)


def _samples(known: Known) -> list[dict[str, str]]:
    heartbeat = known.heartbeat
    told = (
        ("Energy.Active.Import.Register", "Wh", heartbeat.total_wh),
        ("Power.Active.Import", "W", heartbeat.watts),
        ("Current.Offered", "A", heartbeat.amps),
    )
    return [
        {"value": f"{value:.15g}", "measurand": name, "unit": unit, "context": "Sample.Periodic"}
        for name, unit, value in told
        if value is not None
    ]
