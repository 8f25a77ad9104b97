"""Writes messages from the event loop into the database in groups, in a thread of its own.

While one group is being committed the next one is collected, so a busy moment makes larger transactions rather than a
longer queue. The sender of a message is told when it is committed: the embedded broker acknowledges it to the unit only
then, so killing this process cannot lose what was acknowledged.

An error of the database stops the writing and nothing else. What happens to a message depends on the cause of the
error:

    error                                         the message
    -----------------------------------------------------------------------------------------------------------
    of the database or the connection to it:      stays in the queue, unacknowledged; tried again every RETRY_S,
    away, full, read-only, slow, no connection    and `trouble` gives the reason until it is committed
    of the message's own data, twice, alone in    kept aside in `rejected_messages`, and acknowledged when that is
    its transaction                               committed; counted in `rejected`

A canary is never kept aside: if the database refuses one, the fault is in the database, whatever the error says.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.contact import KEPT_STEPS, UptimeLedger, gap_between, is_believable, proves_listening
from cloud_bridge.path_ledger import PathLedger
from cloud_bridge.store.data_errors import is_of_its_data
from cloud_bridge.store.database import Database
from cloud_bridge.store.error_text import reason_of, remedy_of
from cloud_bridge.store.inbound_message import CanaryMark, InboundMessage
from cloud_bridge.store.ocpp_doors import record_door_mark
from cloud_bridge.store.paths import record_mark
from cloud_bridge.store.record import ClockSet, record, record_clock_set, record_listening, reject

GATHER_S = 0.005  # groups start at most this often: a commit costs as much as about fifty more rows in it
RETRY_S = 1.0
LAST_TRIES = 3  # when closing; what still cannot be written then was never acknowledged
MAX_WAITING = 100_000  # messages, some 100 MB. Beyond it none is accepted, so none is acknowledged
STALLED_S = 10.0  # a commit that takes longer counts as an outage, even without an error

OnCommit = Callable[[], object]  # called on the event loop after the commit; must not raise

_log = logging.getLogger(__name__)


class Item(NamedTuple):
    """What waits to be written, and the callback for when it is committed."""

    message: InboundMessage | CanaryMark
    committed: OnCommit


class Recorder:
    """To be created on the event loop, on which it calls back; `put` returns at once.

    `database` should have a connection that nothing else can use (Database.separate). The ledger is told of a canary
    when its mark is committed.
    """

    def __init__(
        self, database: Database, loop: asyncio.AbstractEventLoop, now_ms: Callable[[], int], ledger: UptimeLedger
    ) -> None:
        self.rejected = 0  # messages kept aside: the database refuses their data, so a retry would not help
        self.retries = 0  # how often the database failed to store what it was given
        self._trouble: str | None = None
        self._database = database
        self._loop = loop
        self._now_ms = now_ms
        self.ledger = ledger
        self._listened_ms = ledger.last_ok_ms  # as committed; the ledger follows on the event loop
        self._listened_total_ms = 0
        self._clock_set: list[ClockSet] = []  # to be stored before anything stamped after it
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._waiting: list[Item] = []
        self._uncommitted: list[Item] = []  # taken out of `_waiting`
        self._writing_since_s: float | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="recorder")
        self._thread.start()

    def put(self, message: InboundMessage | CanaryMark, committed: OnCommit) -> bool:
        """Write the message soon, then call `committed`. False: MAX_WAITING are waiting, and this one was not
        accepted."""
        with self._lock:  # the lock of `_changed`, which would acquire it in Python: this runs for every message
            if self.is_full:
                return False
            self._waiting.append(Item(message, committed))
            if len(self._waiting) == 1:
                self._changed.notify()
        return True

    def stepped(self, done: ClockSet) -> None:
        """Note that our clock was set. It is stored at once, and before anything stamped after it."""
        with self._changed:
            self._clock_set = [*self._clock_set, done][-KEPT_STEPS:]
            self._changed.notify()

    @property
    def trouble(self) -> str | None:
        """Why nothing can be committed now, in one line; None if there is no error."""
        since_s = self._writing_since_s
        if self._trouble is None and since_s is not None and time.monotonic() - since_s > STALLED_S:
            return f"the database has not answered for more than {STALLED_S:.0f} s"
        return self._trouble

    @property
    def waiting(self) -> int:
        """How many items are not committed yet."""
        return len(self._waiting) + len(self._uncommitted)

    @property
    def is_full(self) -> bool:
        return len(self._waiting) + len(self._uncommitted) >= MAX_WAITING

    def close(self) -> None:
        """Write what waits, then end. Blocks until done; makes at most LAST_TRIES tries if the database fails."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        tries_left = LAST_TRIES
        while True:
            with self._changed:
                while not (self._waiting or self._uncommitted or self._clock_set or self._closing):
                    self._changed.wait()
                self._uncommitted += self._waiting
                self._waiting = []
            if not self._uncommitted and not self._clock_set:
                return
            self._writing_since_s = time.monotonic()
            left = self._write(self._uncommitted) if self._uncommitted else []
            is_done = not left and (not self._clock_set or self._store_steps())
            if is_done:
                self._succeeded()  # first, so that no error is reported when nothing waits any more
            self._uncommitted = left
            self._writing_since_s = None
            if is_done:
                time.sleep(GATHER_S)
                continue
            self.retries += 1
            if self._closing and (tries_left := tries_left - 1) == 0:
                _log.error("gave up on %d messages that could not be stored", len(self._uncommitted))
                return
            self._database.disconnect()  # the next try may reach a different server: the new primary after a failover
            with self._changed:
                self._changed.wait_for(lambda: self._closing, RETRY_S)

    def _store_steps(self) -> bool:
        """Store the steps of our clock while no message waits. False: the database has failed."""
        try:
            self._commit([])
        except Exception as error:  # as in `_write`
            self._failed(error)
            return False
        return True

    def _write(self, group: list[Item]) -> list[Item]:
        """Write a group. Returns what is not committed, in its order. A message that the database refuses is found by
        halving."""
        pending = [group]
        refused: list[Item] = []
        while pending:
            part = pending.pop()
            try:
                listened = self._commit(part)
            except Exception as error:  # whatever it is, it must not end this thread
                if not is_of_its_data(error):
                    self._failed(error)
                    return [*refused, *part, *chain.from_iterable(reversed(pending))]
                if len(part) > 1:
                    middle = len(part) // 2
                    pending += [part[middle:], part[:middle]]
                elif not self._keep_aside(part[0], error):
                    refused += part
            else:
                self._call_back(part, listened)
        return refused

    def _commit(self, group: list[Item]) -> list[OnCommit]:
        """Write one transaction. Returns the calls that tell the ledger what its canaries prove. May raise any
        error."""
        now_ms = self._now_ms()
        clock_set = self._clock_set
        messages = [item.message for item in group if isinstance(item.message, InboundMessage)]
        marks = [item.message for item in group if isinstance(item.message, CanaryMark)]
        listened: list[OnCommit] = []
        total_ms = self._listened_total_ms
        last_ok_ms = (
            None if self._listened_ms is None else self._listened_ms + sum(done.step.by_ms for done in clock_set)
        )
        with self._database.writing(first=True) as connection:
            for done in clock_set:
                record_clock_set(connection, done)
            if messages:
                record(connection, messages, now_ms)
            for mark in sorted(marks, key=attrgetter("shard")):  # all processes use the same order of rows
                if mark.paths:
                    if proves_listening(mark.received_ms, now_ms) and isinstance(self.ledger, PathLedger):
                        record_one = record_door_mark if mark.door else record_mark
                        listened.append(partial(self.ledger.heard, record_one(connection, mark, now_ms).rows))
                    continue
                is_newer = last_ok_ms is None or mark.received_ms > last_ok_ms or not is_believable(last_ok_ms, now_ms)
                is_possible = is_believable(mark.received_ms, now_ms)
                if is_newer and is_possible and proves_listening(mark.received_ms, now_ms):
                    total_ms = max(total_ms, mark.listened_ms)
                    gap = gap_between(last_ok_ms, mark.received_ms)
                    record_listening(connection, mark._replace(listened_ms=total_ms), gap)
                    last_ok_ms = mark.received_ms
                    listened.append(partial(self.ledger.heartbeat_ok, last_ok_ms))
        self._listened_ms, self._listened_total_ms = last_ok_ms, total_ms
        with self._changed:
            self._clock_set = self._clock_set[len(clock_set) :]
        return listened

    def _keep_aside(self, item: Item, error: Exception) -> bool:
        """Keep a message aside that was refused alone in its transaction. False: it stays in the queue.

        It is tried once more, since an error of its own data would occur again. Then the bytes are kept, and the
        contact counts if it can be stored: the unit reached us, whatever it sent.
        """
        inbound = item.message
        if isinstance(inbound, CanaryMark):
            self._failed(error)
            return False
        unread = inbound._replace(message=None, bad=True)
        for contact, is_rejected in (([inbound], False), ([unread], True), ([], True)):
            try:
                with self._database.writing(first=True) as connection:
                    if contact:
                        record(connection, contact, self._now_ms())
                    if is_rejected:
                        reject(connection, inbound, reason_of(error))
            except Exception as again:
                if not is_of_its_data(again):
                    self._failed(again)
                    return False
                error = again
            else:
                if is_rejected:
                    self.rejected += 1
                    _log.error("a message of %s was rejected and kept aside: %s", inbound.unit_id, reason_of(error))
                self._call_back([item], [])
                return True
        self._failed(error)  # not even its bytes can be stored: then its data is not the cause
        return False

    def _call_back(self, group: list[Item], listened: list[OnCommit]) -> None:
        self._loop.call_soon_threadsafe(_call, [*listened, *(item.committed for item in group)])

    def _failed(self, error: Exception) -> None:
        reason = reason_of(error)
        if reason != self._trouble:
            known = isinstance(error, SQLAlchemyError)
            said = ". ".join(filter(None, (reason, remedy_of(error))))
            _log.error("messages cannot be stored or acknowledged: %s", said, exc_info=None if known else error)
        self._trouble = reason

    def _succeeded(self) -> None:
        if self._trouble is not None:
            _log.warning("messages can be stored again")
            self._trouble = None


def _call(callbacks: list[OnCommit]) -> None:
    """Call each of them, even if others raise errors: they are acknowledgements to different units."""
    for committed in callbacks:
        try:
            committed()
        except Exception:
            _log.exception("a message is stored, but could not be acknowledged")
