"""What the product promises, each as an invariant that is watched while a story is told, beside the words of the mission."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from cloud_bridge.contact import SILENT_AFTER_MS, Contact
from hil_tests.bench.air import COUNTS_APART, MONTH_LIMIT_MB, RECORD_BYTES
from hil_tests.years.broker import Broker
from hil_tests.years.faults import BOARD, CLOUD, FLASH, NETWORK, SUPPLY
from hil_tests.years.scene import Scene

CHARGES = "It charges, always: no network, no cloud and no command keeps a car from its charge."
RED = "The light is red if and only if the charge point itself has a fault; silence of the network is never red."
OPENS = "A fault, or the plug, opens the contactor within 100 ms (IEC 61851-1)."
LIMITS = "No current above any limit: the circuit's, the cable's, or one that the cloud has ordered and that was taken."
ONCE = "Every record that was acknowledged is in the database, once."
CONTACT = "Last contact is never false; silence is never shown within 30 minutes of a message, and always after."
ROAMS = "It roams when that would help, within its budgets: four scans and three switches a day."
BACK = "Off for 30 s and on again, it is back; and whenever the cause of a loss has gone."
AIR = "An idle month costs 1 MB on the air at most; the unit's own count of it is within 2 %."
WEAR = "The flash outlives ten years."
MEMORY = "What waits is bounded."
SOUND = "No part of it fails by itself: no crash, no reset by the watchdog."
PROMISES = (CHARGES, RED, OPENS, LIMITS, ONCE, CONTACT, ROAMS, BACK, AIR, WEAR, MEMORY, SOUND)

CIRCUIT_A = 32
OPEN_WITHIN_S = 0.1
CHARGES_WITHIN_S = 300  # a latched self-test, a rest of the contactor
BACK_WITHIN_S = 40 * 60
FAULT_FORGOTTEN_S = 1800  # so long after a fault of the board its light may still tell of it
OUTBOX_MAX = 300  # firmware/storage/outbox.py
FLASH_A_DAY = 400  # 10 years of them are 1.5 million, some 150 for each of the sectors of a partition of 2 MB
IDLE_DAY_BYTES = round(MONTH_LIMIT_MB * 1e6 / 30)
CONNECTION_BYTES = 6071  # with TLS 1.3 and its handshake: `python -m hil_tests.bench.air`
LOOK_S = 600
OPENING_TOLD_S = 60
TOLD_WITHIN_S = 2 * 3600  # a record, when nothing is wrong any more
DAY_S = 86_400


class Broken(NamedTuple):
    """A promise that was not kept."""

    promise: str
    at_s: float
    what: str


class Day(NamedTuple):
    """What a report draws of a day."""

    messages: int
    carried_bytes: int  # of MQTT
    flash_writes: int
    longest_gap_s: float  # between two contacts, those that ended in it
    operator: str | None  # at its end


def bytes_on_air(broker: Broker) -> int:
    """So far, with what TLS 1.3 would add: a record for each piece, and its handshakes."""
    return broker.air_bytes + broker.pieces * RECORD_BYTES + broker.logins * CONNECTION_BYTES


class Watch:
    """Looks every LOOK_S, at each change of the pins, and at the end."""

    def __init__(self, world: Scene) -> None:
        self.world = world
        self.broken: list[Broken] = []
        self.touched_s: dict[str, float] = {}  # the last moment at which something of this kind was wrong
        self.lasting: Counter[str] = Counter()
        self.heard: list[float] = []  # what the bridge has stamped, true seconds
        self.kept_from_charging_s = 0.0  # the last moment at which a car had no reason to be charged
        self.limit: tuple[int, float, float] | None = None  # A, from, until
        self._asked: dict[str, dict[str, Any]] = {}
        self.openings: list[float] = []  # of the enclosure
        self.days: list[Day] = []
        self._day = (0.0, 0, 0, 0, 0)  # when it began, and what had been counted by then
        self._busy = False  # in that day
        self._told_air: tuple[int, int] | None = (
            None  # the boot, and what was on the air when the unit told its bytes last
        )
        self._latched = False
        world.loop.call_later(LOOK_S, self._look)

    def break_(self, promise: str, what: str) -> None:
        if len(self.broken) < 20:
            self.broken.append(Broken(promise, round(self.world.loop.time(), 3), what))

    # What happens.

    def begins(self, touches: tuple[str, ...]) -> None:
        self.kept_from_charging_s = self.world.loop.time()
        self._busy = True
        self.lasting.update(touches)

    def ends(self, touches: tuple[str, ...]) -> None:
        self.kept_from_charging_s = self.world.loop.time()
        self.lasting.subtract(touches)
        for what in touches:
            self.touched_s[what] = self.world.loop.time()

    def well_for_s(self, *touches: str) -> float:
        """How long nothing of that kind has been wrong."""
        if any(self.lasting[what] > 0 for what in touches):
            return 0
        return self.world.loop.time() - max(self.touched_s.get(what, -DAY_S) for what in touches)

    def published(self, kind: str, payload: bytes) -> None:
        self.heard.append(self.world.loop.time())
        if kind == "event":
            self._count_air(json.loads(payload))
        if kind == "result":
            said = json.loads(payload)
            asked = self._asked.get(said.get("c") or said.get("id") or "")
            if asked and said.get("ok"):
                self._in_force(asked)

    def _count_air(self, said: dict[str, Any]) -> None:
        """Once a day it tells what it has counted, of a boot."""
        if said.get("k") != "day":
            return
        before, boot = self._told_air, len(self.world.processor.resets)
        self._told_air = boot, self.world.broker.air_bytes
        if before is None or before[0] != boot or self.well_for_s(NETWORK, CLOUD, SUPPLY, FLASH) < DAY_S + LOOK_S:
            return
        carried = self.world.broker.air_bytes - before[1]
        if abs(said["d"]["air"] - carried) > COUNTS_APART * carried:
            self.break_(AIR, f"it counts {said['d']['air']} bytes in a day, and there were {carried}")

    def ordered(self, said: dict[str, Any]) -> None:
        self._asked[said["id"]] = said

    def _in_force(self, asked: dict[str, Any]) -> None:
        if asked["do"] == "limit":
            self.limit = (asked["amps"], self.world.loop.time() + 5, asked["exp"] - self.world.time.epoch_s)
        elif asked["do"] in ("resume", "pause", "reboot", "override", "clear_override"):
            self.limit = None

    def opened(self) -> None:
        """The enclosure, while the unit is well and will be for a while: that has to be told."""
        if self.world.processor.running and self.well_for_s(SUPPLY, FLASH, BOARD) > OPENING_TOLD_S:
            self.openings.append(self.world.loop.time())

    def light(self) -> None:
        """What it shows, and what is wrong with the charge point."""
        board, unit = self.world.hardware.board, self.world.processor.unit
        if unit is None or unit.exchange is None or not board.powered:
            return
        red, green, blue = board.outputs.led
        is_red, faults = bool(red) and not green and not blue, unit.exchange.report.faults
        if is_red and not faults:
            self.break_(RED, f"red without a fault: {board.outputs.led}")
        if faults and not is_red and any(board.outputs.led):
            self.break_(RED, f"{board.outputs.led}, and {faults} are set")
        if is_red and self.well_for_s(BOARD, SUPPLY) > FAULT_FORGOTTEN_S and not self._latched:
            self.break_(RED, f"red for {faults}, of which nothing is the charge point's")
        self._latched = bool(faults) and (self._latched or self.well_for_s(BOARD, SUPPLY) < FAULT_FORGOTTEN_S)

    def pins(self) -> None:
        """The processor drives its pins."""
        board = self.world.hardware.board
        self.light()
        if board.offered_a > CIRCUIT_A:
            self.break_(LIMITS, f"{board.offered_a} A offered on a circuit of {CIRCUIT_A}")
        if self.limit is not None:
            amps, from_s, until_s = self.limit
            if (
                from_s < self.world.loop.time() < until_s
                and self.well_for_s(SUPPLY) > 60
                and board.offered_a > max(amps, 0)
            ):
                self.break_(LIMITS, f"{board.offered_a} A offered, and the cloud's limit of {amps} A was taken")

    def must_open(self, why: str) -> None:
        """Danger, now."""
        self.world.loop.call_later(OPEN_WITHIN_S, self._opened, why)

    def _opened(self, why: str) -> None:
        self.world.hardware.advance_all()
        board = self.world.hardware.board
        if board.contact_closed and "contactor_welded" not in board.faults:
            self.break_(OPENS, f"closed {OPEN_WITHIN_S} s after {why}")

    # Now and then.

    def _look(self) -> None:
        self.world.loop.call_later(LOOK_S, self._look)
        for look in (self.light, self._charging, self._contact, self._link, self._outbox):
            look()

    def _charging(self) -> None:
        world, vehicle = self.world, self.world.hardware.board.vehicle
        now_s = world.loop.time()
        wants = vehicle.plugged and vehicle.wants_charge and not vehicle.full and world.car_is_plain
        unit = world.processor.unit
        free = (
            wants
            and self.well_for_s(BOARD, SUPPLY) > FAULT_FORGOTTEN_S
            and unit is not None
            and unit.exchange is not None
            and not unit.exchange.report.faults
            and not unit.exchange.claims
            and not (self.limit is not None and now_s < self.limit[2])
        )
        if not free:
            self.kept_from_charging_s = now_s
        elif now_s - self.kept_from_charging_s > CHARGES_WITHIN_S and vehicle.current_ma == 0:
            self.break_(CHARGES, f"a car waits, and the ruling is {unit.exchange.report.ruling}")  # type: ignore[union-attr]
        if vehicle.current_ma > 1000 * CIRCUIT_A * 1.1 and self.well_for_s(BOARD) > 60 and world.car_is_plain:
            self.break_(LIMITS, f"{vehicle.current_ma} mA flow")

    def _contact(self) -> None:
        world = self.world
        if not world.bridge.running:
            return
        at_ms, verdict = world.bridge.verdict(world.unit_id)
        now_ms = world.bridge.clock.now_ms()
        true_ms = None if not self.heard else world.time.epoch_s * 1000 + round(self.heard[-1] * 1000)
        if at_ms is not None and (true_ms is None or at_ms > true_ms + 1):
            self.break_(CONTACT, f"last contact at {at_ms}, heard at {true_ms}")
        silence_ms = now_ms - (true_ms or world.time.epoch_s * 1000)
        if verdict.contact is Contact.SILENT and silence_ms <= SILENT_AFTER_MS:
            self.break_(CONTACT, f"silent {silence_ms} ms after a message")
        if verdict.contact is Contact.ONLINE and silence_ms > SILENT_AFTER_MS + 1:
            self.break_(CONTACT, f"online, {silence_ms} ms after the last message")
        listened = self.well_for_s(CLOUD) * 1000 > silence_ms > SILENT_AFTER_MS
        if listened and self.heard and verdict.contact is not Contact.SILENT:
            self.break_(CONTACT, f"{verdict.contact} after {silence_ms} ms of silence in which we listened")

    def _link(self) -> None:
        if self.well_for_s(NETWORK, CLOUD, SUPPLY, FLASH) < BACK_WITHIN_S or not self.heard:
            return
        since_s = self.world.loop.time() - self.heard[-1]
        if since_s > BACK_WITHIN_S:
            unit = self.world.processor.unit
            trouble = unit.link.trouble if unit is not None and unit.link is not None else "no unit"
            self.break_(
                BACK, f"nothing was wrong for {BACK_WITHIN_S} s, and it has been silent for {since_s:.0f} s: {trouble}"
            )

    def _outbox(self) -> None:
        world, now_s = self.world, self.world.loop.time()
        waiting = len(list((world.flash.folder / "outbox").glob("*")))
        if waiting > OUTBOX_MAX + 2:
            self.break_(MEMORY, f"{waiting} records in the outbox")
        self._busy = self._busy or world.hardware.board.vehicle.plugged
        since_s, writes, heard, carried, on_air = self._day
        if now_s - since_s < DAY_S:
            return
        if world.flash.writes - writes > FLASH_A_DAY:
            self.break_(WEAR, f"{world.flash.writes - writes} writes in a day")
        now_carried = sum(world.broker.carried.values())
        touched = self._busy or self.well_for_s(NETWORK, CLOUD, SUPPLY, FLASH, BOARD) < DAY_S + LOOK_S
        day_bytes = bytes_on_air(world.broker) - on_air
        if not touched and since_s and day_bytes > IDLE_DAY_BYTES:
            self.break_(AIR, f"{day_bytes} bytes in a day in which nothing happened")
        self._busy = False
        times = self.heard[max(0, heard - 1) :] or [now_s]
        gap_s = max((later - earlier for earlier, later in pairwise([*times, now_s])), default=0.0)
        operator = world.hardware.modem.plmn
        self.days.append(
            Day(len(self.heard) - heard, now_carried - carried, world.flash.writes - writes, gap_s, operator)
        )
        self._day = (now_s, world.flash.writes, len(self.heard), now_carried, bytes_on_air(world.broker))

    # At the end.

    def end(self) -> None:
        """What only the whole shows."""
        world = self.world
        for what in (*world.failures, *world.processor.crashes):
            self.break_(SOUND, what)
        if "watchdog" in world.processor.resets:
            self.break_(SOUND, f"{world.processor.resets.count('watchdog')} resets by the watchdog")
        for promise, what in self._records():
            self.break_(promise, what)

    def _records(self) -> Iterator[tuple[str, str]]:
        world = self.world
        switches: list[float] = []
        for kind in ("event", "session", "result"):
            acknowledged = Counter(
                (said.get("b"), said.get("n"))
                for unit, of, payload in world.broker.acknowledged
                if of == kind
                for said in [json.loads(payload)]
            )
            rows = Counter((said.get("b"), said.get("n")) for said in world.bridge.rows(f"{kind}s", world.unit_id))
            missing, twice = set(acknowledged) - set(rows), [key for key, count in rows.items() if count > 1]
            if missing:
                yield ONCE, f"{len(missing)} acknowledged {kind}s are not stored: {sorted(missing)[:3]}"
            if twice:
                yield ONCE, f"{len(twice)} {kind}s are stored twice"
        events = world.bridge.rows("events", world.unit_id)
        told = sum(said.get("k") == "tamper" and said["d"].get("open") is True for said in events)
        due = [at_s for at_s in self.openings if at_s < world.loop.time() - TOLD_WITHIN_S]
        if told < len(due) and self.well_for_s(NETWORK, CLOUD, SUPPLY, FLASH) > TOLD_WITHIN_S:
            yield ONCE, f"the enclosure was opened {len(due)} times at least, and {told} are in the database"
        for said in events:
            if said.get("k") == "network" and said["d"].get("do") == "switch" and said.get("t"):
                switches.append(said["t"])
        for at in switches:
            if sum(at <= other < at + 86_400 for other in switches) > 3:
                yield ROAMS, f"more than three switches in the day from {at}"
                break
