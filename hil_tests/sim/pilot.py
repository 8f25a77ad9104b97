"""The control pilot wire as a voltmeter and an oscilloscope show it (IEC 61851-1 Annex A).

The charge point drives +-12 V through 1 kOhm. The car loads the positive half through a diode, so the negative half
stays at -12 V. From that the charge point detects that a car is on the wire.
"""

SOURCE_MV = 12_000
SOURCE_OHM = 1_000
DIODE_DROP_MV = 700
STEADY_HIGH_DUTY = 65_535
STEADY_LOW_DUTY = 0

# Upper level of each state, Table A.4: nominal, and 1 V to either side.
STATE_MV = {"A": 12_000, "B": 9_000, "C": 6_000, "D": 3_000, "E": 0}
TOLERANCE_MV = 1_000


def plateaus(duty_u16: int, load_ohm: int | None, diode: bool, shorted: bool) -> tuple[int, int]:
    """Return the high and the low level on the wire in mV. They are equal while the pilot is steady.

    `load_ohm` is the car's resistance between pilot and earth, None without a car. `diode` is False if the car's diode
    is missing.
    """
    if shorted:
        return 0, 0
    high, low = SOURCE_MV, -SOURCE_MV
    if load_ohm is not None:
        drop_mv = DIODE_DROP_MV if diode else 0
        high = drop_mv + (SOURCE_MV - drop_mv) * load_ohm // (load_ohm + SOURCE_OHM)
        low = low if diode else -SOURCE_MV * load_ohm // (load_ohm + SOURCE_OHM)
    if duty_u16 == STEADY_HIGH_DUTY:
        return high, high
    if duty_u16 == STEADY_LOW_DUTY:
        return low, low
    return high, low


def state(high_mv: int, low_mv: int) -> str:
    """Return the state on the wire, "A1" to "F". The digit 2 means PWM. "?" is between the bands."""
    if abs(high_mv + SOURCE_MV) <= TOLERANCE_MV:
        return "F"
    letter = next((name for name, mv in STATE_MV.items() if abs(high_mv - mv) <= TOLERANCE_MV), "?")
    if letter in "E?":
        return letter
    return letter + ("1" if high_mv == low_mv else "2")


def offered_ma(duty_u16: int) -> int:
    """Return the current in mA that a duty cycle permits, as a car reads it (Table A.8), or 0 if it permits none."""
    percent = 100 * duty_u16 / 65_536
    if 8 <= percent < 10:
        return 6_000
    if 10 <= percent <= 85:
        return round(percent * 600)
    if 85 < percent <= 96:
        return round((percent - 64) * 2_500)
    if 96 < percent <= 97:
        return 80_000
    return 0
