"""The faults of the charge point: cause, time to set, and clearing. Pure.

A fault that is set opens the contactor and turns the light red. Loss of the network is not a fault, nor is a vehicle that
requires ventilation. The cause of each fault is evaluated in every step; it must persist for `after_ms` before the fault is
set. After the cause ends, the fault clears itself after `clear_ms`, doubled with each repetition, so that an intermittent
fault does not wear out the contactor. After `tries` times it must be cleared by a person (the button, or `clear` on the
console); with no tries it is latched: always by a person. Unplugging resets the count.

A fault that is PROVEN opens the contactor at the first reading. It is latched once it is proven: by a cause that lasts for
PROOF_MS, or that recurs within REPEAT_MS. A fault from a single reading clears itself.
"""

from collections import namedtuple

from firmware.charging.debounce import AGREED_MS, HOT_MS
from firmware.charging.rcd_selftest import RUNNING
from firmware.charging.sequence import NOT_AVAILABLE, VEHICLE

if False:  # for mypy alone
    from firmware.charging.control_state import ControlState
    from firmware.charging.io import Inputs

LOWEST_SUPPLY_MV = 207000  # BS 7671 722.411.4.1 (iv): the vehicle must be disconnected after 5 s outside these limits
HIGHEST_SUPPLY_MV = 253000
RAIL_FALLING_MV = 4500  # the unit's own supply collapses: a power cut, not a supply fault
TOO_HOT_C, COOL_AGAIN_C = 70, 60  # OpenEVSE stops at 71 and resumes at 60
CONTACTOR_MOVES_MS = 300  # limit for coil and mirror contact; typical data sheet values are 20-50 ms
# A dip of the mains makes the contactor drop out for 300 to 900 ms, before a polled meter reports it. A contactor that stays
# open endangers nobody, so the fault can be set late.
DROPPED_MS = 2000
GUARD_MS = 100  # within this time, the guard's cause appears in the other inputs, and the contactor is opened for it
OVER_CURRENT_MS = 7000  # EVerest EvseManager: for 7,000 ms; the limit is in control_state.py
CLEAR_LONGEST_MS = 60000  # limit of the doubled `clear_ms`
PROOF_MS = AGREED_MS
REPEAT_MS = 600000  # a leakage that ends with each opening recurs after each closing

DANGER = "danger"  # danger to persons
STOP = "stop"  # protection of the unit, the cable or the vehicle
LATCHED, PROVEN, ENDLESS = 0, -1, 1000  # tries


def _contactor_welded(inputs: "Inputs", control_state: "ControlState") -> bool:
    return inputs.contactor_closed and not control_state.contactor


def _contactor_stuck_open(inputs: "Inputs", control_state: "ControlState") -> bool:
    """Return whether the contactor is open although it should be closed. False in a voltage dip, in which it drops out, and if
    the guard opened it, which has its own fault.
    """
    if inputs.contactor_closed or not control_state.contactor or inputs.guard_open:
        return False
    return not _supply(inputs, control_state)


def _guard(inputs: "Inputs", control_state: "ControlState") -> bool:
    """Return whether the hardware guard opened a contactor that the control holds closed: the control loop stalled for a
    second, or the guard's own measurement of the pilot or the sensor differs.
    """
    return inputs.guard_open and control_state.contactor


def _rcd_ac(inputs: "Inputs", control_state: "ControlState") -> bool:
    return inputs.rcd_ac_trip and control_state.rcd_test not in RUNNING


def _rcd_dc(inputs: "Inputs", control_state: "ControlState") -> bool:
    return inputs.rcd_dc_trip and control_state.rcd_test not in RUNNING


def _rcd_selftest(inputs: "Inputs", control_state: "ControlState") -> bool:
    return control_state.rcd_test == "failed"


def _supply(inputs: "Inputs", control_state: "ControlState") -> bool:
    supply_mv = inputs.supply_mv
    return supply_mv is not None and not LOWEST_SUPPLY_MV <= supply_mv <= HIGHEST_SUPPLY_MV


