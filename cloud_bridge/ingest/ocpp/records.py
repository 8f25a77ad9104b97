"""Records of OCPP chargers in our own wire format, so that pages, alerts and evidence do not depend on the protocol.
Pure."""

import json
from typing import Any, NamedTuple


class Record(NamedTuple):
    """A message as one of our own units would publish it on `cp/<id>/<kind>`."""

    kind: str
    payload: bytes


def event(kind: str, details: dict[str, Any]) -> Record:
    """Return an event record. Details that are None are left out."""
    told = {key: value for key, value in details.items() if value is not None}
    return Record("event", as_json({"k": kind, "d": told}))


def as_json(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()
