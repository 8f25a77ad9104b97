"""Thousands of units in one process: their sockets, their deadlines, and the events of the scenario.

The units decide (unit.py); only this module waits. One epoll handles all sockets, and one heap all deadlines.
"""

import heapq
import select
import ssl
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from hil_tests.fleet.link import Door, Link
from hil_tests.fleet.log import Log, epoch_s
from hil_tests.fleet.scenarios import KILLS, Do, Step
from hil_tests.fleet.unit import IN_CONTACT, Abandon, Action, Attempt, Close, Open, Send, State, Unit

LOOK_EVERY_S = 1.0
EVENTS_AT_ONCE = 256  # before deadlines are checked again
SETTLE_WITHIN_S = 30.0  # after the end, for outstanding PUBACKs


class Way(NamedTuple):
    """How the units reach the broker. If the doors also listen for TLS, `tls_doors` has as many entries."""

    doors: list[Door]
    tls_doors: list[Door]
    context: ssl.SSLContext | None
    sources: list[str]  # source addresses, used in turn; []: the system's choice


class Crowd:
    """Runs the units. `progress` is called once a second with the number of acknowledged messages."""

    def __init__(self, units: list[Unit], way: Way, log: Log, progress: Callable[[int], None]) -> None:
        self.counts: Counter[str] = Counter()
        self._units, self._way, self._log, self._progress = units, way, log, progress
        self._epoll = select.epoll()
        self._links: dict[int, Link] = {}  # by unit number
        self._by_file: dict[int, int] = {}
        self._opened_s: dict[int, float] = {}
        self._abandoned: dict[int, Link] = {}  # half-open connections, until the unit has logged in again
        self._link_door: dict[int, int] = {}
        self._shut: set[int] = set()
        self._deadlines: list[tuple[float, int]] = []
        self._due_steps: list[tuple[float, tuple[Step, bool]]] = []

    def run(self, steps: list[Step], begin_s: float, until_s: float) -> None:
        """Run from `begin_s` to `until_s`, monotonic, and then wait for outstanding acknowledgements."""
        self._due_steps = sorted((begin_s + at_s, what) for at_s, what in _moments(steps))
        for number in range(len(self._units)):
            self._schedule(number)
        self._turn_until(until_s)
        for number, unit in enumerate(self._units):
            self._do(number, unit.end(), time.monotonic())
        give_up_s = time.monotonic() + SETTLE_WITHIN_S
        while not all(unit.is_over for unit in self._units) and time.monotonic() < give_up_s:
            self._turn_until(min(give_up_s, time.monotonic() + LOOK_EVERY_S / 10))
        now_s = time.monotonic()
        for number, unit in enumerate(self._units):
            self._do(number, unit.lost(now_s), now_s)
        for link in self._abandoned.values():
            link.close(is_reset=True)
        self._log.counts(self.counts)

    def _turn_until(self, until_s: float) -> None:
        look_s = time.monotonic()
        while (now_s := time.monotonic()) < until_s:
            if now_s >= look_s:
                look_s = now_s + LOOK_EVERY_S
                self._look(now_s)
            next_s = min(
                self._deadlines[0][0] if self._deadlines else until_s,
                self._due_steps[0][0] if self._due_steps else until_s,
                look_s,
                until_s,
            )
            events = self._epoll.poll(max(0.0, next_s - now_s), EVENTS_AT_ONCE)
            for file, _ in events:
                self._happened(file)
            now_s = time.monotonic()
            while self._due_steps and self._due_steps[0][0] <= now_s:
                self._step(*self._due_steps.pop(0), now_s)
            self._let_due(now_s)

    def _let_due(self, now_s: float) -> None:
        for _ in range(EVENTS_AT_ONCE):  # before sockets are handled again
            if not self._deadlines or self._deadlines[0][0] > now_s:
                return
            at_s, number = heapq.heappop(self._deadlines)
            if self._units[number].deadline_s <= at_s:
                self._do(number, self._units[number].due(now_s), now_s)
            self._schedule(number)

    def _schedule(self, number: int) -> None:
        """Add the unit's deadline to the heap. If a deadline was extended, its old entry stays and is ignored when it is
        due."""
        if (deadline_s := self._units[number].deadline_s) != float("inf"):
            heapq.heappush(self._deadlines, (deadline_s, number))

    def _happened(self, file: int) -> None:
        number = self._by_file.get(file)
        if number is None:  # closed by an earlier event
            return
        unit, link, now_s = self._units[number], self._links[number], time.monotonic()
        before_s = unit.deadline_s
        try:
            was_open = link.is_open
            link.ready()
            if link.is_open and not was_open:
                self._do(number, unit.opened(now_s), now_s)
            has_more = link.is_open
            while has_more and self._links.get(number) is link:
                data = link.receive()
                heard_s = time.monotonic()  # taken after the receipt, however long this process waited before
                self._do(number, unit.received(data, heard_s), heard_s)
                has_more = link.has_pending
        except OSError as error:
            self.counts[f"lost: {type(error).__name__}"] += 1
            self._close(number)
            self._do(number, unit.lost(now_s), now_s)
        self._watch(number)
        if unit.deadline_s < before_s or before_s <= now_s:
            self._schedule(number)

    def _do(self, number: int, actions: list[Action], now_s: float) -> None:
        unit = self._units[number]
        for action in actions:
            if isinstance(action, Attempt):
                self.counts["acknowledged" if action.is_acknowledged else "not acknowledged"] += 1
                self._log.attempt(unit.unit_id, action)
            elif isinstance(action, Open):
                self._open(number, action.door, now_s)
            elif isinstance(action, Send):
                self._send(number, action.data, now_s)
            elif isinstance(action, Close):
                self._close(number, action.is_reset)
            elif isinstance(action, Abandon):
                self._abandon(number)
        if unit.state in IN_CONTACT and number in self._opened_s:
            self._log.login(unit.unit_id, now_s, now_s - self._opened_s.pop(number))
            self.counts["logins"] += 1
            if (half_open := self._abandoned.pop(number, None)) is not None:
                half_open.close(is_reset=True)

    def _open(self, number: int, door: int, now_s: float) -> None:
        way, over_tls = self._way, self._units[number].part.over_tls
        source = way.sources[number % len(way.sources)] if way.sources else None
        self._opened_s[number] = now_s
        try:
            if door in self._shut:
                raise ConnectionRefusedError("the door is shut")
            chosen = way.tls_doors[door] if over_tls else way.doors[door]
            link = Link(chosen, source, way.context if over_tls else None)
        except OSError as error:
            self.counts[f"lost: {type(error).__name__}"] += 1
            self._opened_s.pop(number)
            self._do(number, self._units[number].lost(now_s), now_s)
            return
        self._links[number] = link
        self._link_door[number] = door
        self._by_file[link.fileno()] = number
        self._epoll.register(link.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def _send(self, number: int, data: bytes, now_s: float) -> None:
        link = self._links.get(number)
        if link is None:
            return
        try:
            link.send(data)
            self._watch(number)
        except OSError as error:
            self.counts[f"lost: {type(error).__name__}"] += 1
            self._close(number)
            self._do(number, self._units[number].lost(now_s), now_s)

    def _watch(self, number: int) -> None:
        link = self._links.get(number)
        if link is not None and link.wants_write != link.watched_for_write:
            link.watched_for_write = link.wants_write
            self._epoll.modify(link.fileno(), select.EPOLLIN | (select.EPOLLOUT if link.wants_write else 0))

    def _let_go(self, number: int) -> Link | None:
        self._opened_s.pop(number, None)
        link = self._links.pop(number, None)
        if link is not None:
            self._epoll.unregister(link.fileno())
            del self._by_file[link.fileno()]
        return link

    def _close(self, number: int, is_reset: bool = False) -> None:
        if (link := self._let_go(number)) is not None:
            link.close(is_reset)

    def _abandon(self, number: int) -> None:
        if (link := self._let_go(number)) is not None:
            if (older := self._abandoned.pop(number, None)) is not None:
                older.close(is_reset=True)
            self._abandoned[number] = link

    def _step(self, _at_s: float, what: "tuple[Step, bool]", now_s: float) -> None:
        step, is_end = what
        for number, unit in enumerate(self._units):
            if step.do is Do.DROP or (
                step.do is Do.DOOR_SHUT and not is_end and self._link_door.get(number) == step.door
            ):
                self._do(number, unit.drop(now_s), now_s)
            elif step.do is Do.NETWORK_LOST and unit.part.plmn == step.plmn:
                self._do(number, unit.network_lost(now_s, now_s + step.for_s), now_s)
            else:
                continue
            self._schedule(number)
        if step.do is Do.DOOR_SHUT:
            (self._shut.discard if is_end else self._shut.add)(step.door)

    def _look(self, now_s: float) -> None:
        self._log.epoch_s = epoch_s()  # the machine's clock may have been set
        connected = sum(unit.state in IN_CONTACT for unit in self._units)
        self._log.sample(now_s, connected, sum(unit.state is State.WAITING for unit in self._units))
        self._progress(self.counts["acknowledged"])


def _moments(steps: list[Step]) -> list[tuple[float, tuple[Step, bool]]]:
    """Return when each step begins, and when it ends if the crowd has to end it. Kills are done by the starting process."""
    moments = [(step.at_s, (step, False)) for step in steps if step.do not in KILLS]
    return moments + [(step.at_s + step.for_s, (step, True)) for step in steps if step.do is Do.DOOR_SHUT]
