"""What the rules know beside the inputs: the installer's settings, and what the last step decided."""

from collections import namedtuple

# installer_max_a: of the circuit. tethered: the cable is fixed, so there is no proximity resistor to read. ventilated: the
# place has the ventilation that state D asks for. fallback_a: ceiling while an external load manager is not heard; 0 = the
# house has none.
Setup = namedtuple("Setup", "installer_max_a tethered ventilated fallback_a")


class ControlState:
    """Filled in place by the controller, read by faults and sequence."""

    def __init__(self, setup):
        self.setup = setup
        self.state = None  # of the pilot: "A1" to "F", None = it fits no state
        self.drive = None  # how the pilot was driven when the inputs were read: one of sequence.py's three
        self.contactor = False  # as commanded in the last step
        self.limit_a = 0  # offered to the vehicle by the duty on the wire
        self.ruling_a = 0  # what the limits allow now; 0 = pause
        self.offer_rests = False  # it was withdrawn lately
        self.faults = ()  # names of those that are set
        self.diode_missing = False  # when the negative half of the pilot was last seen
        self.rcd_test = "due"  # of rcd_selftest.py's states

    def band(self):
        """The letter of the state, or None."""
        return self.state[0] if self.state else None

    def ready(self):
        """The vehicle asks for energy and may have it here: C, or D where there is ventilation."""
        band = self.band()
        return band == "C" or (band == "D" and self.setup.ventilated)
