"""The current that a pilot's duty cycle offers to a vehicle."""

from firmware.charging.io import X1, F


def amps(duty_u16):
    """Return the current, A, that a vehicle may draw at this duty cycle (IEC 61851-1 table A.8); 0 for no offer."""
    percent = duty_u16 * 100 / 65535
    if duty_u16 in (F, X1) or percent < 8 or percent > 97:
        return 0  # 3 to 7 %: digital communication, not supported; 7 to 8 %: not allowed
    if percent < 10:
        return 6
    if percent <= 85:
        return percent * 0.6
    if percent <= 96:
        return (percent - 64) * 2.5
    return 80
