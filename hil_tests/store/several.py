"""Two ingest processes and two upkeep processes on one PostgreSQL, whose alerts are counted at the mail server."""

import json
import os
import random
import re
import select
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from hil_tests.fixtures.cloud_fixture import CloudFixture, UnitSecret
from hil_tests.fixtures.mail_server import MailServer
from hil_tests.fixtures.postgresql import Server

DATABASE = "chargekeeper"
PARTS = 2
UPKEEPS = 2
FAULTS_OF_A_UNIT = 12  # in an hour; the bridge reports at most 16 different faults of a unit
LETTER_TAKES_S = 0.5  # so that processes are killed while they send, and a duplicate becomes visible
WITHIN_S = 300.0  # longer than the claim of a dead process lasts
LOOK_S = 0.05
NOTED_WITHIN_S = 10.0  # from the mail server's answer to the commit of "sent", on a busy machine
MARK = re.compile(r"\bround\d+-\d+\b")
LEADER = (  # the application name of the connection with the lock
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted "
    "AND ((classid::bigint << 32) | objid::bigint) = hashtextextended('upkeep', 0)"
)


class Found(NamedTuple):
    """The result for the alerts."""

    told: int
    lost: list[str]
    doubled: list[str]
    sent_again: list[str]  # after a kill between the mail server's answer and the commit: see the cloud's README

    def is_good(self) -> bool:
        return not self.lost and not self.doubled


