"""The contract of a board, and the blueprint to copy for a new one: one file, every wire named.

Before anything else a board puts its outputs into the safe state: contactor open, pilot held at F by its pull resistor,
modem off. A reset of the processor must do the same by hardware alone, since PWM goes on while Python hangs.
"""

PROGRAM_BYTES = 128  # progsize of the littlefs: files of up to four times this live in its metadata (storage/outbox.py)

# The fields of charging.io.Inputs, filled by Board.read; with each its unit and what it is.
INPUTS = (
    "pilot_high_mv",  # mV: upper plateau of the pilot at the plug, from at least five cycles of the PWM
    "pilot_low_mv",  # mV: lower plateau; the same as the upper one while the pilot is steady
    "proximity_ohm",  # Ohm: resistor in the plug, worked out from the board's own divider; None = open
    "contactor_closed",  # bool: mirror contact of the contactor
    "rcd_ac_trip",  # bool: residual current, type A
    "rcd_dc_trip",  # bool: 6 mA smooth direct current
    "supply_mv",  # mV RMS: mains, line to neutral
    "rail_mv",  # mV: the board's 5 V rail
    "temperature_c",  # deg C: inside the enclosure; None = sensor lost
    "current_ma",  # mA RMS: drawn by the vehicle
    "power_w",  # W: drawn by the vehicle
    "meter_wh",  # Wh: the meter's register; None = it has not answered yet
    "tamper",  # bool: enclosure open
    "button",  # bool: pressed
)

# The fields of charging.io.Outputs, obeyed by Board.write, with the safe state of each.
OUTPUTS = {
    "pilot_duty_u16": 0,  # 1/65535: pilot PWM: 65535 steady +12 V, 0 steady -12 V
    "contactor": False,  # bool: close
    "led": (0, 0, 0),  # 0..255 x 3: red, green, blue
    "rcd_test": False,  # bool: test coil of the residual current sensor
}


class Board:
    """What app.py and the control loop ask of a board. `read` and `write` are called from the control thread alone."""

    flash = "/flash"  # folder where the board mounts its littlefs, with PROGRAM_BYTES
    reset_cause = "power_on"  # or "brown_out", "watchdog", "soft"
    modem_port: object = None  # a port of modem/ports
    console_port: object = None  # a port of modem/ports
    modem_power: object = None  # an object with supply(on) and key(pressed)

    def read(self, inputs):
        """Fill every field of `inputs` in place; never waits for anything but the converter."""
        raise NotImplementedError

    def write(self, outputs):
        """Obey `outputs`; never waits."""
        raise NotImplementedError

    def set_time(self, epoch_s):
        """The time became known, or was corrected: for the platform's clock, which the check of certificates reads."""

    def flash_writes(self):
        """How often the flash was programmed since the start; None where the board cannot tell."""

    def feed(self):
        """Tell the watchdog that the unit is well."""
        raise NotImplementedError

    def reset(self):
        """Restart the processor; does not return."""
        raise NotImplementedError

    def give_up(self):
        """The control loop has ended by a mistake of ours: restart, with "watchdog" as the cause that the next start sees. As
        nothing marks a step any more, the watchdog does it by itself.
        """
