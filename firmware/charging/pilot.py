"""The control pilot of IEC 61851-1: plateau voltages to states, and amperes to the PWM duty that offers them.

The charge point drives the pilot through 1 kOhm: steady +12 V (x1), 1 kHz PWM between +12 V and -12 V (x2), or steady
-12 V (F). The vehicle loads only the positive half, through a diode, so the upper plateau names the state and the lower
one must stay at -12 V while the PWM runs.
"""

from firmware.charging.io import X1, F

# State, lowest and highest upper plateau in mV. IEC 61851-1 table A.2 tolerances, remembered and not read from its text
# (unverified). What lies between two bands is no state at all.
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
HYSTERESIS_MV = 300  # a state holds until its plateau is this far outside its band: noise at an edge does not switch

FULL_U16 = 65535
OFFER_MIN_A = 6  # below this the standard has no duty: pause instead
OFFER_MAX_A = 80
_LINEAR_MAX_MA = 51000  # up to here duty = I / 0.6 A per cent
_STEEP_MIN_MA = 52500  # from here duty = I / 2.5 A per cent + 64; between the two there is no duty, as both say 85 %


def read(high_mv, low_mv, pwm_on):
    """The pilot's state, "A1" to "D2", "E" or "F"; None where the plateaus fit no state.

    None covers a plateau between two bands, a pilot that moves though no PWM is driven, and a PWM whose lower plateau is
    not -12 V: a vehicle without its diode is never read as B2, C2 or D2.
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


def follow(before, high_mv, low_mv, pwm_on):
    """As `read`, with hysteresis: the state `before` holds a little outside its band. Between the bands is still no state."""
    state = read(high_mv, low_mv, pwm_on)
    if state is None and before:
        for name, lowest_mv, highest_mv in BANDS_MV:
            if name == before[0] and lowest_mv - HYSTERESIS_MV <= high_mv <= highest_mv + HYSTERESIS_MV:
                return read(max(lowest_mv, min(high_mv, highest_mv)), low_mv, pwm_on)
    return state


def diode_missing(high_mv, low_mv):
    """True if a vehicle loads the negative half too: something conducts where its diode should block.

    Ask only while there is a negative half: PWM, or steady -12 V, when both plateaus are the lower one. Not said of A
    (nobody there) nor of E (a short to earth has its own fault).
    """
    loaded = 2000 <= high_mv <= 10000 or high_mv == low_mv < -2000
    return loaded and low_mv > LOW_PLATEAU_MV[1]


def duty_u16(amps):
    """The duty that offers `amps`, rounded down, so that never more is offered; X1 (no offer) below 6 A.

    Above 80 A the standard ends: 80 A is offered. Whole-number arithmetic, because a board's floats have 24 bits.
    """
    if amps < OFFER_MIN_A:
        return X1
    ma = int(min(amps, OFFER_MAX_A) * 1000)
    if ma <= _STEEP_MIN_MA:
        return min(ma, _LINEAR_MAX_MA) * FULL_U16 // 60000
    return (ma + 160000) * FULL_U16 // 250000


def amps(duty_u16):
    """What a vehicle may draw at this duty (IEC 61851-1 table A.8); 0 where the duty offers nothing."""
    percent = duty_u16 * 100 / FULL_U16
    if duty_u16 in (F, X1) or percent < 8 or percent > 97:
        return 0  # 3 to 7 % asks for digital communication, which we do not have; 7 to 8 % is an error
    if percent < 10:
        return OFFER_MIN_A
    if percent <= 85:
        return percent * 0.6
    if percent <= 96:
        return (percent - 64) * 2.5
    return OFFER_MAX_A
