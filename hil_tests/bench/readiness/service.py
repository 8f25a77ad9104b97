"""What the bridge does with a night's messages, without its store: set the plan, check it, and announce."""

import json
from typing import Any, NamedTuple

from cloud_bridge.charging_hours import stored
from cloud_bridge.readiness.facts import Car, Facts, ReadyPlan, Watched
from cloud_bridge.readiness.following import follow
from cloud_bridge.readiness.hours_ahead import avoided
from cloud_bridge.readiness.outlook import Outlook, is_last_call, outlook
from cloud_bridge.readiness.telling import News, anew, tell
from cloud_bridge.vehicles.plan import ChargeTarget, next_time, plan
from cloud_bridge.vehicles.providers.provider import Reading
from cloud_bridge.wire import Heartbeat, decode
from hil_tests.sim.nights.circumstances import Circumstances, Wanted
from hil_tests.sim.nights.night import Night, Said

SILENT_AFTER_S = 1800
SITE = "Europe/London"
LOOK_EVERY_MS = 5 * 60_000  # the store's interval without a change


class Announcement(NamedTuple):
    """An announcement as the driver gets it."""

    at_s: int
    news: News
    reason: str


class Service:
    """One bridge with one charge point."""

    def __init__(self, circumstances: Circumstances, night: Night) -> None:
        self.announced: list[Announcement] = []  # of the present plan
        self.found: Outlook | None = None  # the latest outlook
        self._hours, self._night = stored(circumstances.hours), night
        self._waiting: Wanted | None = None
        self._plan: ReadyPlan | None = None
        self._watched = Watched()
        self._facts = Facts()
        self._silence_s = self._looked_ms = 0

    def hear(self, said: Said) -> None:
        """Handle what arrived in one minute."""
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
        if self._plan is not None and (has_changed or is_last_call(self._plan, now_ms)):
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
        self._watched, self.announced = anew(self._watched), []

    def _judge(self, ready_plan: ReadyPlan, now_ms: int) -> None:
        self._watched = follow(self._watched, self._facts, ready_plan, now_ms)
        self.found = outlook(ready_plan, self._watched, self._facts, now_ms)
        self._watched, news = tell(ready_plan, self._watched, self.found, now_ms)
        if news is not None:
            self.announced.append(Announcement(now_ms // 1000, news, self.found.reason or ""))


def _decoded(message: dict[str, Any]) -> Heartbeat:
    found = decode("heartbeat", json.dumps(message).encode())
    if not isinstance(found, Heartbeat):
        raise TypeError("not a heartbeat")
    return found