class Several:
    """The constructor starts everything; `close` ends it."""

    def __init__(self, folder: Path, server: Server, mail: MailServer, units: int) -> None:
        self.takeovers_s: list[float] = []
        self._server, self._mail = server, mail
        server.say(f"CREATE DATABASE {DATABASE}")
        self._url = f"{server.url}/{DATABASE}"
        self.cloud = CloudFixture(folder, outside=True, environment={"CHARGEKEEPER_DATABASE": self._url})
        self._pids: dict[str, int] = {}
        self._starts: Counter[str] = Counter()
        self._ended: list[tuple[str, float]] = []  # ends of processes or connections, monotonic time
        self._expected: list[str] = []
        self._rounds = 0
        try:
            self._units = self._make_units([f"cp-{number}" for number in range(units)])
            self.cloud.start_mosquitto()
            for name in [*(f"ingest-{number}" for number in range(1, PARTS + 1)), *self.upkeeps()]:
                self._begin(name)
            self._until(lambda: len(self._rows("SELECT id FROM listening")) == PARTS, "both parts have listened")
            self._until(self.leader, "one of them leads")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for pid in self._pids.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.cloud.stop()

    def names(self) -> list[str]:
        return sorted(self._pids)

    def upkeeps(self) -> list[str]:
        return [f"upkeep-{number}" for number in range(1, UPKEEPS + 1)]

    def leader(self) -> str | None:
        """Return the process that does the upkeep, or None while nobody has the lock."""
        found = self._rows(LEADER)
        return str(found[0][0]).partition("/")[0] if found else None

    def raise_faults(self, count: int, random_: random.Random) -> None:
        """Report faults with unique names at randomly chosen units. Return when the broker has accepted them."""
        self._rounds += 1
        for number, unit in enumerate(random_.sample(self._units, count)):
            mark = f"round{self._rounds}-{number}"
            said = {"b": self._rounds, "n": number + 1, "k": "fault_raised", "d": {"fault": mark}}
            connection = self.cloud.connect(unit)
            connection.publish("event", json.dumps(said).encode())
            connection.close()
            self._expected.append(mark)

    def kill(self, name: str) -> None:
        """Kill a process with SIGKILL and start it again. If it leads, first wait for a standby, then until the standby
        leads."""
        led = self.leader() == name
        if led:
            self._until(lambda: self._stands_by(name), f"a standby for {name} has started")
        killed_s = time.monotonic()
        _kill(self._pids[name])
        self._ended.append((name, time.monotonic()))
        if led:
            self._take_over(name, killed_s)
        self._begin(name)

    def freeze(self, name: str) -> Callable[[], None]:
        """Stop the leader with SIGSTOP, which keeps its connections open, and wait until another process leads.

        Call the result to let it continue.
        """
        self._until(lambda: self._stands_by(name), f"a standby for {name} has started")
        os.kill(self._pids[name], signal.SIGSTOP)
        self._take_over(name, time.monotonic())
        return lambda: os.kill(self._pids[name], signal.SIGCONT)

    def cut(self, name: str) -> None:
        """End the leader's connections at the server, as a failover does, and wait until any process leads."""
        pids = f"SELECT pid FROM pg_stat_activity WHERE application_name LIKE '{name}/%'"
        cut_s = time.monotonic()
        # Wait until they have ended. Otherwise the lock that is about to go could still be seen.
        self._server.say(f"SELECT pg_terminate_backend(pid, {WITHIN_S * 1000:.0f}) FROM ({pids}) AS his")
        self._ended.append((name, time.monotonic()))
        self._until(self.leader, "a process leads again")
        self.takeovers_s.append(time.monotonic() - cut_s)

    def found(self) -> Found:
        """Wait until each fault was reported and the queue is empty."""
        with suppress(AssertionError):  # the result contains what is lost
            self._until(lambda: set(self._expected) <= set(self._marks()), "all alerts were sent")
            self._until(
                lambda: not self._rows("SELECT id FROM alerts WHERE due_ms IS NOT NULL"),
                "all alerts are stored as sent",
            )
        marks = self._marks()
        times = Counter(marks)
        doubled = [mark for mark in times if times[mark] > 1]
        explained = {mark for mark in doubled if self._is_explained(mark)}
        return Found(
            len(times),
            sorted(set(self._expected) - set(marks)),
            sorted(set(doubled) - explained),
            sorted(explained),
        )

    def _is_explained(self, mark: str) -> bool:
        """Return whether each process that sent it, except the last, was killed before it could commit that."""
        *earlier, _ = [letter for letter in self._mail.letters if mark in MARK.findall(letter.text)]
        return all(
            any(_sender(name) == one.sender and 0 <= at_s - one.taken_s <= NOTED_WITHIN_S for name, at_s in self._ended)
            for one in earlier
        )

    def _marks(self) -> list[str]:
        return [mark for letter in list(self._mail.letters) for mark in set(MARK.findall(letter.text))]

    def _take_over(self, name: str, since_s: float) -> None:
        self._until(lambda: self.leader() not in (None, name), f"a process other than {name} leads")
        self.takeovers_s.append(time.monotonic() - since_s)

    def _stands_by(self, name: str) -> bool:
        others = [f"'{other}/{self._starts[other]}'" for other in self.upkeeps() if other != name]
        query = f"SELECT pid FROM pg_stat_activity WHERE application_name IN ({', '.join(others)})"
        return bool(self._rows(query))

    def _begin(self, name: str) -> None:
        self._starts[name] += 1
        kind, _, number = name.partition("-")
        environment = {"CHARGEKEEPER_DATABASE": f"{self._url}?application_name={name}/{self._starts[name]}"}
        environment["CHARGEKEEPER_MAIL"] = self._mail.setting(_sender(name))
        if kind == "ingest":
            environment["CHARGEKEEPER_PART"] = f"{number}/{PARTS}"
        self._pids[name] = self.cloud.start_beside(name, kind, environment=environment)

    def _make_units(self, names: list[str]) -> list[UnitSecret]:
        """Add units, each with its own owner, who gets the usual letters."""
        made = self.cloud.commands(*(["unit", "add", name] for name in names))
        for name in names:
            person = (
                f"INSERT INTO people (name, password_hash, role, created_ms, email) VALUES ('{name}', '', 'driver', 0, "
            )
            owner = f"WITH owner AS ({person}'{name}@example.org') RETURNING id)"
            self._rows(f"{owner} UPDATE units SET owner_id = owner.id FROM owner WHERE units.id = '{name}'")
        return [(name, one["secret"]) for name, one in zip(names, made, strict=True)]

    def _rows(self, query: str) -> list[tuple[object, ...]]:
        return self._server.say(query, DATABASE)

    def _until(self, condition: Callable[[], object], what: str) -> None:
        give_up_s = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < give_up_s, f"timed out: {what}"
            time.sleep(LOOK_S)


def _sender(name: str) -> str:
    return f"{name}@example.org"


def units_for(rounds: int, faults: int) -> int:
    """Return a number of units that is large enough for no unit to have more faults than are reported."""
    return max(2 * faults, 2 * rounds * faults // FAULTS_OF_A_UNIT)


def _kill(pid: int) -> None:
    """Kill a process and wait for its end: on a busy machine, it may still receive for a while after the signal."""
    process = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        ended, _, _ = select.select([process], [], [], WITHIN_S)
        assert ended, f"process {pid} did not end"
    finally:
        os.close(process)
