"""The state of the charging control besides its inputs: the installation's settings and the results of the last step."""

from collections import namedtuple

from firmware.charging.excess import over_ma

# installer_max_a: rating of the circuit. tethered: fixed cable, without proximity resistor (IEC 61851-1 case C). ventilated:
# the site has the ventilation that state D requires. fallback_a: ceiling without messages from a load manager; 0 = no load
# manager. commissioned: by an installer; installer_max_a is 6 while the unit is not.
Setup = namedtuple("Setup", "installer_max_a tethered ventilated fallback_a commissioned")


class ControlState:
    """Updated by the controller, read by faults, limits and sequence."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.state: str | None = None  # of the pilot: "A1" to "F", None = no valid state
        self.band: str | None = None  # the letter of `state`
        self.unsure = False  # the last readings differ from `state`, but too few to change it (debounce.py)
        self.drive: str | None = None  # pilot output when the inputs were read: one of the three in sequence.py
        self.pwm_on = False  # `drive` is PWM and the offer is not 0; with an offer of 0 the pilot is steady
        self.cable_a: int | None = None  # rating of a detachable cable; None = must not charge
        self.contactor = False  # as commanded in the last step
        self.limit_a: float = 0  # offered to the vehicle by the duty cycle
        self.over_current_ma = 500  # above this, the current exceeds the rating of circuit and cable (excess.py)
        self.over_allowed_ma = 500  # above this, the current exceeds what the limits allow
        self.ruling_a: float = 0  # the current to offer by the limits; 0 = pause
        self.vehicle_pauses = False  # the vehicle does not follow the offer and is paused (excess.py)
        self.contactor_rests = False  # the contactor was closed too often (contactor_rest.py)
        self.offer_rests = False  # the offer was withdrawn less than 5 s ago
        self.wake_ups = 0  # remaining wake-ups for this offer (sequence.py)
        self.faults: tuple[str, ...] = ()  # names of the faults that are set
        self.diode_missing = False  # at the last measurement of the negative half-wave
        self.rcd_test = "due"  # state of rcd_selftest.py
        self.set_circuit()

    def set_state(self, state: str | None) -> None:
        """Set the pilot's state."""
        self.state = state
        self.band = state[0] if state else None

    def set_circuit(self) -> None:
        """Recalculate `over_current_ma`, after a change of setup or cable."""
        circuit_a = self.setup.installer_max_a
        if not self.setup.tethered:
            circuit_a = min(circuit_a, self.cable_a or 0)
        self.over_current_ma = over_ma(circuit_a)

    def ready(self) -> bool:
        """Return whether the vehicle requests energy and may be supplied: state C, or D with ventilation."""
        band = self.band
        return band == "C" or (band == "D" and bool(self.setup.ventilated))
