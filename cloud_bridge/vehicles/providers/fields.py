"""Values from a provider's JSON: of the right type, in a plausible range and short enough for the store, or None."""

from collections.abc import Iterable
from typing import Any

from cloud_bridge.vehicles.providers.provider import Car, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble

LONGEST_TEXT = 100
LONGEST_SENTENCE = 400
FUTURE_MS = 120_000  # a provider's clock may be ahead of ours by this much; later times are not believed
KEPT_CARS = 50


def number(value: Any) -> float | None:
    """Return a number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        return None
    return float(value)


def percent(value: Any) -> float | None:
    """Return a number from 0 to 100."""
    found = number(value)
    return found if found is not None and found <= 100 else None


def yes_no(value: Any) -> bool | None:
    """Return a boolean. Return None for anything else, including 0 and 1."""
    return value if isinstance(value, bool) else None


def text(value: Any) -> str | None:
    """Return a printable, non-empty text, shortened to fit a page."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        printable = "".join(letter for letter in str(value) if letter.isprintable()).strip()
    except ValueError:  # a number with more digits than Python converts
        return None
    return printable[:LONGEST_TEXT] or None


def sentence(value: Any) -> str:
    """Return the provider's text for the driver, printable and shortened to its column; empty if there is none."""
    return (
        "".join(letter for letter in value if letter.isprintable())[:LONGEST_SENTENCE] if isinstance(value, str) else ""
    )


def moment_ms(value: Any, now_ms: int) -> int:
    """Return a provider's time, in UTC milliseconds since 1970. Return `now_ms` if it sent none, or one in the future."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= now_ms + FUTURE_MS:
        return now_ms
    return int(value)


def listed(body: dict[str, Any], key: str) -> list[Any]:
    """Return the first KEPT_CARS entries of the list under this key. Raises ProviderError if there is no list, because that
    does not mean an empty account."""
    value = body.get(key)
    if not isinstance(value, list):
        raise ProviderError(Trouble.OUTAGE, f"an answer without the list {key!r}")
    return value[:KEPT_CARS]


def items(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list; none for anything else."""
    return [item for item in value[:KEPT_CARS] if isinstance(item, dict)] if isinstance(value, list) else []


def car(item: dict[str, Any], id_key: str, vin_key: str, name_keys: str | Iterable[str]) -> Car | None:
    """Return a car, which needs an id and a VIN. Its name consists of the values of `name_keys`."""
    car_id, vin = text(item.get(id_key)), text(item.get(vin_key))
    if car_id is None or vin is None:
        return None
    keys = [name_keys] if isinstance(name_keys, str) else name_keys
    name = " ".join(part for part in (text(item.get(key)) for key in keys) if part)[:LONGEST_TEXT]
    vin = vin.upper()[:LONGEST_TEXT]  # some letters become longer in upper case
    return Car(car_id, vin, name or f"Vehicle {vin[-4:]}")
