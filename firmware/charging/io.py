"""Inputs and outputs of the charging control: plain values with units, no hardware.

The board sets all fields of one Inputs before every step, and applies the Outputs that the step returns
(firmware/boards/board.py).
"""

X1 = 65535  # pilot duty of 65,535 parts: steady +12 V, "no current offered" (IEC 61851-1 table A.1, state x1)
F = 0  # pilot duty: steady -12 V, "charge point not available" (state F)


class Inputs:
    """One reading of all inputs. The initial values do not allow charging."""

    def __init__(self) -> None:
        self.pilot_high_mv = 0  # upper plateau of the pilot at the plug, of several cycles; steady: both plateaus
        self.pilot_low_mv = 0
        self.proximity_ohm: int | None = None  # resistor in the plug, by the board's divider; None = open circuit
        self.contactor_closed = False  # mirror contact: the actual position of the contactor
        self.guard_open = False  # the hardware guard keeps the contactor's drive off; False on a board without one
        self.rcd_ac_trip = False  # residual current, type A
        self.rcd_dc_trip = False  # smooth DC residual current of 6 mA and more (RDC-DD, IEC 62955)
        self.supply_mv: int | None = 0  # RMS of the mains, line to neutral; None = the meter has not answered in time
        self.rail_mv = 0  # the unit's 5 V supply, which falls before the processor stops
        self.temperature_c: float | None = None  # inside the enclosure; None = sensor failure
        self.current_ma = 0  # RMS, drawn by the vehicle
        self.power_w = 0  # drawn by the vehicle
        self.meter_wh: int | None = None  # the meter's register, which never decreases; None = not read yet
        self.tamper = False  # enclosure open
        self.button = False  # pressed


class Outputs:
    """The outputs until the next step."""

    def __init__(self, pilot_duty_u16: int, contactor: bool, led: tuple[int, int, int], rcd_test: bool) -> None:
        self.pilot_duty_u16 = pilot_duty_u16  # X1, F, or the PWM on-time in 65,535ths of 1 ms
        self.contactor = contactor  # True = close
        self.led = led  # (red, green, blue), 0..255 each
        self.rcd_test = rcd_test  # True = the test coil of the residual current sensor is energised


SAFE = Outputs(F, False, (0, 0, 0), False)  # before the first step, and after a failure of the control
