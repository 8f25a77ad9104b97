"""Random frames made from those of chargers: a value is replaced, a key is missing, the text is cut, or it is no frame."""

import json
import random
from collections.abc import Sequence
from enum import Enum
from typing import Any

VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**53,
    2**64,
    1.5,
    1e308,
    "",
    "x" * 300,
    "\x00",
    "é\ud800",
    [],
    {},
    [[]],
    {"a": {"b": []}},
)


def bent(rng: random.Random, samples: Sequence[list[Any]]) -> str | bytes:
    """Return one random frame."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(200))
    frame = _bent(rng, _plain(rng.choice(samples)))
    text = json.dumps(frame)
    if rng.random() < 0.1:
        text = text[: rng.randrange(len(text) + 1)]
    if rng.random() < 0.05:
        text = text.replace('"', "'", 1)
    return text


def _bent(rng: random.Random, value: Any) -> Any:
    if rng.random() < 0.08:
        return rng.choice(VALUES)
    if isinstance(value, list):
        return [_bent(rng, one) for one in value if rng.random() > 0.03]
    if isinstance(value, dict):
        return {name: _bent(rng, one) for name, one in value.items() if rng.random() > 0.05}
    return value


def _plain(value: Any) -> Any:
    """Replace the values that a charger fills in."""
    if isinstance(value, Enum):
        return 1
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return "b" if value is None else value
