"""The promises of the product (mission.py), each checked as an invariant while a story runs.

Watch records what is wrong at the moment, and calls the other checks: orders.py, hearing.py, roaming.py, bounds.py,
records.py.
"""

import json
from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

from hil_tests.bench.air import COUNTS_APART
from hil_tests.years.bounds import DAY_S, LOOK_S, Bounds, bytes_on_air
from hil_tests.years.faults import BOARD, CAR, CLOUD, FLASH, NETWORK, SUPPLY
from hil_tests.years.hearing import Hearing
from hil_tests.years.mission import AIR, OPENS, RED, SOUND
from hil_tests.years.orders import FAULT_FORGOTTEN_S, Orders
from hil_tests.years.records import Records
from hil_tests.years.roaming import Roaming
from hil_tests.years.scene import Scene

OPEN_WITHIN_S = 0.1
LATCHED = {"rcd_ac", "rcd_dc", "rcd_selftest", "contactor_welded", "contactor_stuck_open"}  # until a person resets it
GIVEN_UP = {"over_current"}  # latched after three trips with the same car


class Broken(NamedTuple):
    """A promise that was broken, at `at_s` of the world's clock."""

    promise: str
    at_s: float
    what: str


class Day(NamedTuple):
    """The figures of one day for the report."""

    messages: int
    carried_bytes: int  # of MQTT
    flash_writes: int
    longest_gap_s: float  # the longest time between two messages that ended on this day
    operator: str | None  # at the end of the day


class Watch:
    """Checks the promises every LOOK_S seconds, at each change of the pins, and at the end."""

    def __init__(self, world: Scene) -> None:
        self.world = world
        self.broken: list[Broken] = []
        self.touched_s: dict[str, float] = {}  # when the last fault that touches this ended
        self.lasting: Counter[str] = Counter()
        self.happened_s = 0.0  # when the last happening began or ended
        self.plugged_s = 0.0  # when the last car was plugged in
        self.days: list[Day] = []
        self.orders, self.hearing, self.roaming = Orders(self), Hearing(self), Roaming(self)
        self.bounds, self.records = Bounds(self), Records(self)
        self._day = (0.0, 0, 0, 0, 0)  # when the day began, and the counts at that time
        self._busy = False  # something happened on this day
        # The boot, and the bytes on the air, at the unit's last daily report of its own count.
        self._told_air: tuple[int, int] | None = None
        world.loop.call_later(LOOK_S, self._look)

    def break_(self, promise: str, what: str) -> None:
        if len(self.broken) < 20:
            self.broken.append(Broken(promise, round(self.world.loop.time(), 3), what))

    # Events.

    def begins(self, touches: tuple[str, ...]) -> None:
        self.happened_s = self.world.loop.time()
        self._busy = True
        if CAR in touches:
            self.plugged_s = self.happened_s
        self.hearing.begins(touches)
        self.lasting.update(touches)

    def ends(self, touches: tuple[str, ...]) -> None:
        self.happened_s = self.world.loop.time()
        self.lasting.subtract(touches)
        for what in touches:
            self.touched_s[what] = self.world.loop.time()
        self.hearing.ends(touches)

    def well_for_s(self, *touches: str) -> float:
        """Return how long no fault has touched any of these."""
        if any(self.lasting[what] > 0 for what in touches):
            return 0
        return self.world.loop.time() - max(self.touched_s.get(what, -DAY_S) for what in touches)

    def published(self, kind: str, payload: bytes) -> None:
        self.hearing.published()
        if kind == "heartbeat":
            return
        said = json.loads(payload)
        self.records.published(kind, said)
        if kind == "event":
            self._count_air(said)
            self.roaming.told(said)
        if kind == "result":
            self.orders.answered(said)

    def _count_air(self, said: dict[str, Any]) -> None:
        """Compare the unit's daily count of bytes with the real count, within one boot."""
        if said.get("k") != "day":
            return
        before, boot = self._told_air, len(self.world.processor.resets)
        self._told_air = boot, self.world.broker.air_bytes
        if before is None or before[0] != boot or self.well_for_s(NETWORK, CLOUD, SUPPLY, FLASH) < DAY_S + LOOK_S:
            return
        carried = self.world.broker.air_bytes - before[1]
        if abs(said["d"]["air"] - carried) > COUNTS_APART * carried:
            self.break_(AIR, f"the unit counts {said['d']['air']} bytes in a day, but {carried} were on the air")

    def light(self) -> None:
        """Compare the light with the faults of the charge point."""
        board, unit = self.world.hardware.board, self.world.processor.unit
        if unit is None or unit.exchange is None or not board.powered:
            return
        red, green, blue = board.outputs.led
        is_red, faults = bool(red) and not green and not blue, unit.exchange.report.faults
        if is_red and not faults:
            self.break_(RED, f"red without a fault: {board.outputs.led}")
        if faults and not is_red and any(board.outputs.led):
            self.break_(RED, f"{board.outputs.led} although {faults} are set")
        passing = set(faults) - LATCHED - (GIVEN_UP if board.vehicle.plugged else set())
        if is_red and passing and self.well_for_s(BOARD, SUPPLY) > FAULT_FORGOTTEN_S:
            self.break_(RED, f"red for {passing}, although the charge point has no fault")

    def pins(self) -> None:
        """Check after a change of the processor's pins."""
        self.light()
        self.orders.limits()

    def must_open(self, why: str) -> None:
        """Check that the contactor is open OPEN_WITHIN_S seconds from now."""
        self.world.loop.call_later(OPEN_WITHIN_S, self._opened, why)

    def _opened(self, why: str) -> None:
        """Check that the processor has opened it: the hardware guard is only for a processor that fails."""
        self.world.hardware.advance_all()
        board = self.world.hardware.board
        if board.outputs.contactor or (board.contact_closed and "contactor_welded" not in board.faults):
            self.break_(OPENS, f"the contactor is closed {OPEN_WITHIN_S} s after this: {why}")

    # Regular checks.

    def _look(self) -> None:
        self.world.loop.call_later(LOOK_S, self._look)
        self.light()
        for part in (self.orders, self.hearing, self.roaming, self.bounds):
            part.look()
        self._busy = self._busy or self.world.hardware.board.vehicle.plugged
        if self.world.loop.time() - self._day[0] >= DAY_S:
            self._end_of_day()

    def _end_of_day(self) -> None:
        world, now_s, heard_s = self.world, self.world.loop.time(), self.hearing.heard
        since_s, writes, heard, carried, on_air = self._day
        self.records.look()
        is_idle = not self._busy and bool(since_s) and self.bounds.is_idle()
        self.bounds.day(is_idle, world.flash.writes - writes, bytes_on_air(world.broker) - on_air)
        self._busy = False
        times = heard_s[max(0, heard - 1) :] or [now_s]
        gap_s = max((later - earlier for earlier, later in pairwise([*times, now_s])), default=0.0)
        now_carried = sum(world.broker.carried.values())
        self.days.append(
            Day(
                len(heard_s) - heard,
                now_carried - carried,
                world.flash.writes - writes,
                gap_s,
                world.hardware.modem.plmn,
            )
        )
        self._day = (now_s, world.flash.writes, len(heard_s), now_carried, bytes_on_air(world.broker))

    # At the end.

    def end(self) -> None:
        """Run the checks that need the whole story."""
        world = self.world
        for what in (*world.failures, *world.processor.crashes):
            self.break_(SOUND, what)
        if "watchdog" in world.processor.resets:
            self.break_(SOUND, f"{world.processor.resets.count('watchdog')} resets by the watchdog")
        self.roaming.end()
        self.records.look()
        self.records.end()
