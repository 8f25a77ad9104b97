"""From one burst of samples of the pilot to its two plateaus. Pure.

A burst covers at least five cycles of the 1 kHz PWM at no fixed phase, so it holds samples of both plateaus and a few of the
edges between them. The mean of the three highest and of the three lowest leaves out single spikes (esp32-evse does the same).
"""

KEPT = 3


def plateaus(samples: "list[int]") -> "tuple[int, int]":
    """(upper, lower) of the burst, in the unit of the samples. Sorts `samples` in place, so nothing is allocated."""
    samples.sort()
    return sum(samples[-KEPT:]) // KEPT, sum(samples[:KEPT]) // KEPT


def resistance_ohm(measured_uv: int, supply_uv: int, pull_up_ohm: int, open_ohm: int) -> "int | None":
    """The resistor from the measured point to earth, below a pull-up to the supply; None from `open_ohm` on."""
    if measured_uv >= supply_uv:
        return None
    ohm = pull_up_ohm * measured_uv // (supply_uv - measured_uv)
    return ohm if ohm < open_ohm else None
