"""What is stored of a charger that speaks OCPP: messages of our own wire format. Pure.

So pages, alerts and evidence need not know by which protocol a unit speaks.
"""

import json
from typing import Any, NamedTuple


class Record(NamedTuple):
    """As a message of one of our own units on `cp/<id>/<kind>`."""

    kind: str
    payload: bytes


def event(kind: str, details: dict[str, Any]) -> Record:
    """Without the details that are None."""
    told = {key: value for key, value in details.items() if value is not None}
    return Record("event", as_json({"k": kind, "d": told}))


def as_json(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()
