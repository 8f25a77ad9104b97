"""One night in steps of a minute: what charge point, vehicle account and person report, and how the night ends.

It shares no code with what it tests. The charge point follows its hours, pauses, faults and the house's limit with and
without a network. Nobody in the night reacts to announcements, so an announcement cannot make itself true or untrue.

A night can be simulated again without what begins, or becomes visible, only after a moment (`without_after_s`). If it
is then no miss, nobody could have foreseen the miss at that moment. It can also be simulated again with nobody plugging
the vehicle in after a moment (`plugs_until_s`). If it is then a miss, plugging in made the vehicle ready.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from hil_tests.sim.nights.circumstances import MINUTE, NEVER_S, SITE, Circumstances, Times, Wanted

VOLTS = 230
SHORT_POINTS, LINE_POINTS = 5.0, 0.5
TOLD_AT_HOME_S = 30 * MINUTE  # before plug-in: the vehicle already stands there, so its account's report still holds
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Said(NamedTuple):
    """What reached the service in a minute. Empty if the service was down."""

    at_s: int
    heard: list[dict[str, Any]]  # heartbeats in the wire format
    car: dict[str, Any] | None  # percent, charging
    wanted: Wanted | None
    service_is_up: bool


class Night:
    """One night. `pause` passes the service's plan to the charge point; `pauses` are those of the earlier run of this
    night."""

    def __init__(
        self,
        circumstances: Circumstances,
        pauses: Sequence[tuple[int, int]] = (),
        without_after_s: int = NEVER_S,
        plugs_until_s: int = NEVER_S,
    ) -> None:
        self.pauses: list[tuple[int, int]] = []
        self._again = list(pauses)
        self.now_s, self.ready_s = circumstances.begins_s, circumstances.ready_s
        self.drawn_w = 0.0
        self._told_s = 0  # when its account last reported the battery
        self._of, self._without_after_s, self._plugs_until_s = circumstances, without_after_s, plugs_until_s
        self._battery_wh = circumstances.battery_wh
        self._meter_wh = 1_000_000.0
        self._paused_until_s = 0
        self._pausing: list[tuple[int, int]] = list(circumstances.pauses)
        self._offered_s = self._drew_s = 0  # durations
        self._was_held, self._delay_until_s = False, 0
        self._mains_back_s = 0
        self._said: tuple[Any, ...] = ()
        self._next_heartbeat_s = self._next_car_s = 0
        self._limit, self._cold = circumstances.own_limit, circumstances.cold
        self._wakes_after_s = circumstances.wakes_after_s
        self._avoided_until_s = _avoided_until(circumstances)
        self._sequence = 0
        self._drew_at_the_end = False  # of the time that the hours permit

    @property
    def percent(self) -> float:
        return self._battery_wh / self._of.capacity_wh * 100

    @property
    def is_online(self) -> bool:
        return (
            not self._during(self._of.no_mains)
            and not self._during(self._of.no_network)
            and self.now_s >= self._mains_back_s
        )

    def pause(self, until_s: int) -> bool:
        """Set the plan's pause. Return False if the charge point was offline and did not receive it."""
        if self.is_online:
            self._paused_until_s = until_s
            self.pauses.append((self.now_s, until_s))
        return self.is_online

    @property
    def is_miss(self) -> bool:
        """Whether the night is a miss. Ask at the departure.

        If the account reports the battery, the target counts. For any other vehicle nobody has told the service how
        full it is: the plan then counts as carried out if the vehicle is full, at its own limit, or charges as long as
        the hours permit.
        """
        return self.percent < self._line() and (self._is_told() or not self._drew_at_the_end)

    @property
    def is_on_the_line(self) -> bool:
        """Whether the result is too close to call. An account reports whole per cent, so rounding may decide."""
        return abs(self.percent - self._line()) < LINE_POINTS

    def minutes(self) -> Iterator[Said]:
        """Yield what is reported in each minute up to the departure."""
        of = self._of
        wanted = {plan.at_s // MINUTE: plan for plan in of.plans}
        while self.now_s < self.ready_s:
            if self.now_s >= self._without_after_s:
                self._forget_what_has_not_shown()
            self._step()
            service_is_up = not self._during(of.our_outages)
            heard = self._heartbeats()
            plan = wanted.get(self.now_s // MINUTE)
            yield Said(self.now_s, heard if service_is_up else [], self._car(service_is_up), plan, service_is_up)
            self.now_s += MINUTE

    def live_again(self) -> None:
        """Run to the end with the pauses of the earlier run."""
        for _ in self.minutes():
            if self._again and self.now_s >= self._again[0][0]:
                _, self._paused_until_s = self._again.pop(0)

    def _during(self, times: Times) -> bool:
        now_s, cut_s = self.now_s, self._without_after_s
        return bool(times) and any(from_s <= now_s < until_s and from_s < cut_s for from_s, until_s in times)

    def _is_plugged(self) -> bool:
        """Whether the vehicle is plugged in, without unpluggings after `without_after_s` and plug-ins after
        `plugs_until_s`."""
        return any(
            from_s <= min(self.now_s, self._plugs_until_s)
            and (self.now_s < until_s or until_s >= self._without_after_s)
            for from_s, until_s in self._of.plugged
        )

    def _line(self) -> float:
        target = self._of.plans[-1].target
        return (target if self._is_told() else min(target, self._limit)) - SHORT_POINTS

    def _is_told(self) -> bool:
        """Whether the service knows how full the vehicle is, or was at plug-in."""
        return self._told_s > 0 and self._told_s >= self._plugged_s() - TOLD_AT_HOME_S

    def _plugged_s(self) -> int:
        """Return when the present plug-in began, or 0 if the vehicle is not plugged in."""
        return max((from_s for from_s, until_s in self._of.plugged if from_s <= self.now_s < until_s), default=0)

    def _forget_what_has_not_shown(self) -> None:
        """Remove the vehicle's traits that have not shown. Its own limit shows when it stops the charge."""
        if not self._offered_s:
            self._wakes_after_s = 0
        if not self._drew_s:
            self._cold = 1.0
        if self.percent < self._limit:
            self._limit = 100

    def _step(self) -> None:
        """Advance by a minute."""
        now_s = self.now_s
        if self._pausing and now_s >= self._pausing[0][0]:
            at_s, until_s = self._pausing.pop(0)
            if at_s < self._without_after_s and self.is_online:
                self._paused_until_s = until_s
        self.drawn_w = 0.0
        self._charge()
        if not self._is_avoided():
            self._drew_at_the_end = self.drawn_w > 0

    def _charge(self) -> None:
        of, now_s = self._of, self.now_s
        if self._during(of.no_mains):
            self._mains_back_s = now_s + 3 * MINUTE
            return
        held = self._is_avoided() or now_s < self._paused_until_s
        if self._was_held and not held:
            self._delay_until_s = now_s + of.random_delay_s
        self._was_held = held
        if not self._offered_w():
            return
        self._offered_s += MINUTE
        if (
            self._offered_s <= self._wakes_after_s
            or now_s < of.own_start_s
            or self._during(of.rests)
            or self.percent >= self._limit
        ):
            return
        power_w = min(of.most_w, self._offered_w())
        if self._drew_s < of.cold_for_s:
            power_w *= self._cold
        if self.percent > of.taper_from:
            power_w *= max(0.25, 1 - (self.percent - of.taper_from) / (100 - of.taper_from) * 0.75)
        self._drew_s += MINUTE
        self.drawn_w = power_w
        self._meter_wh += power_w / 60
        self._battery_wh = min(of.capacity_wh, self._battery_wh + power_w / 60 * of.efficiency)

    def _is_avoided(self) -> bool:
        return self.now_s in self._avoided_until_s

    def _house_amps(self) -> int | None:
        found = [
            amps for from_s, until_s, amps in self._of.house if from_s <= self.now_s < until_s and amps < self._of.amps
        ]
        return min(found) if found else None

    def _offered_amps(self) -> int:
        if not self._is_plugged() or self._during(self._of.faults) or self.now_s < self._delay_until_s:
            return 0
        if self._is_avoided() or self.now_s < self._paused_until_s:
            return 0
        house = self._house_amps()
        return self._of.amps if house is None else house if house >= 6 else 0

    def _offered_w(self) -> float:
        return self._offered_amps() * VOLTS

    def _heartbeats(self) -> list[dict[str, Any]]:
        """Return the heartbeats that are due: at each change, every minute of a charge, otherwise every five."""
        now_s, amps, plugged = self.now_s, self._offered_amps(), self._is_plugged()
        faulty = self._during(self._of.faults)
        state = "A1" if not plugged else "C2" if self.drawn_w else "B2" if amps else "B1"
        ruling = self._ruling()
        said = (state, faulty, ruling.get("y"), ruling.get("u"), amps)
        is_due = said != self._said or now_s >= self._next_heartbeat_s
        if not self.is_online:
            self._said = ()  # so that it reports at once when it is back
            return []
        if not is_due:
            return []
        self._said, self._next_heartbeat_s = said, now_s + (MINUTE if self.drawn_w else 5 * MINUTE)
        self._sequence += 1
        message = {"n": self._sequence, "b": 1, "t": now_s, "s": state, "m": "smart", "q": 20, "a": amps}
        message |= {"w": round(self.drawn_w), "e": int(self._meter_wh), "f": ["rcd_dc"] if faulty else []}
        return [message | ruling]

    def _ruling(self) -> dict[str, Any]:
        now_s, house = self.now_s, self._house_amps()
        if self._is_avoided():
            also = {"i": ["cloud"]} if now_s < self._paused_until_s else {}
            return {"l": 0, "y": "schedule", "u": self._avoided_until_s[now_s]} | also
        if now_s < self._paused_until_s:
            return {"l": 0, "y": "cloud", "u": self._paused_until_s}
        delay_s = self._delay_until_s - now_s
        delay = {"r": delay_s} if delay_s > 0 else {}
        if house is not None:
            return {"l": house if house >= 6 else 0, "y": "load_manager"} | delay
        return {"y": "installer"} | delay

    def _car(self, service_is_up: bool) -> dict[str, Any] | None:
        """Return the account's answer when it is polled, or None. Polling is slower while the vehicle does not charge."""
        of = self._of
        has_access = of.has_account and self.now_s < of.consent_until_s
        if not has_access or not service_is_up or self.now_s < self._next_car_s:
            return None
        self._next_car_s = self.now_s + (of.asks_every_s if self.drawn_w else 1800)
        self._told_s = self.now_s
        return {"percent": float(round(self.percent)), "charging": self.drawn_w > 0}


def _avoided_until(of: Circumstances) -> dict[int, int]:
    """Return the minutes of the night in which the hours do not permit charging, each with the end of that span."""
    hours, found, end_s = _avoided(of.hours), {}, 0
    last_s = of.begins_s + (of.ready_s - of.begins_s) // MINUTE * MINUTE + 12 * 60 * MINUTE
    for at_s in range(last_s, of.begins_s - MINUTE, -MINUTE):
        local = datetime.fromtimestamp(at_s, SITE)
        if any(begins <= local.hour * 60 + local.minute < ends for begins, ends in hours[local.weekday()]):
            end_s = end_s or at_s + MINUTE
            found[at_s] = end_s
        else:
            end_s = 0
    return found


def _avoided(hours: str) -> list[list[tuple[int, int]]]:
    """Parse the hours: for each day of the week, the minutes from and until."""
    found: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for part in hours.split(";") if hours != "off" else []:
        days, *spans = part.split()
        first, _, last = days.partition("-")
        for day in range(DAYS.index(first), DAYS.index(last or first) + 1):
            for span in spans:
                begins, ends = (int(time[:2]) * 60 + int(time[3:]) for time in span.split("-"))
                found[day].append((begins, ends))
    return found
