"""Both ends of the line protocol that a bench's instrument uses (bench.md)."""

from collections.abc import Callable
from typing import Any

from hil_tests.rig.contract import Reading, VehicleReading


class Misunderstood(Exception):
    """A line does not follow the instrument's protocol. The text says what is wrong with it."""


def written(reading: Reading) -> list[str]:
    """Return the lines that answer `read`."""
    vehicle = reading.vehicle
    return [
        f"pilot_mv {_spaced(reading.pilot_mv)}",
        f"duty_percent {reading.duty_percent:g}",
        f"contactor {_word(reading.contactor, 'closed', 'open')}",
        f"light {_spaced(reading.led)}",
        f"power_w {reading.power_w}",
        f"current_ma {round(1000 * vehicle.current_a)}",
        f"plug {_word(vehicle.plugged, 'in', 'out')}",
        f"s2 {_word(vehicle.s2_closed, 'closed', 'open')}",
        f"rail {_word(reading.rail, 'on', 'off')}",
        f"mains {_word(reading.mains, 'on', 'off')}",
        f"enclosure {_word(reading.tamper, 'open', 'shut')}",
        f"faults {','.join(reading.faults) or '-'}",
    ]


def read(lines: list[str]) -> Reading:
    """Parse the answer to `read`. A value that the instrument does not send keeps its default. Raises Misunderstood."""
    said: dict[str, Any] = {}
    vehicle: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(" ")
        if name not in READ:
            continue  # an instrument may send more names than these
        field, meaning = READ[name]
        try:
            (vehicle if name in OF_THE_VEHICLE else said)[field] = meaning(value)
        except ValueError:
            raise Misunderstood(f"the instrument said {line!r}") from None
    return Reading(vehicle=VehicleReading(**vehicle), **said)


def _spaced(numbers: tuple[int, ...]) -> str:
    return " ".join(str(number) for number in numbers)


def _word(on: bool, yes: str, no: str) -> str:
    return yes if on else no


def _either(yes: str, no: str) -> Callable[[str], bool]:
    def meaning(value: str) -> bool:
        if value not in (yes, no):
            raise ValueError(value)
        return value == yes

    return meaning


def _numbers(count: int) -> Callable[[str], tuple[int, ...]]:
    def meaning(value: str) -> tuple[int, ...]:
        numbers = tuple(int(word) for word in value.split())
        if len(numbers) != count:
            raise ValueError(value)
        return numbers

    return meaning


OF_THE_VEHICLE = ("plug", "s2", "current_ma")
READ: dict[str, tuple[str, Callable[[str], Any]]] = {  # name: (field, how to parse its value)
    "pilot_mv": ("pilot_mv", _numbers(2)),
    "duty_percent": ("duty_percent", float),
    "contactor": ("contactor", _either("closed", "open")),
    "light": ("led", _numbers(3)),
    "power_w": ("power_w", int),
    "current_ma": ("current_a", lambda value: int(value) / 1000),
    "plug": ("plugged", _either("in", "out")),
    "s2": ("s2_closed", _either("closed", "open")),
    "rail": ("rail", _either("on", "off")),
    "mains": ("mains", _either("on", "off")),
    "enclosure": ("tamper", _either("open", "shut")),
    "faults": ("faults", lambda value: () if value == "-" else tuple(value.split(","))),
}
