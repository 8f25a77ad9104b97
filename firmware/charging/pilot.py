"""The control pilot of IEC 61851-1, annex A: plateau voltages to states, and currents to PWM duty cycles.

The charge point drives the pilot through 1 kOhm: steady +12 V (x1), 1 kHz PWM between +12 V and -12 V (x2), or steady -12 V
(F). The vehicle loads the positive half-wave only, through a diode: the upper plateau determines the state, and the lower
one stays at -12 V during PWM.
"""

from firmware.charging.io import X1, F

# State, lowest and highest upper plateau in mV. Tolerances of IEC 61851-1 table A.2 (from memory, unverified). A voltage
# between two bands is no valid state.
BANDS_MV = (
    ("A", 11000, 13000),
    ("B", 8000, 10000),
    ("C", 5000, 7000),
    ("D", 2000, 4000),
    ("E", -1000, 1000),
    ("F", -13000, -11000),
)
LOW_PLATEAU_MV = (-13000, -11000)  # of the PWM with the vehicle's diode in place; same source
STEADY_WITHIN_MV = 1000  # plateaus further apart than this are not a steady pilot
HYSTERESIS_MV = 300  # a state holds until its plateau is this far outside its band, against noise

FULL_U16 = 65535
OFFER_MIN_A = 6  # there is no duty cycle below; a pause is used instead
OFFER_MAX_A = 80
_LINEAR_MAX_MA = 51000  # up to here duty = I / 0.6 A per cent
_STEEP_MIN_MA = 52500  # from here duty = I / 2.5 A per cent + 64; in between, both formulas give 85 %


def read(high_mv: int, low_mv: int, pwm_on: bool) -> str | None:
    """Return the pilot's state, "A1" to "D2", "E" or "F"; None if there is no valid state. `pwm_on`: PWM is driven.

    None: a plateau between two bands, different plateaus without PWM, or a lower plateau of the PWM other than -12 V: a
    vehicle without diode is not read as B2, C2 or D2.
    """
    band = None
    for name, lowest_mv, highest_mv in BANDS_MV:
        if lowest_mv <= high_mv <= highest_mv:
            band = name
    if band is None or band in "EF":
        return band
    if pwm_on:
        return band + "2" if LOW_PLATEAU_MV[0] <= low_mv <= LOW_PLATEAU_MV[1] else None
    return band + "1" if high_mv - low_mv <= STEADY_WITHIN_MV else None


def follow(before: str | None, high_mv: int, low_mv: int, pwm_on: bool) -> str | None:
    """As `read`, with HYSTERESIS_MV for the state `before`. A voltage further outside is still no state."""
    state = read(high_mv, low_mv, pwm_on)
    if state is None and before:
        for name, lowest_mv, highest_mv in BANDS_MV:
            if name == before[0] and lowest_mv - HYSTERESIS_MV <= high_mv <= highest_mv + HYSTERESIS_MV:
                return read(max(lowest_mv, min(high_mv, highest_mv)), low_mv, pwm_on)
    return state


def diode_missing(high_mv: int, low_mv: int) -> bool:
    """Return whether the vehicle also loads the negative half-wave, which its diode should block.

    Valid only with a negative half-wave: PWM, or steady -12 V, when both plateaus are the lower one. False for A (no vehicle)
    and E (short to earth, a fault of its own).
    """
    loaded = 2000 <= high_mv <= 10000 or high_mv == low_mv < -2000
    return loaded and low_mv > LOW_PLATEAU_MV[1]


def duty_u16(amps: float) -> int:
    """Return the duty cycle that offers `amps` (IEC 61851-1 table A.7), rounded down; X1 (no offer) below 6 A.

    More than 80 A is offered as 80 A. Integer arithmetic, because a board's floats have 24 bits.
    """
    if amps < OFFER_MIN_A:
        return X1
    ma = int(min(amps, OFFER_MAX_A) * 1000)
    if ma <= _STEEP_MIN_MA:
        return min(ma, _LINEAR_MAX_MA) * FULL_U16 // 60000
    return (ma + 160000) * FULL_U16 // 250000


def amps(duty_u16: int) -> float:
    """Return the current, A, that a vehicle may draw at this duty cycle (IEC 61851-1 table A.8); 0 for no offer."""
    percent = duty_u16 * 100 / FULL_U16
    if duty_u16 in (F, X1) or percent < 8 or percent > 97:
        return 0  # 3 to 7 %: digital communication, not supported; 7 to 8 %: not allowed
    if percent < 10:
        return OFFER_MIN_A
    if percent <= 85:
        return percent * 0.6
    if percent <= 96:
        return (percent - 64) * 2.5
    return OFFER_MAX_A
