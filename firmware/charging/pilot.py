"""The control pilot of IEC 61851-1, annex A: plateau voltages to states, and currents to PWM duty cycles.

The charge point drives the pilot through 1 kOhm: steady +12 V (x1), 1 kHz PWM between +12 V and -12 V (x2), or steady -12 V
(F). The vehicle loads the positive half-wave only, through a diode: the upper plateau determines the state, and the lower
one stays at -12 V during PWM.
"""

from firmware.charging.io import X1

# Letter of the band, its nominal upper plateau in V, state with a steady pilot and with PWM. IEC 61851-1 table A.2; the
# tolerance is from memory, unverified. A voltage between two bands is not a valid state. The unit is volts, because in a
# frozen image a number above 8,191 in a constant tuple is an object, and so is each sum with it (mp_small_int_fits in
# MicroPython's tools/mpy-tool.py). The right side of `A, B = 1, 10000` is such a tuple too.
BANDS_V = (
    ("A", 12, "A1", "A2"),
    ("B", 9, "B1", "B2"),
    ("C", 6, "C1", "C2"),
    ("D", 3, "D1", "D2"),
    ("E", 0, "E", "E"),
    ("F", -12, "F", "F"),
)
TOLERANCE_MV = 1000  # of the upper plateau
LOWEST_LOW_MV = -13000  # lower plateau of the PWM with the vehicle's diode in place; same source
# Vehicles that other charge points accept are at -10.5 to -10.7 V (esp32-evse issue 49). Without a diode, the plateau is not
# below -9.4 V: the vehicle's 2.74 kOhm + 3 % with the charge point's 1 kOhm - 3 % at -12.6 V.
HIGHEST_LOW_MV = -10000
STEADY_WITHIN_MV = 1000  # plateaus further apart than this are not a steady pilot
HOLD_MV = 1300  # a state holds until its plateau is further than this from its nominal voltage, against noise
_BAND_OF = {state: band for band in BANDS_V for state in band[2:]}

FULL_U16 = 65535
OFFER_MIN_A = 6  # no duty cycle exists for less; a pause is used instead
OFFER_MAX_A = 80
_LINEAR_MAX_MA = 51000  # up to here duty = I / 0.6 A per cent
_STEEP_MIN_MA = 52500  # from here duty = I / 2.5 A per cent + 64; in between, both formulas give 85 %


def read(high_mv: int, low_mv: int, pwm_on: bool) -> str | None:
    """Return the pilot's state, "A1" to "D2", "E" or "F"; None if there is no valid state. `pwm_on`: PWM is driven.

    The state is not valid if a plateau lies between two bands, if the plateaus differ without PWM, or if the lower plateau of
    the PWM is not -12 V. A vehicle without a diode is therefore not read as B2, C2 or D2.
    """
    for band in BANDS_V:
        if -TOLERANCE_MV <= high_mv - band[1] * 1000 <= TOLERANCE_MV:
            return _state(band, high_mv, low_mv, pwm_on)
    return None


def follow(before: str | None, high_mv: int, low_mv: int, pwm_on: bool) -> str | None:
    """Return the state as `read` does, but keep the state `before` while its plateau is within HOLD_MV of the nominal one."""
    band = _BAND_OF.get(before or "")
    if band is None or not -HOLD_MV <= high_mv - band[1] * 1000 <= HOLD_MV:
        return read(high_mv, low_mv, pwm_on)
    return _state(band, high_mv, low_mv, pwm_on)


def _state(band: tuple[str, int, str, str], high_mv: int, low_mv: int, pwm_on: bool) -> str | None:
    """Return the band's state if the lower plateau is valid, else None. In E and F the lower plateau does not matter."""
    if pwm_on:
        return band[3] if LOWEST_LOW_MV <= low_mv <= HIGHEST_LOW_MV or band[0] in "EF" else None
    return band[2] if high_mv - low_mv <= STEADY_WITHIN_MV or band[0] in "EF" else None


def diode_missing(high_mv: int, low_mv: int) -> bool:
    """Return whether the vehicle also loads the negative half-wave, which its diode should block.

    Valid only with a negative half-wave: PWM, or steady -12 V, when both plateaus are the lower one. False for A (no vehicle)
    and E (short to earth, a fault of its own).
    """
    return low_mv > HIGHEST_LOW_MV and (2000 <= high_mv <= 10000 or high_mv == low_mv < -2000)


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
