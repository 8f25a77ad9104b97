"""The faults of the charge point: what each one watches, how long it must last, and what clears it. Pure.

A fault that is set opens the contactor and turns the light red. A network that is gone is no fault. Each has a cause,
read from the inputs in every step; the cause must stand for `after_ms` before the fault is set. When the cause is gone,
the fault clears itself after `clear_ms`, up to `RETRIES` times in one visit of the vehicle; then, and from the first time
on if it is latched, a person must clear it (the button, or `clear` on the console) with its cause gone.
Unplugging gives the retries back.
"""

from collections import namedtuple

from firmware.charging import pilot, proximity
from firmware.charging.sequence import NOT_AVAILABLE, PWM

SUPPLY_MV = (207000, 253000)  # BS 7671 722.411.4.1 (iv): outside it for 5 s the vehicle must be disconnected
RAIL_FALLING_MV = 4500  # our own supply collapses: a power cut, not a fault of the supply
TOO_HOT_C, COOL_AGAIN_C = 70, 60  # OpenEVSE stops at 71 and goes on at 60
CONTACTOR_MOVES_MS = 300  # coil and mirror contact follow a command within this; typical data sheets say 20-50 ms
OVER_CURRENT_MS = 7000  # EVerest EvseManager: limit x 1.10 + 0.5 A for 7,000 ms
RETRIES = 3

# name, how long the cause stands before the fault is set, how long it must be gone before the fault clears itself, latched
Fault = namedtuple("Fault", "name after_ms clear_ms latched")

TABLE = (
    Fault("rcd_ac", 0, 0, True),
    Fault("rcd_dc", 0, 0, True),
    Fault("contactor_welded", CONTACTOR_MOVES_MS, 0, True),
    Fault("contactor_stuck_open", CONTACTOR_MOVES_MS, 0, True),
    Fault("supply", 4500, 3000, False),  # a dip of 4 s is none
    Fault("pilot", 200, 1000, False),  # short to earth, or no legal voltage
    Fault("diode", 60, 10000, False),  # three samples; seen only while the PWM runs, so it is tried again
    Fault("proximity", 200, 1000, False),
    Fault("over_current", OVER_CURRENT_MS, 60000, False),
    Fault("over_temperature", 1000, 1000, False),
    Fault("temperature_sensor", 2000, 1000, False),
)
LATCHED = tuple(fault.name for fault in TABLE if fault.latched)


class Situation:
    """What a cause may look at beside the inputs."""

    def __init__(self):
        self.state = None  # pilot.read()
        self.drive = None  # how the pilot was driven when the inputs were read: one of sequence.py's three
        self.contactor = False  # as commanded in the last step
        self.limit_a = 0  # offered to the vehicle
        self.tethered = True  # a cable fixed to the charge point has no proximity resistor to read


def _supply(inputs, situation):
    if inputs.rail_mv < RAIL_FALLING_MV:
        return False
    return not SUPPLY_MV[0] <= inputs.supply_mv <= SUPPLY_MV[1]


def _pilot(inputs, situation):
    if situation.drive == NOT_AVAILABLE:
        return False  # we hold it at -12 V ourselves, to show a fault
    if situation.state is None:
        return not _diode(inputs, situation)
    return situation.state in "EF"


def _diode(inputs, situation):
    return situation.drive == PWM and pilot.diode_missing(inputs.pilot_high_mv, inputs.pilot_low_mv)


def _proximity(inputs, situation):
    if situation.tethered or situation.state is None or situation.state[0] not in "BCD":
        return False
    return proximity.rating_a(inputs.proximity_ohm) is None


def _over_current(inputs, situation):
    return situation.contactor and inputs.current_ma > situation.limit_a * 1100 + 500


CAUSES = {
    "rcd_ac": lambda inputs, situation: inputs.rcd_ac_trip,
    "rcd_dc": lambda inputs, situation: inputs.rcd_dc_trip,
    "contactor_welded": lambda inputs, situation: inputs.contactor_closed and not situation.contactor,
    "contactor_stuck_open": lambda inputs, situation: situation.contactor and not inputs.contactor_closed,
    "supply": _supply,
    "pilot": _pilot,
    "diode": _diode,
    "proximity": _proximity,
    "over_current": _over_current,
    "over_temperature": lambda inputs, situation: (inputs.temperature_c or 0) >= TOO_HOT_C,
    "temperature_sensor": lambda inputs, situation: inputs.temperature_c is None,
}


class Watch:
    """One fault's history: since when its cause stands or is gone, whether it is set, how often it was."""

    def __init__(self, fault):
        self.fault = fault
        self.is_set = False
        self.count = 0  # times set since boot
        self.tries = 0  # times it cleared itself since the vehicle was plugged in
        self._since_ms = None  # when the cause came (while clear) or went (while set)

    def step(self, now_ms, cause, cleared_by_person):
        """True if the fault was set or cleared by this step."""
        if self.is_set == cause:
            self._since_ms = None
            return False
        if self._since_ms is None:
            self._since_ms = now_ms
        stood_ms = now_ms - self._since_ms
        if not self.is_set:
            if stood_ms < self.fault.after_ms:
                return False
            self.count += 1
        elif not cleared_by_person:
            if self.needs_person() or stood_ms < self.fault.clear_ms:
                return False
            self.tries += 1
        self.is_set = not self.is_set
        self._since_ms = None
        return True

    def needs_person(self):
        return self.fault.latched or self.tries >= RETRIES


class Faults:
    """All of the table's watches."""

    def __init__(self):
        self.watches = [Watch(fault) for fault in TABLE]
        self.names = ()  # set now

    def step(self, now_ms, inputs, situation, cleared_by_person):
        """Look at every cause; return the names that were set and those that were cleared by this step."""
        came: tuple = ()
        went: tuple = ()
        for watch in self.watches:
            name = watch.fault.name
            cause = bool(CAUSES[name](inputs, situation))
            if name == "over_temperature" and watch.is_set:  # hysteresis
                cause = cause or inputs.temperature_c is None or inputs.temperature_c > COOL_AGAIN_C
            if watch.step(now_ms, cause, cleared_by_person):
                if watch.is_set:
                    came += (name,)
                else:
                    went += (name,)
        if came or went:
            self.names = tuple(watch.fault.name for watch in self.watches if watch.is_set)
        return came, went

    def forgive(self):
        """The vehicle was unplugged: the next one has its tries."""
        for watch in self.watches:
            watch.tries = 0
