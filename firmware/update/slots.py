"""What becomes of a slot, as the product sees it: the other half of boards/stock/starter.py, which has the record's fields.

The starter goes back by itself; the product says what it has installed, and that it is well.
"""

import os

from firmware.storage import record_file

if False:  # for mypy alone
    from typing import Any

RECORD = "/slots"
BUILT_IN = "built_in"
SLOTS = ("a", "b")
TRIAL, GOOD, SETTLED = "trial", "good", "settled"

# (state, what happened) -> state of the active slot. What is not here is a mistake of ours.
TABLE = {
    ("trial", "proved"): "good",
    ("good", "lived"): "settled",
    ("good", "installed"): "trial",  # another one, in the other slot
    ("settled", "installed"): "trial",
}


def load(flash: str) -> "dict[str, Any]":
    """The record; of a unit that has never been updated what it would be."""
    stored = record_file.load(flash + RECORD)
    if isinstance(stored, dict):
        return stored
    return {"active": BUILT_IN, "before": BUILT_IN, "state": SETTLED, "strikes": 0, "why": None, "tell": []}


def after(record: "dict[str, Any]", event: str, version: str) -> "dict[str, Any]":
    """The record after `event`, "proved" or "lived", of the version that runs. Raises KeyError if that cannot happen now."""
    tell = record["tell"] + ([[version, "good", None]] if event == "proved" else [])
    return _changed(record, state=TABLE[record["state"], event], strikes=0, tell=tell)


def installed(record: "dict[str, Any]", slot: str, version: str) -> "dict[str, Any]":
    """The record that makes `slot` the active one, on trial; its first start tells so. Raises KeyError while another one is
    on trial.
    """
    state = TABLE[record["state"], "installed"]
    tell = record["tell"] + [[version, "installed", None], [version, "trial", None]]
    fresh = _changed(record, active=slot, before=record["active"], state=state, strikes=0, why=None, tell=tell)
    if fresh.get("bad") == slot:
        del fresh["bad"]  # that was what it held before
    return fresh


def emptied(record: "dict[str, Any]", slot: str) -> "dict[str, Any]":
    """The record that does not need `slot` any more, so that it may be written to."""
    return _changed(record, before=BUILT_IN) if record["before"] == slot else record


def blamed(record: "dict[str, Any]", why: str) -> "dict[str, Any]":
    """The record with a reason for which the next start counts a strike."""
    return _changed(record, why=why)


def told(record: "dict[str, Any]") -> "dict[str, Any]":
    """The record with nothing left to tell."""
    return _changed(record, tell=[])


def save(flash: str, record: "dict[str, Any]") -> None:
    """Raises OSError if the flash fails."""
    record_file.save(flash + RECORD, record)


def free(active: str) -> str:
    """The slot that an update may be written to."""
    return SLOTS[1] if active == SLOTS[0] else SLOTS[0]


def erase(folder: str) -> None:
    """Remove all files of a slot, the product first: without it nothing starts from there. Raises OSError."""
    try:
        names = os.listdir(folder)
    except OSError:
        return  # it is not there
    for name in sorted(names, reverse=True):
        os.remove(folder + "/" + name)


def _changed(record: "dict[str, Any]", **values: object) -> "dict[str, Any]":
    fresh = dict(record)
    fresh.update(values)
    return fresh