def _meter(inputs: "Inputs", control_state: "ControlState") -> bool:
    """Return whether the supply voltage is not known. Set at once: the meter's timeout has used up the allowed time
    (metering/sdm.py).
    """
    return inputs.supply_mv is None


def _pilot(inputs: "Inputs", control_state: "ControlState") -> bool:
    """Return whether the pilot is shorted to earth, or has an invalid voltage."""
    if control_state.band is not None and control_state.band not in "EF":
        return False
    # Not while the unit drives -12 V, and not for a missing diode, which has its own fault.
    return control_state.drive != NOT_AVAILABLE and not control_state.diode_missing


def _diode(inputs: "Inputs", control_state: "ControlState") -> bool:
    return control_state.diode_missing


def _proximity(inputs: "Inputs", control_state: "ControlState") -> bool:
    if control_state.cable_a is not None or control_state.setup.tethered:
        return False
    return control_state.band in VEHICLE


def _over_current(inputs: "Inputs", control_state: "ControlState") -> bool:
    return control_state.contactor and inputs.current_ma > control_state.over_current_ma


def _over_temperature(inputs: "Inputs", control_state: "ControlState") -> bool:
    temperature_c = inputs.temperature_c
    if temperature_c is not None and temperature_c <= COOL_AGAIN_C:
        return False
    if "over_temperature" in control_state.faults:
        return True
    return temperature_c is not None and temperature_c >= TOO_HOT_C


def _temperature_sensor(inputs: "Inputs", control_state: "ControlState") -> bool:
    return inputs.temperature_c is None


Fault = namedtuple("Fault", "name severity cause after_ms clear_ms tries")

TABLE = (
    Fault("rcd_ac", DANGER, _rcd_ac, 0, 1000, PROVEN),
    Fault("rcd_dc", DANGER, _rcd_dc, 0, 1000, PROVEN),
    Fault("rcd_selftest", DANGER, _rcd_selftest, 0, 0, LATCHED),
    Fault("contactor_welded", DANGER, _contactor_welded, CONTACTOR_MOVES_MS, 0, LATCHED),
    Fault("contactor_stuck_open", STOP, _contactor_stuck_open, DROPPED_MS, 0, LATCHED),
    Fault("guard", STOP, _guard, GUARD_MS, 1000, ENDLESS),
    Fault("supply", DANGER, _supply, 4500, 2000, ENDLESS),  # not a dip of 4 s; detects the loss of a PEN conductor
    Fault("meter", DANGER, _meter, 0, 1000, ENDLESS),
    Fault("pilot", STOP, _pilot, 200, 1000, ENDLESS),
    Fault("diode", STOP, _diode, 60, 500, ENDLESS),  # three samples
    Fault("proximity", STOP, _proximity, 200, 1000, ENDLESS),
    Fault("over_current", STOP, _over_current, OVER_CURRENT_MS, 8000, 3),  # cannot be detected with an open contactor
    Fault("over_temperature", STOP, _over_temperature, HOT_MS, 1000, ENDLESS),
    Fault("temperature_sensor", STOP, _temperature_sensor, 2000, 1000, ENDLESS),
)
NEEDS_PERSON = tuple(fault.name for fault in TABLE if fault.tries <= LATCHED)

# count: times set since the start; set_ms: uptime when it was set last; needs_person: it does not clear itself (any more)
History = namedtuple("History", "name severity count is_set needs_person set_ms")


