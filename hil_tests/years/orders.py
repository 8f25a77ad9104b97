"""Checks of limits, commands and hours to avoid. Nothing else may keep a car from charging.

What may be in force is wider than what must be. A command that was sent may be in force until its answer arrives or it
expires, so that an excuse never ends too soon. A command must be in force only if it was answered with "ok".
"""

from collections import Counter
from typing import Any

from hil_tests.years.circumstances import Circumstances
from hil_tests.years.faults import BOARD, CLOUD, FLASH, HOUR, NETWORK, SUPPLY, TIME
from hil_tests.years.hours import avoids
from hil_tests.years.mission import CHARGES, HOURS, LIMITS, OBEYS

OFFER_MIN_A = 6  # a lower limit is a pause (IEC 61851-1 table A.8)
CHARGES_WITHIN_S = 300  # a latched self-test, a rest of the contactor
FAULT_FORGOTTEN_S = 1800  # so long after a fault of the board, the light may still show it
# After an answer, or a start of the unit: a change of the offer may wait 5 s, and claims are read within 10 s.
IN_FORCE_S = 15
TIME_FORGOTTEN_S = 2 * HOUR  # the unit asks its network for the time once an hour
EDGE_S = 60  # around hours to avoid: clocks differ by some seconds, and a car takes time to stop
ANSWERED_WITHIN_S = 2 * HOUR
CIRCUIT_A = 32


