"""The faults of the charge point: what each one watches, how long it must last, and what clears it. Pure.

A fault that is set opens the contactor and turns the light red. A network that is gone is no fault, nor is a vehicle that
asks for ventilation. Each fault has a cause, read in every step; the cause must stand for `after_ms` before the fault is
set. When the cause is gone the fault clears itself after `clear_ms`, doubled each time it comes back, so a fault that
flutters does not wear out the contactor. After `tries` times it waits for a person (the button, or `clear` on the
console); a fault with no tries is latched: it always does. Unplugging gives the tries back.
"""

from collections import namedtuple

from firmware.charging import proximity
from firmware.charging.rcd_selftest import RUNNING
from firmware.charging.sequence import NOT_AVAILABLE, VEHICLE

SUPPLY_MV = (207000, 253000)  # BS 7671 722.411.4.1 (iv): outside it for 5 s the vehicle must be disconnected
RAIL_FALLING_MV = 4500  # our own supply collapses: a power cut, not a fault of the supply
TOO_HOT_C, COOL_AGAIN_C = 70, 60  # OpenEVSE stops at 71 and goes on at 60
CONTACTOR_MOVES_MS = 300  # coil and mirror contact follow a command within this; typical data sheets say 20-50 ms
OVER_CURRENT_MS = 7000  # EVerest EvseManager: limit x 1.10 + 0.5 A for 7,000 ms
CLEAR_LONGEST_MS = 60000  # however often it came back

DANGER = "danger"  # somebody could be hurt
STOP = "stop"  # the unit protects itself, the cable or the vehicle
LATCHED, ENDLESS = 0, 1000  # tries


def _contactor_welded(inputs, control_state):
    return inputs.contactor_closed and not control_state.contactor


def _contactor_stuck_open(inputs, control_state):
    """Without a good supply its coil lets go, in a dip of the mains that is no fault of anybody's."""
    return control_state.contactor and not inputs.contactor_closed and not _supply(inputs, control_state)


def _rcd_ac(inputs, control_state):
    return inputs.rcd_ac_trip and control_state.rcd_test not in RUNNING


def _rcd_dc(inputs, control_state):
    return inputs.rcd_dc_trip and control_state.rcd_test not in RUNNING


def _rcd_selftest(inputs, control_state):
    return control_state.rcd_test == "failed"


def _supply(inputs, control_state):
    return not SUPPLY_MV[0] <= inputs.supply_mv <= SUPPLY_MV[1]


def _pilot(inputs, control_state):
    """A short to earth, or no legal voltage."""
    if control_state.drive == NOT_AVAILABLE or control_state.diode_missing:
        return False  # we hold it at -12 V ourselves; the diode has a fault of its own
    return control_state.state is None or control_state.state in "EF"


def _diode(inputs, control_state):
    return control_state.diode_missing


def _proximity(inputs, control_state):
    if control_state.setup.tethered or control_state.band() not in VEHICLE:
        return False
    return proximity.rating_a(inputs.proximity_ohm) is None


def _over_current(inputs, control_state):
    return control_state.contactor and inputs.current_ma > control_state.limit_a * 1100 + 500


def _over_temperature(inputs, control_state):
    if "over_temperature" in control_state.faults:
        return inputs.temperature_c is None or inputs.temperature_c > COOL_AGAIN_C
    return inputs.temperature_c is not None and inputs.temperature_c >= TOO_HOT_C


def _temperature_sensor(inputs, control_state):
    return inputs.temperature_c is None


Fault = namedtuple("Fault", "name severity cause after_ms clear_ms tries")

TABLE = (
    Fault("rcd_ac", DANGER, _rcd_ac, 0, 0, LATCHED),
    Fault("rcd_dc", DANGER, _rcd_dc, 0, 0, LATCHED),
    Fault("rcd_selftest", DANGER, _rcd_selftest, 0, 0, LATCHED),
    Fault("contactor_welded", DANGER, _contactor_welded, CONTACTOR_MOVES_MS, 0, LATCHED),
    Fault("contactor_stuck_open", STOP, _contactor_stuck_open, CONTACTOR_MOVES_MS, 0, LATCHED),
    Fault("supply", DANGER, _supply, 4500, 2000, ENDLESS),  # a dip of 4 s is none; PEN loss shows here
    Fault("pilot", STOP, _pilot, 200, 1000, ENDLESS),
    Fault("diode", STOP, _diode, 60, 500, ENDLESS),  # three samples
    Fault("proximity", STOP, _proximity, 200, 1000, ENDLESS),
    Fault("over_current", STOP, _over_current, OVER_CURRENT_MS, 8000, 3),  # unseen once the contactor is open
    Fault("over_temperature", STOP, _over_temperature, 1000, 1000, ENDLESS),
    Fault("temperature_sensor", STOP, _temperature_sensor, 2000, 1000, ENDLESS),
)
NEEDS_PERSON = tuple(fault.name for fault in TABLE if fault.tries == LATCHED)

# count: times set since the start; set_ms: when last; needs_person: it does not clear itself (any more)
History = namedtuple("History", "name severity count is_set needs_person set_ms")


class Watch:
    """One fault's history: since when its cause stands or is gone, whether it is set, how often it was."""

    def __init__(self, fault, is_set=False):
        self.fault = fault
        self.is_set = is_set
        self.count = int(is_set)  # times set since boot
        self.set_ms = 0 if is_set else None  # when last
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
            self.set_ms = now_ms
        elif not cleared_by_person:
            if self.needs_person() or stood_ms < self._clear_ms():
                return False
            self.tries += 1
        self.is_set = not self.is_set
        self._since_ms = None
        return True

    def look_anew(self):
        """What was seen until now says nothing of what is seen next: our own supply was not there in between."""
        self._since_ms = None

    def needs_person(self):
        return self.tries >= self.fault.tries

    def _clear_ms(self):
        return min(self.fault.clear_ms << min(self.tries, 16), CLEAR_LONGEST_MS)


class Faults:
    """All of the table's watches."""

    def __init__(self, latched=()):
        """`latched` are the names of those that a restart must not clear."""
        self.watches = [Watch(fault, fault.name in latched) for fault in TABLE]
        self.names = self._set_now()

    def step(self, now_ms, inputs, control_state, cleared_by_person):
        """Look at every cause; return the names that were set and those that were cleared by this step."""
        came: tuple = ()
        went: tuple = ()
        for watch in self.watches:
            if watch.step(now_ms, bool(watch.fault.cause(inputs, control_state)), cleared_by_person):
                if watch.is_set:
                    came += (watch.fault.name,)
                else:
                    went += (watch.fault.name,)
        if came or went:
            self.names = self._set_now()
        return came, went

    def _set_now(self):
        return tuple(watch.fault.name for watch in self.watches if watch.is_set)

    def history(self):
        """The History of each fault that is set, or was set since the start."""
        return tuple(
            History(
                watch.fault.name, watch.fault.severity, watch.count, watch.is_set, watch.needs_person(), watch.set_ms
            )
            for watch in self.watches
            if watch.count
        )

    def look_anew(self):
        """A cause must stand, or be gone, for all of its time once our own supply is back."""
        for watch in self.watches:
            watch.look_anew()

    def forgive(self):
        """The vehicle was unplugged: the next one has its tries."""
        for watch in self.watches:
            watch.tries = 0