class Watch:
    """The state of one fault. `at_rest`: it is clear and has no cause; `count`: times set since the start; `set_ms`: uptime
    when it was set last, written by the controller; `tries`: times it has cleared itself.
    """

    def __init__(self, fault: Fault, is_set: bool = False) -> None:
        self.fault = fault
        self.is_set = is_set
        self.at_rest = not is_set
        self.next: Watch | None = None  # in the order of TABLE
        self.count = int(is_set)
        self.set_ms = 0
        self.tries = 0  # since the vehicle was plugged in
        self.since_ms: int | None = None  # start of the cause (while clear) or of its absence (while set)

    def step(self, now_ms: int, cause: bool, cleared_by_person: bool) -> bool:
        """Evaluate the cause; return whether the fault was set or cleared."""
        if self.is_set == cause:
            self.since_ms = None
            self.at_rest = not cause
            return False
        self.at_rest = False
        if self.since_ms is None:
            self.since_ms = now_ms
        elapsed_ms = now_ms - self.since_ms
        if not self.is_set:
            if elapsed_ms < self.fault.after_ms:
                return False
            self.count += 1
        elif not cleared_by_person:
            if self.needs_person() or elapsed_ms < self._clear_ms():
                return False
            self.tries += 1
        self.is_set = not self.is_set
        self.since_ms = None
        return True

    def needs_person(self) -> bool:
        """Return whether the fault must be cleared by a person."""
        return bool(self.tries >= self.fault.tries)

    def _clear_ms(self) -> int:
        return min(int(self.fault.clear_ms) << min(self.tries, 16), CLEAR_LONGEST_MS)


class ProvenWatch(Watch):
    """The state of a fault whose `tries` is PROVEN. `is_proven`: its cause lasted, or recurred."""

    def __init__(self, fault: Fault, is_set: bool = False) -> None:
        super().__init__(fault, is_set)
        self.is_proven = is_set
        self.set_since_ms = 0
        self.cleared_since_ms: int | None = None  # when it last cleared itself; None if a person cleared it

    def step(self, now_ms: int, cause: bool, cleared_by_person: bool) -> bool:
        if super().step(now_ms, cause, cleared_by_person):
            if self.is_set:
                self.set_since_ms = now_ms
                self.is_proven = self.cleared_since_ms is not None and now_ms - self.cleared_since_ms < REPEAT_MS
            else:
                self.cleared_since_ms = None if cleared_by_person else now_ms
            return True
        if self.is_set and cause and now_ms - self.set_since_ms >= PROOF_MS:
            self.is_proven = True
        return False

    def needs_person(self) -> bool:
        return self.is_proven


class Faults:
    """All faults of TABLE. `names`: those that are set; replaced only when one is set or cleared."""

    def __init__(self, latched: tuple[str, ...] | list[str] = ()) -> None:
        """`latched`: names of the faults that a restart does not clear."""
        self.watches = [
            (ProvenWatch if fault.tries == PROVEN else Watch)(fault, fault.name in latched) for fault in TABLE
        ]
        for number in range(1, len(self.watches)):
            self.watches[number - 1].next = self.watches[number]
        self.names = self._set_now()

    def step(self, now_ms: int, inputs: "Inputs", control_state: "ControlState", cleared_by_person: bool) -> None:
        """Evaluate all causes. Follows the linked list of watches, because the iterator of a list would put the frame of this
        function on the heap.
        """
        watch: Watch | None = self.watches[0]
        while watch is not None:
            if watch.fault[2](inputs, control_state):  # its cause; an index is faster than a name
                if watch.step(now_ms, True, cleared_by_person):
                    self.names = self._set_now()
            elif not watch.at_rest and watch.step(now_ms, False, cleared_by_person):
                self.names = self._set_now()
            watch = watch.next

    def _set_now(self) -> tuple[str, ...]:
        return tuple(watch.fault.name for watch in self.watches if watch.is_set)

    def history(self) -> tuple[History, ...]:
        """Return the History of each fault that was set since the start."""
        return tuple(
            History(
                watch.fault.name,
                watch.fault.severity,
                watch.count,
                watch.is_set,
                watch.needs_person(),
                watch.set_ms,
            )
            for watch in self.watches
            if watch.count
        )

    def restart_timing(self) -> None:
        """Restart the times of all causes, after the unit's own supply was absent."""
        for watch in self.watches:
            watch.since_ms = None

    def reset_tries(self) -> None:
        """Reset the counts of self-clearing. Called after unplugging."""
        for watch in self.watches:
            watch.tries = 0
