"""Random stories of messages and of a database in trouble: is anything acknowledged and lost, or confirmed falsely?

Each story has a number, which is its seed. RECORDER_STORIES sets how many are run (`make fuzz`: 1,000), STORY runs one alone.
CHARGEKEEPER_TEST_POSTGRESQL runs them on PostgreSQL, with PostgreSQL's errors.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from cloud_bridge.contact import OUTAGE_AFTER_MS, merged, outage_ms
from cloud_bridge.store import recorder as recorder_module
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.inbound_message import InboundMessage
from cloud_bridge.store.record import read_gaps, read_listened
from cloud_bridge.store.tables import contacts, events, listening, listening_gaps, rejected_messages, results, sessions
from cloud_bridge.store.units import add_unit
from cloud_bridge.wire import decode
from tests.cloud_bridge.recording import Recording, until
from tests.cloud_bridge.running import store_at
from tests.cloud_bridge.unkind import UnkindDatabase, errors_of

STORIES = int(os.environ.get("RECORDER_STORIES", "40"))
ALONE = os.environ.get("STORY")
JOURNAL = {"event": events, "session": sessions, "result": results}
POINTS = 24  # more than a group has: connection, BEGIN, at most ten statements of two rounds, and COMMIT


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(store_at(tmp_path))
    yield database
    database.close()


class Story:
    """The life of one recorder. Raises AssertionError with its transcript."""

    def __init__(self, database: Database, number: int) -> None:
        self.transcript: list[str] = []
        self.injected: Counter[str] = Counter()
        self._dice = random.Random(number)
        self._database = database
        self._units = [f"s{number}-{unit}" for unit in range(3)]
        self._removed = f"s{number}-removed"
        self._sent: dict[str, InboundMessage] = {}
        with database.writing() as connection:
            for table in (listening, listening_gaps):
                connection.execute(delete(table))
            for unit in self._units:
                add_unit(connection, unit, 0)
        self._errors = list(errors_of(connection.dialect.name).items())
        self._unkind = UnkindDatabase(database)
        self._recording = Recording(self._unkind)

    def play(self) -> None:
        try:
            for _ in range(self._dice.randint(3, 8)):
                if self._dice.random() < 0.25:
                    self._outage()
                else:
                    self._messages(self._dice.randint(1, 12))
                    self._trouble_for_a_moment()
            ends_badly = self._dice.random() < 0.3
            if ends_badly:  # the process ends while the database is down
                self._arm(times=-1)
                self._messages(5)
            else:
                self._recording.until_idle()
                assert set(self._recording.acknowledged) >= set(self._sent), "everything that was taken is acknowledged"
        finally:
            self._recording.close()
            self._unkind.heal()
            self._unkind.close()
        self._look_for_what_was_acknowledged()
        if not ends_badly:  # otherwise a last commit may have succeeded without its answer
            self._compare_ledgers()

    def _messages(self, count: int) -> None:
        for _ in range(count):
            self._recording.clock.advance(self._dice.randint(1, 3000))
            if self._dice.random() < 0.2:
                self._recording.canary()
                continue
            name = str(len(self._sent))
            unit = self._removed if self._dice.random() < 0.05 else self._dice.choice(self._units)
            kind = self._dice.choice(["heartbeat", "event", "session", "result"])
            payload = b'{"b":1,"n":%s}' % name.encode()
            message = InboundMessage(
                unit, kind, self._recording.clock.now_ms(), payload, decode(kind, payload), bad=False
            )
            self._sent[name] = message
            assert self._recording.put(message, name)

    def _trouble_for_a_moment(self) -> None:
        if self._dice.random() < 0.7:
            self._arm(times=self._dice.choice([1, 1, 2, 3, 7]))
            self._messages(self._dice.randint(1, 6))
            until(lambda: self._recording.recorder.waiting == 0, self._said("all committed"))

    def _outage(self) -> None:
        """Let all commits fail for a while, as canaries and messages continue."""
        self._recording.canary()
        self._recording.until_idle()
        clock, ledger = self._recording.clock, self._recording.ledger
        acknowledged, from_ms = len(self._recording.acknowledged), clock.now_ms()
        name = self._arm(times=-1, after=0)
        for _ in range(self._dice.randint(1, 20)):
            clock.advance(self._dice.randint(1000, 8000))
            self._recording.canary()
            self._messages(self._dice.randint(0, 2))
        until(lambda: self._recording.recorder.trouble, self._said("told"))
        assert len(self._recording.acknowledged) == acknowledged, self._said(f"acknowledged during {name}")
        assert ledger.last_ok_ms is not None and ledger.last_ok_ms <= from_ms, self._said(f"vouched during {name}")
        self._unkind.heal()
        to_ms = clock.now_ms()
        self._recording.until_idle()
        not_listening_ms = outage_ms(ledger.outages(to_ms), from_ms, to_ms)
        assert not_listening_ms >= to_ms - from_ms - 2 * OUTAGE_AFTER_MS, self._said(f"vouched for {name} afterwards")

    def _arm(self, times: int, after: int | None = None) -> str:
        name, make = self._dice.choice(self._errors)
        after = self._dice.randrange(POINTS) if after is None else after
        self.transcript.append(f"{name} at point {after}, {times} times")
        self.injected[name] += 1
        self._unkind.fail(name, make, after, times)
        return name

    def _look_for_what_was_acknowledged(self) -> None:
        acknowledged = Counter(name for name in self._recording.acknowledged if name != "canary")
        assert all(count == 1 for count in acknowledged.values()), self._said("acknowledged twice")
        with self._database.reading() as connection:
            kept = set(map(tuple, connection.execute(select(rejected_messages.c.unit_id, rejected_messages.c.payload))))
            found = {
                kind: set(map(tuple, connection.execute(select(table.c.unit_id, table.c.sequence))))
                for kind, table in JOURNAL.items()
            }
            last = dict(map(tuple, connection.execute(select(contacts.c.unit_id, contacts.c.last_contact_ms))))
        for name in acknowledged:
            message = self._sent[name]
            if (message.unit_id, message.payload) in kept:
                continue
            assert message.unit_id != self._removed
            assert last.get(message.unit_id, 0) >= message.received_ms, self._said(f"lost the contact of {name}")
            if message.kind in JOURNAL:
                assert (message.unit_id, int(name)) in found[message.kind], self._said(f"lost {name}")

    def _compare_ledgers(self) -> None:
        """Check that the next process will read what this one had in memory."""
        ledger, now_ms = self._recording.ledger, self._recording.clock.now_ms()
        with self._database.reading() as connection:
            gaps, listened = read_gaps(connection), read_listened(connection).get(1)
        known = merged(gap for gap in ledger.outages(now_ms) if gap != ledger.open_outage(now_ms))
        assert gaps == known, self._said("other gaps")
        assert (None if listened is None else listened.until_ms) == ledger.last_ok_ms

    def _said(self, what: str) -> str:
        return f"{what}; " + "; ".join(self.transcript)


@pytest.mark.timeout(300 + STORIES)  # each takes a fifth of a second where nobody else works
def test_nothing_is_acknowledged_and_lost_and_no_outage_is_denied(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.0005)
    monkeypatch.setattr(recorder_module, "GATHER_S", 0.0)
    injected: Counter[str] = Counter()
    for number in range(STORIES) if ALONE is None else [int(ALONE)]:
        story = Story(database, number)
        try:
            story.play()
        except AssertionError as error:
            raise AssertionError(f"STORY={number}: {error}\n" + "\n".join(story.transcript)) from error
        injected += story.injected
    print(f"{STORIES} stories, {injected.total()} troubles: {dict(injected)}")
