"""A store with two units, and a recorder that writes to it, for tests of both."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select

from cloud_bridge.contact import StoredContact, UptimeLedger
from cloud_bridge.store.access import Person, Role
from cloud_bridge.store.database import Database
from cloud_bridge.store.inbound_message import CanaryMark, InboundMessage
from cloud_bridge.store.recorder import Recorder
from cloud_bridge.store.units import visible_units
from cloud_bridge.wire import decode
from tests.cloud_bridge.running import DEADLINE_S, HandClock

_tick = threading.Event()  # never set


def inbound(
    unit_id: str = "cp-1", at_ms: int = 1000, kind: str = "heartbeat", payload: bytes = b"{}"
) -> InboundMessage:
    return InboundMessage(unit_id, kind, at_ms, payload, decode(kind, payload), bad=False)


def rows(database: Database, table: Any) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(select(table)))


def last_contacts(connection: Connection) -> dict[str, StoredContact]:
    """Return the last contact of every unit that has one."""
    found = visible_units(connection, Person(1, "sue", Role.SUPPORT))
    return {unit.id: unit.contact for unit in found if unit.contact is not None}


def until(condition: Callable[[], object], what: str) -> None:
    for _ in range(int(DEADLINE_S * 1000)):
        if condition():
            return
        _tick.wait(0.001)
    raise AssertionError(f"timed out: {what}")


class Recording:
    """A recorder on its own event loop, with a clock that the test sets."""

    def __init__(self, database: Database, ledger: UptimeLedger | None = None) -> None:
        self.clock = HandClock()
        self.ledger = ledger or UptimeLedger()
        self.acknowledged: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.recorder = Recorder(database, self._loop, self.clock.now_ms, self.ledger)

    def put(self, message: InboundMessage | CanaryMark, name: str = "") -> bool:
        return self.recorder.put(message, lambda: self.acknowledged.append(name))

    def canary(self) -> None:
        assert self.put(CanaryMark(self.clock.now_ms()), "canary")

    def until_idle(self) -> None:
        until(lambda: self.recorder.waiting == 0, f"all committed: {self.recorder.trouble}")
        done = threading.Event()
        self._loop.call_soon_threadsafe(done.set)  # runs after the commit callbacks
        assert done.wait(DEADLINE_S)

    def close(self) -> None:
        self.recorder.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()
