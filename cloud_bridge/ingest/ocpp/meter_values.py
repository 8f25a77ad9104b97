"""Read energy, power, current and signal from meter values. Pure.

A sample has a measurand, a phase and a unit. The defaults are the energy register, all phases, and Wh (sections 7.33
and 7.43 of "Open Charge Point Protocol 1.6"). In OCPP 2.0.1 the unit is a separate object with a power of ten
(UnitOfMeasureType). Samples that cannot be read and values that are not plausible for a home are skipped.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from cloud_bridge.ingest.ocpp.fields import items, number, text, time_s, whole
from cloud_bridge.ingest.ocpp.vendors import SIGNAL_MEASURANDS, csq_of_dbm

ENERGY = "energy.active.import.register"
POWER = "power.active.import"
CURRENT, OFFERED, VOLTAGE = "current.import", "current.offered", "voltage"
THOUSANDS = {"": 1, "wh": 1, "kwh": 1000, "w": 1, "kw": 1000, "a": 1, "v": 1, "rssi": 1, "dbm": 1}
TENS = range(-3, 10)  # accepted powers of ten
MAX_WH = 1_000_000_000  # of a register. Zaptec has sent 4,296,944,685 (evcc#29190)
MAX_W = 50_000
NO_W = -100  # a meter may show slightly negative power; it counts as 0
MAX_A = 80


class Reading(NamedTuple):
    """The values at one time, by the charger's clock. A value that was not sent is None."""

    at_s: int | None
    total_wh: int | None = None
    watts: float | None = None
    offered_a: float | None = None
    csq: int | None = None


Samples = dict[str, dict[str, float]]  # by measurand and phase; the phase is "" for the total


def readings(meter_values: Any) -> list[Reading]:
    """Return the readings, in the order of the meter values."""
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
    """Return the energy registers in Wh, in the order of the meter values."""
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
    """Return the factor to the base unit (Wh, W, A, V, dBm), or None if the unit is not known."""
    apart = sample.get("unitOfMeasure")
    said = apart if isinstance(apart, dict) else sample
    factor = THOUSANDS.get((text(said.get("unit")) or "").lower())
    tens = whole(said.get("multiplier")) or 0
    return None if factor is None or tens not in TENS else factor * 10.0**tens


def _csq(samples: Samples) -> int | None:
    told = [samples[name][""] for name in SIGNAL_MEASURANDS if "" in samples.get(name, {})]
    return csq_of_dbm(told[0]) if told else None


def _watts(samples: Samples) -> float | None:
    """Return the measured power, or else the sum of current times voltage over the phases, in W."""
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
    """Return the total as sent, or else the phases combined. Return None if there is no value or it is out of range."""
    if not by_phase:
        return None
    value = by_phase[""] if "" in by_phase else together(list(by_phase.values()))
    return made(value) if lowest <= value <= highest else None
