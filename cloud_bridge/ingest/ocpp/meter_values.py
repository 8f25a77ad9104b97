"""What meter values say, of energy, power, current and signal. Pure.

Each sample is read by its measurand, phase and unit; what is left out means the energy register in Wh, of all phases (section
7.33 and 7.43 of "Open Charge Point Protocol 1.6"). OCPP 2.0.1 has the unit apart, with a power of ten (UnitOfMeasureType). One
sample that cannot be read costs nothing but itself, and what no home can draw is left out.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from cloud_bridge.ingest.ocpp.fields import items, number, text, time_s, whole
from cloud_bridge.ingest.ocpp.vendors import SIGNAL_MEASURANDS, csq_of_dbm

ENERGY = "energy.active.import.register"
POWER = "power.active.import"
CURRENT, OFFERED, VOLTAGE = "current.import", "current.offered", "voltage"
THOUSANDS = {"": 1, "wh": 1, "kwh": 1000, "w": 1, "kw": 1000, "a": 1, "v": 1, "rssi": 1, "dbm": 1}
TENS = range(-3, 10)  # powers that a unit is multiplied with
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
    csq: int | None = None


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
                _csq(samples),
            )
        )
    return found


def registers(meter_values: Any) -> list[int]:
    """The energy registers, in Wh, in the order in which they stand there."""
    return [one.total_wh for one in readings(meter_values) if one.total_wh is not None]


def _samples(sampled: Any) -> Samples:
    found: Samples = {}
    for one in items(sampled):
        measurand = (text(one.get("measurand")) or ENERGY).lower()
        factor = _factor(one)
        value, phase = number(one.get("value")), (text(one.get("phase")) or "").upper()
        if factor is not None and value is not None and phase != "N":
            found.setdefault(measurand, {})[phase[:2]] = value * factor
    return found


def _factor(sample: dict[str, Any]) -> float | None:
    """None for a unit that is not known."""
    apart = sample.get("unitOfMeasure")
    said = apart if isinstance(apart, dict) else sample
    factor = THOUSANDS.get((text(said.get("unit")) or "").lower())
    tens = whole(said.get("multiplier")) or 0
    return None if factor is None or tens not in TENS else factor * 10.0**tens


def _csq(samples: Samples) -> int | None:
    told = [samples[name][""] for name in SIGNAL_MEASURANDS if "" in samples.get(name, {})]
    return csq_of_dbm(told[0]) if told else None


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
