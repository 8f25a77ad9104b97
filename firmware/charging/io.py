"""What the charging rules see (Inputs) and what they decide (Outputs): plain values with units, no hardware.

A board fills every field of one Inputs in place before every step, and obeys the Outputs that the step returns
(firmware/boards/board.py).
"""

X1 = 65535  # pilot duty of 65,535 parts: steady +12 V, "no current offered" (IEC 61851-1 table A.1, state x1)
F = 0  # pilot duty: steady -12 V, "charge point not available" (state F)


class Inputs:
    """One reading of every input. The values before the first reading allow nothing."""

    def __init__(self):
        self.pilot_high_mv = 0  # upper plateau of the pilot at the plug, of five cycles at least; steady: both plateaus
        self.pilot_low_mv = 0
        self.proximity_ohm = None  # resistor in the plug, by the board's own divider; None = open circuit
        self.contactor_closed = False  # mirror contact: what the contactor does, not what it was told
        self.rcd_ac_trip = False  # residual current, type A
        self.rcd_dc_trip = False  # smooth DC residual current of 6 mA and more (RDC-DD, IEC 62955)
        self.supply_mv = 0  # RMS of the mains, line to neutral
        self.rail_mv = 0  # our own 5 V rail: it falls before the processor stops
        self.temperature_c = None  # inside the enclosure; None = the sensor does not answer
        self.current_ma = 0  # RMS, drawn by the vehicle
        self.power_w = 0  # drawn by the vehicle
        self.meter_wh = None  # the meter's own register, which only ever grows; None = it has not answered yet
        self.tamper = False  # enclosure open
        self.button = False  # pressed


class Outputs:
    """What the board is to do until the next step."""

    def __init__(self, pilot_duty_u16, contactor, led, rcd_test):
        self.pilot_duty_u16 = pilot_duty_u16  # X1, F, or the PWM on-time in 65,535ths of 1 ms
        self.contactor = contactor  # True = close
        self.led = led  # (red, green, blue), 0..255 each
        self.rcd_test = rcd_test  # True = the test coil of the residual current sensor is energised


SAFE = Outputs(F, False, (0, 0, 0), False)  # before the first step, and whenever the rules cannot be trusted
