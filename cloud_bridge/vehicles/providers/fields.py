"""Values of a provider's JSON: of the right type, in a sensible range and short enough for the store, or None."""

from collections.abc import Iterable
from typing import Any

from cloud_bridge.vehicles.providers.provider import Car, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble

LONGEST_TEXT = 100
LONGEST_SENTENCE = 400
FUTURE_MS = 120_000  # a provider's clock may be ahead of ours by so much; more is not believed
KEPT_CARS = 50


def number(value: Any) -> float | None:
    """A number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        return None
    return float(value)


def percent(value: Any) -> float | None:
    """A number from 0 to 100."""
    found = number(value)
    return found if found is not None and found <= 100 else None


def yes_no(value: Any) -> bool | None:
    """A boolean; None for anything else, also for 0 and 1."""
    return value if isinstance(value, bool) else None


def text(value: Any) -> str | None:
    """Printable, not empty, cut to a length that fits a page."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        printable = "".join(letter for letter in str(value) if letter.isprintable()).strip()
    except ValueError:  # a number of more digits than Python writes
        return None
    return printable[:LONGEST_TEXT] or None


def sentence(value: Any) -> str:
    """A text of the provider for the driver, printable and cut to its column; empty if there is none."""
    return (
        "".join(letter for letter in value if letter.isprintable())[:LONGEST_SENTENCE] if isinstance(value, str) else ""
    )


def moment_ms(value: Any, now_ms: int) -> int:
    """A provider's time, UTC in milliseconds since 1970; `now_ms` if it sends none, or one in the future."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= now_ms + FUTURE_MS:
        return now_ms
    return int(value)


def listed(body: dict[str, Any], key: str) -> list[Any]:
    """The list under this key, as far as we keep it. Raises ProviderError: without one nothing is known, and an account
    is not empty."""
    value = body.get(key)
    if not isinstance(value, list):
        raise ProviderError(Trouble.OUTAGE, f"an answer without the list {key!r}")
    return value[:KEPT_CARS]


def items(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none of anything else."""
    return [item for item in value[:KEPT_CARS] if isinstance(item, dict)] if isinstance(value, list) else []


def car(item: dict[str, Any], id_key: str, vin_key: str, name_keys: str | Iterable[str]) -> Car | None:
    """A car needs an id and a VIN; its name may be any of the keys."""
    car_id, vin = text(item.get(id_key)), text(item.get(vin_key))
    if car_id is None or vin is None:
        return None
    keys = [name_keys] if isinstance(name_keys, str) else name_keys
    name = " ".join(part for part in (text(item.get(key)) for key in keys) if part)[:LONGEST_TEXT]
    vin = vin.upper()[:LONGEST_TEXT]  # some letters are longer in upper case
    return Car(car_id, vin, name or f"Vehicle {vin[-4:]}")
