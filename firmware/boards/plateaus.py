"""From one burst of samples of the pilot to its two plateaus. Pure.

A burst covers some cycles of the 1 kHz PWM at no fixed phase, so it holds samples of both plateaus and a few of the edges
between them. The mean of the three highest and of the three lowest leaves out single spikes (esp32-evse does the same). So
there must be three of each: of 52 samples, 40 to 60 us each, at least three lie on either plateau for 10 to 90 % of duty
(6 to 63 A), whatever the phase (test_plateaus.py). A shorter lower plateau takes more samples.
Nothing here allocates memory: all numbers are small integers of 31 bits, microvolts up to 3,300,000 and their triples too.
"""


def plateau(first: int, second: int, third: int) -> int:
    """The upper or the lower plateau from the three highest or lowest samples of a burst, in their unit."""
    return (first + second + third) // 3


def resistance_ohm(measured_mv: int, supply_mv: int, pull_up_ohm: int, open_ohm: int) -> "int | None":
    """The resistor from the measured point to earth, below a pull-up to the supply; None from `open_ohm` on."""
    if measured_mv >= supply_mv:
        return None
    ohm = pull_up_ohm * measured_mv // (supply_mv - measured_mv)
    return ohm if ohm < open_ohm else None