class Orders:
    """`limit`: the accepted limit as (A, from, until), in s of the world's clock. `_hours`: the accepted schedule."""

    def __init__(self, watch: Circumstances) -> None:
        self._watch, self._world = watch, watch.world
        self.limit: tuple[int, float, float] | None = None
        self._pauses_until_s: dict[str, float] = {}  # by command ID: pauses that may be in force
        self._hours = "off"
        self._hours_since_s = 0.0
        self._hours_asked: dict[str, tuple[str, float]] = {}  # by command ID: schedule and time, without an answer yet
        self._longest_delay_s = 0
        self._pressed_s = -float(HOUR)
        self._asked: dict[str, tuple[dict[str, Any], float]] = {}  # by command ID: command and time
        self._carried_out: Counter[str] = Counter()
        self._answers: set[tuple[Any, Any]] = set()  # (boot, number) of the results received
        self._must_charge_since_s: float | None = None
        self._avoided_s = -float(HOUR)  # the last moment within hours that may be in force

    # Events.

    def ordered(self, said: dict[str, Any]) -> None:
        if self._world.unit_id not in self._world.broker.accepted:
            return  # the unit is not connected, so the command is not sent
        now_s = self._world.loop.time()
        known = said["id"] in self._asked
        if said["do"] in ("limit", "pause", "resume", "override"):
            self.limit = None  # unknown until the answer arrives
        self._asked[said["id"]] = said, now_s
        if said["do"] in ("limit", "pause") and said.get("amps", 0) < OFFER_MIN_A and "exp" in said:
            self._pauses_until_s[said["id"]] = said["exp"] - self._world.time.epoch_s
        if said["do"] == "schedule" and not known:
            self._hours_asked[said["id"]] = said["hours"], now_s
        if said["do"] == "delay":
            self._longest_delay_s = max(self._longest_delay_s, said["s"])

    def answered(self, said: dict[str, Any]) -> None:
        """Handle the result of a command. It may be a repeated delivery."""
        if (said.get("b"), said.get("n")) in self._answers:
            return
        self._answers.add((said.get("b"), said.get("n")))
        asked = self._asked.get(said.get("c") or said.get("id") or "")
        if asked is None:
            return
        order, at_s = asked
        if not said.get("ok"):
            if said.get("y") != "repeated":
                self._hours_asked.pop(order["id"], None)
                self._pauses_until_s.pop(order["id"], None)
            return
        self._carried_out[order["id"]] += 1
        if self._carried_out[order["id"]] > 1:
            self._watch.break_(OBEYS, f"{order} was carried out twice")
        over_s = order.get("exp", float("inf")) - self._world.time.epoch_s
        if over_s < at_s and self._watch.well_for_s(TIME) > TIME_FORGOTTEN_S:
            self._watch.break_(
                OBEYS, f"{order} was carried out, but had expired {at_s - over_s:.0f} s before it was sent"
            )
        self._in_force(order)

    def _in_force(self, order: dict[str, Any]) -> None:
        now_s = self._world.loop.time()
        if order["do"] == "limit":
            self.limit = (order["amps"], now_s + IN_FORCE_S, order["exp"] - self._world.time.epoch_s)
        elif order["do"] in ("resume", "pause"):
            self.limit = None
            if order["do"] == "resume":
                self._pauses_until_s.clear()
        elif order["do"] == "override" and order["on"]:
            self.pressed()
        elif order["do"] == "schedule":
            self._hours_asked.pop(order["id"], None)
            self._hours, self._hours_since_s = order["hours"], now_s

    def pressed(self) -> None:
        """Handle the button, or the owner's "charge now": no pause holds any longer, nor do the hours of this session."""
        self._pressed_s = self._world.loop.time()
        if self.limit is not None and self.limit[0] < OFFER_MIN_A:
            self.limit = None

    # Regular checks.

    def look(self) -> None:
        self.limits()
        self._hours_kept()
        self._charging()

    def limits(self) -> None:
        """Check the offered current. Also called at each change of the pins."""
        watch, board, now_s = self._watch, self._world.hardware.board, self._world.loop.time()
        if board.offered_a > CIRCUIT_A:
            watch.break_(LIMITS, f"{board.offered_a} A offered on a circuit of {CIRCUIT_A}")
        if self.limit is None or watch.well_for_s(TIME) < TIME_FORGOTTEN_S:
            return
        amps, from_s, until_s = self.limit
        stored = watch.well_for_s(FLASH) > now_s - from_s + HOUR or watch.well_for_s(SUPPLY) > now_s - from_s
        holds = from_s < now_s < until_s - EDGE_S and stored and watch.well_for_s(SUPPLY) > IN_FORCE_S
        if holds and board.offered_a > (amps if amps >= OFFER_MIN_A else 0):
            watch.break_(
                LIMITS, f"{board.offered_a} A offered, but the unit has accepted the cloud's limit of {amps} A"
            )

    def _true_s(self, ago_s: float = 0) -> float:
        return self._world.time.epoch_s + self._world.loop.time() - ago_s

    def _may_be_avoided(self) -> bool:
        """Return whether hours to avoid may be in force now, by a schedule that was, or may have been, accepted."""
        now_s = self._world.loop.time()
        for command_id, (_, asked_s) in list(self._hours_asked.items()):
            if (
                now_s - asked_s > ANSWERED_WITHIN_S
                and self._watch.well_for_s(NETWORK, CLOUD, SUPPLY) > ANSWERED_WITHIN_S
            ):
                del self._hours_asked[command_id]  # the command was lost
        texts = [self._hours, *(text for text, _ in self._hours_asked.values())]
        return any(_avoids(text, self._true_s(ago_s)) for text in texts for ago_s in (-EDGE_S, 0, EDGE_S))

    def _hours_kept(self) -> None:
        """Check that the car draws nothing in accepted hours, once the longest random delay is over."""
        watch, now_s = self._watch, self._world.loop.time()
        vehicle = self._world.hardware.board.vehicle
        settled_s = self._longest_delay_s + CHARGES_WITHIN_S
        is_known = watch.well_for_s(TIME) > TIME_FORGOTTEN_S and watch.well_for_s(SUPPLY) > settled_s
        is_own = self._pressed_s < watch.plugged_s and not self._hours_asked
        throughout = all(_avoids(self._hours, self._true_s(ago_s)) for ago_s in (-EDGE_S, 0, settled_s))
        if is_known and is_own and throughout and now_s - self._hours_since_s > settled_s and vehicle.current_ma > 0:
            watch.break_(HOURS, f"{vehicle.current_ma} mA flow in hours to avoid: {self._hours}")

    def _charging(self) -> None:
        watch, world = self._watch, self._world
        vehicle, unit, now_s = world.hardware.board.vehicle, world.processor.unit, world.loop.time()
        may_be_avoided = self._may_be_avoided()
        if may_be_avoided:
            self._avoided_s = now_s
        must = (
            vehicle.plugged
            and vehicle.wants_charge
            and not vehicle.full
            and world.car_is_plain
            and watch.well_for_s(BOARD, SUPPLY) > FAULT_FORGOTTEN_S
            and watch.well_for_s(TIME) > TIME_FORGOTTEN_S
            and unit is not None
            and unit.exchange is not None
            and not unit.exchange.report.faults
            and not may_be_avoided
            and all(now_s >= until_s for until_s in self._pauses_until_s.values())
        )
        if not must:
            self._must_charge_since_s = None
            return
        since_s = max(watch.happened_s, now_s if self._must_charge_since_s is None else self._must_charge_since_s)
        self._must_charge_since_s = since_s
        if now_s - since_s > CHARGES_WITHIN_S + self._longest_delay_s and vehicle.current_ma == 0:
            assert unit is not None and unit.exchange is not None
            promise = HOURS if now_s - self._avoided_s < HOUR else CHARGES
            watch.break_(promise, f"a car does not charge, and the ruling is {unit.exchange.report.ruling}")
        if vehicle.current_ma > 1000 * CIRCUIT_A * 1.1:
            watch.break_(LIMITS, f"{vehicle.current_ma} mA flow on a circuit of {CIRCUIT_A} A")


def _avoids(text: str, at_s: float) -> bool:
    try:
        return avoids(text, at_s)
    except (ValueError, IndexError):
        return False  # the unit refuses such a schedule
