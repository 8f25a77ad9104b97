"""`python -m hil_tests.bench readiness`: are drivers told in time that a car will not be ready? Nights in virtual time.

A night is a miss if the vehicle is more than five percentage points below its target at the departure. Of a vehicle whose
account has not told the battery since it was plugged in, it is one if the vehicle is below its target and its own limit and
took nothing when its hours, or the night, ended: nobody could say more of it (hil_tests/sim/nights/night.py).

A miss is foreseen if it can be seen 45 minutes before the last moment to tell of it, which is three hours before the
departure: a silence is one after half an hour, a vehicle that takes nothing after 25 minutes. To know it the night is lived
again without what begins, or shows itself, later. Misses that are not foreseen are counted apart: they are told when they
come. An announcement counts if the driver got it three hours before the departure, and if it was not taken back.

An announcement that a vehicle will not be ready is false if it is ready in the end, also if it was taken back, and also if
only something that happened later made it true or untrue. Where nobody can know, because the charge point is silent or the
battery unknown, drivers are told just that, and what to look at. For a miss that counts as an announcement; of a vehicle
that is ready it is no false one, but counted on a line of its own.

Nobody in these nights acts on what is announced.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Column, Table

from cloud_bridge.readiness.facts import Car, Facts, ReadyPlan, Watched
from cloud_bridge.readiness.hours_ahead import avoided
from cloud_bridge.readiness.outlook import outlook
from cloud_bridge.readiness.telling import News, tell
from cloud_bridge.readiness.watching import follow
from cloud_bridge.vehicles.plan import ChargeTarget, next_time, plan
from cloud_bridge.vehicles.providers.provider import Reading
from cloud_bridge.web.presentation.hours import stored
from cloud_bridge.wire import Heartbeat, decode
from hil_tests.fixtures.progress import bar
from hil_tests.sim.nights.circumstances import Circumstances, Wanted, draw
from hil_tests.sim.nights.night import Night, Said

TOLD_BEFORE_S = 3 * 3600
FORESEEN_BEFORE_S = TOLD_BEFORE_S + 45 * 60
SILENT_AFTER_S = 1800
SITE = "Europe/London"
LOOK_EVERY_MS = 5 * 60_000  # as the store does where nothing has changed
AT_ONCE = 50  # nights of one step of a process
ANNOUNCED, FALSE = 0.99, 0.01  # as promised


class Service:
    """What the bridge does with what it hears, but for its store."""

    def __init__(self, circumstances: Circumstances, night: Night) -> None:
        self.announced: list[tuple[int, News]] = []  # of the present plan
        self.reason = ""
        self._hours, self._night = stored(circumstances.hours), night
        self._waiting: Wanted | None = None
        self._plan: ReadyPlan | None = None
        self._watched = Watched()
        self._facts = Facts()
        self._silence_s = self._looked_ms = 0

    def hear(self, said: Said) -> None:
        """A minute of it."""
        now_ms = said.at_s * 1000
        self._waiting = said.wanted or self._waiting
        if not said.service_is_up:
            return
        self._silence_s = 0 if said.heard else self._silence_s + 60
        facts = self._facts._replace(is_silent=self._silence_s > SILENT_AFTER_S)
        for message in said.heard:
            facts = facts._replace(heartbeat=_decoded(message), heard_ms=now_ms)
        if said.car is not None:
            facts = facts._replace(car=Car(now_ms, said.car["percent"], said.car["charging"]))
        self._facts = facts
        if self._waiting is not None:
            self._set(self._waiting, now_ms)
            self._waiting = None
        has_changed = bool(said.heard or said.car) or now_ms - self._looked_ms >= LOOK_EVERY_MS
        if self._plan is not None and has_changed:
            self._looked_ms = now_ms
            self._judge(self._plan, now_ms)

    def _set(self, wanted: Wanted, now_ms: int) -> None:
        car = self._facts.car
        reading = None if car is None else Reading(car.seen_ms, car.percent)
        target = ChargeTarget(wanted.hour, wanted.minute, wanted.target, wanted.capacity_kwh, wanted.power_kw)
        ready_ms = next_time(wanted.hour, wanted.minute, now_ms, SITE)
        ahead = avoided(self._hours or 0, now_ms, ready_ms)
        found = plan(target, reading, now_ms, SITE, ahead)
        self._night.pause(found.begin_ms // 1000)
        power_w = wanted.power_kw * 1000
        self._plan = ReadyPlan(found.ready_ms, found.begin_ms, wanted.target, wanted.capacity_kwh, power_w)
        self._facts = self._facts._replace(avoided=ahead)
        self._watched = self._watched._replace(amiss_ms=None, told_ms=None, taken_back_ms=None)

    def _judge(self, ready_plan: ReadyPlan, now_ms: int) -> None:
        self._watched = follow(self._watched, self._facts, ready_plan, now_ms)
        found = outlook(ready_plan, self._watched, self._facts, now_ms)
        self._watched, what = tell(ready_plan, self._watched, found, now_ms)
        if what is not None:
            self.announced.append((now_ms // 1000, what))
            if what is not News.TAKEN_BACK:
                self.reason = str(found.reason)


def _decoded(message: dict[str, Any]) -> Heartbeat:
    found = decode("heartbeat", json.dumps(message).encode())
    if not isinstance(found, Heartbeat):
        raise TypeError("not a heartbeat")
    return found


class Lived(NamedTuple):
    """How a night ended, and what was announced in it."""

    seed: int
    is_miss: bool
    is_foreseen: bool  # of a miss
    what: News | None  # the first announcement
    told_before_s: int | None  # the departure
    was_taken_back: bool
    reason: str  # that was told
    troubles: tuple[str, ...]

    @property
    def is_in_time(self) -> bool:
        return self.told_before_s is not None and self.told_before_s >= TOLD_BEFORE_S and not self.was_taken_back


def live(seed: int) -> Lived:
    """The night of this seed."""
    circumstances = draw(seed)
    ready_s = circumstances.ready_s
    night = Night(circumstances)
    service = Service(circumstances, night)
    for said in night.minutes():
        service.hear(said)
    first = service.announced[0] if service.announced else None
    return Lived(
        seed,
        night.is_miss,
        night.is_miss and Night(circumstances, ready_s - FORESEEN_BEFORE_S, night.pauses).live_again(),
        None if first is None else first[1],
        None if first is None else ready_s - first[0],
        any(what is News.TAKEN_BACK for _, what in service.announced),
        service.reason,
        tuple(circumstances.troubles),
    )


def live_some(seeds: Sequence[int]) -> list[Lived]:
    return [live(seed) for seed in seeds]


@dataclass
class Nights:
    """All that were lived."""

    nights: list[Lived]

    def held(self) -> bool:
        misses = [one for one in self.nights if one.is_miss and one.is_foreseen]
        announced = sum(one.is_in_time for one in misses)
        return announced >= ANNOUNCED * len(misses) and len(self._false()) <= FALSE * len(self._said())

    def wrong(self) -> list[Lived]:
        """Those that were not told in time, and those that were told falsely."""
        return [one for one in self.nights if one.is_foreseen and not one.is_in_time] + self._false()

    def _said(self) -> list[Lived]:
        return [one for one in self.nights if one.what is News.WILL_MISS]

    def _false(self) -> list[Lived]:
        return [one for one in self._said() if not one.is_miss]

    def report(self) -> list[str]:
        misses = [one for one in self.nights if one.is_miss]
        foreseen = [one for one in misses if one.is_foreseen]
        late = [one for one in misses if not one.is_foreseen]
        in_time = [one for one in foreseen if one.is_in_time]
        sure = [one for one in in_time if one.what is News.WILL_MISS]
        unknown = [one for one in self.nights if one.what is News.NOT_KNOWN and not one.is_miss]
        ready, false = len(self.nights) - len(misses), self._false()
        told_late = [one for one in late if one.told_before_s is not None and not one.was_taken_back]
        return [
            f"{len(self.nights):,} nights, {len(misses):,} misses, {len(foreseen):,} of them foreseen",
            f"foreseen misses announced three hours before: {_share(in_time, len(foreseen))}",
            f"  of these as certain: {len(sure):,}, as not known: {len(in_time) - len(sure):,}",
            f"later misses: {len(late):,}; announced before the departure: {_share(told_late, len(late))}, "
            f"three hours before: {sum(one.is_in_time for one in late):,}",
            f"false announcements: {_share(false, len(self._said()))} of the announcements, "
            f"{_share(false, ready)} of the nights in which it was ready",
            f"told “we do not know”, and it was ready: {_share(unknown, ready)} of the nights in which it was ready",
        ]


def _share(some: Sequence[Lived], of: int) -> str:
    return f"{len(some):,} ({len(some) / of:.2%})" if of else "0"


def table(nights: Sequence[Lived]) -> Table:
    """By the troubles of a night; one with several stands in several lines."""
    found = Table("trouble", *(Column(name, justify="right") for name in COLUMNS))
    by_trouble: dict[str, list[Lived]] = {}
    for one in nights:
        for trouble in one.troubles or ("none",):
            by_trouble.setdefault(trouble, []).append(one)
    for trouble, some in sorted(by_trouble.items()):
        found.add_row(trouble, *map(str, _counted(some)))
    found.add_section()
    found.add_row("all nights", *map(str, _counted(nights)))
    return found


def by_reason(nights: Sequence[Lived]) -> Table:
    """By what drivers were told."""
    found = Table("told", *(Column(name, justify="right") for name in ("announced", "misses", "ready", "taken back")))
    by_told: dict[str, list[Lived]] = {}
    for one in nights:
        if one.what is not None:
            by_told.setdefault(f"{one.what}: {one.reason}", []).append(one)
    for what, some in sorted(by_told.items()):
        misses = sum(one.is_miss for one in some)
        back = sum(one.was_taken_back for one in some)
        found.add_row(what, str(len(some)), str(misses), str(len(some) - misses), str(back))
    return found


COLUMNS = ("nights", "misses", "foreseen", "announced 3 h before", "false", "not known, ready")


def _counted(some: Sequence[Lived]) -> tuple[int, ...]:
    return (
        len(some),
        sum(one.is_miss for one in some),
        sum(one.is_foreseen for one in some),
        sum(one.is_foreseen and one.is_in_time for one in some),
        sum(one.what is News.WILL_MISS and not one.is_miss for one in some),
        sum(one.what is News.NOT_KNOWN and not one.is_miss for one in some),
    )


def live_all(count: int, seed: int, processes: int) -> Nights:
    """With a bar, where somebody looks."""
    lived: list[Lived] = []
    steps = [range(seed + at, min(seed + at + AT_ONCE, seed + count)) for at in range(0, count, AT_ONCE)]
    with ProcessPoolExecutor(processes) as pool, bar("nights", count, lambda: len(lived)):
        for some in pool.map(live_some, steps):
            lived += some
    return Nights(lived)


def live_and_print(count: int, seed: int, processes: int) -> bool:
    """Whether what is promised is held."""
    print(f"seed {seed}")
    found = live_all(count, seed, processes)
    screen = Console()
    screen.print(table(found.nights))
    screen.print(by_reason(found.nights))
    print(*found.report(), sep="\n")
    print("to be lived again, by seed:", *(one.seed for one in found.wrong()[:40]))
    return found.held()
