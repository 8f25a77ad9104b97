"""What MeterValues say, of energy, power and current. Pure.

Each sample is read by its measurand, phase and unit; what is left out means the energy register in Wh, of all phases (section
7.33 and 7.43 of "Open Charge Point Protocol 1.6"). One sample that cannot be read costs nothing but itself, and what no home
can draw is left out.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from cloud_bridge.ingest.ocpp.fields import items, number, text, time_s

ENERGY = "energy.active.import.register"
POWER = "power.active.import"
CURRENT, OFFERED, VOLTAGE = "current.import", "current.offered", "voltage"
THOUSANDS = {"": 1, "wh": 1, "kwh": 1000, "w": 1, "kw": 1000, "a": 1, "v": 1}
MAX_WH = 1_000_000_000  # of a register: a home in a thousand years. Zaptec has sent 4,296,944,685 (evcc#29190)
MAX_W = 50_000
NO_W = -100  # of a meter that shows a little less than nothing
MAX_A = 80


class Reading(NamedTuple):
    """At one time, by the clock of the charge point; None where it does not tell."""

    at_s: int | None
    total_wh: int | None = None
    watts: float | None = None
    offered_a: float | None = None


Samples = dict[str, dict[str, float]]  # by measurand and phase; the phase is empty for all of them


def readings(meter_values: Any) -> list[Reading]:
    """In the order in which they stand there."""
    found = []
    for one in items(meter_values):
        samples = _samples(one.get("sampledValue"))
        found.append(
            Reading(
                time_s(one.get("timestamp")),
                _within(samples.get(ENERGY), sum, 0, MAX_WH, round),
                _watts(samples),
                _within(samples.get(OFFERED), max, 0, MAX_A, float),
            )
        )
    return found


def _samples(sampled: Any) -> Samples:
    found: Samples = {}
    for one in items(sampled):
        measurand = (text(one.get("measurand")) or ENERGY).lower()
        factor = THOUSANDS.get((text(one.get("unit")) or "").lower())
        value, phase = number(one.get("value")), (text(one.get("phase")) or "").upper()
        if factor is not None and value is not None and phase != "N":
            found.setdefault(measurand, {})[phase[:2]] = value * factor
    return found


def _watts(samples: Samples) -> float | None:
    """As measured, or else current times voltage, phase by phase."""
    told: float | None = _within(samples.get(POWER), sum, NO_W, MAX_W, float)
    if told is not None:
        return max(0.0, told)
    amps, volts = samples.get(CURRENT, {}), samples.get(VOLTAGE, {})
    phases = [phase for phase in amps if phase in volts and (phase or len(amps) == 1)]
    product: float = sum(amps[phase] * volts[phase] for phase in phases)
    return product if phases and 0 <= product <= MAX_W else None


def _within(
    by_phase: dict[str, float] | None,
    together: Callable[[list[float]], float],
    lowest: float,
    highest: float,
    made: Callable[[float], Any],
) -> Any:
    """Of all phases as it was told, or else of them together; None where it is not told, or cannot be true."""
    if not by_phase:
        return None
    value = by_phase[""] if "" in by_phase else together(list(by_phase.values()))
    return made(value) if lowest <= value <= highest else None
