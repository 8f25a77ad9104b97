"""The product's changes to the record of the slots. boards/stock/starter.py is the counterpart, and describes the fields.

The starter rolls back by itself. The product records that it has installed an update, and that it runs well.
"""

import os

from firmware.storage import record_file

if False:  # for mypy alone
    from typing import Any

RECORD = "/slots"
BUILT_IN = "built_in"
SLOTS = ("a", "b")
TRIAL, GOOD, SETTLED = "trial", "good", "settled"

# (state, event) -> next state of the active slot. Any other pair is a programming error.
TABLE = {
    ("trial", "proved"): "good",
    ("good", "lived"): "settled",
    ("good", "installed"): "trial",  # another version, in the other slot
    ("settled", "installed"): "trial",
}


def load(flash: str) -> "dict[str, Any]":
    """Return the record; the initial one for a unit that has never been updated."""
    stored = record_file.load(flash + RECORD)
    if isinstance(stored, dict):
        return stored
    return {"active": BUILT_IN, "before": BUILT_IN, "state": SETTLED, "strikes": 0, "why": None, "tell": []}


def after(record: "dict[str, Any]", event: str, version: str) -> "dict[str, Any]":
    """Return the record after `event`, "proved" or "lived", of the running `version`. Raises KeyError if TABLE excludes it."""
    tell = record["tell"] + ([[version, "good", None]] if event == "proved" else [])
    return _changed(record, state=TABLE[record["state"], event], strikes=0, tell=tell)


def installed(record: "dict[str, Any]", slot: str, version: str) -> "dict[str, Any]":
    """Return the record that makes `slot` active, on trial, with the events to report after its start. Raises KeyError while
    another version is on trial.
    """
    state = TABLE[record["state"], "installed"]
    tell = record["tell"] + [[version, "installed", None], [version, "trial", None]]
    fresh = _changed(record, active=slot, before=record["active"], state=state, strikes=0, why=None, tell=tell)
    if fresh.get("bad") == slot:
        del fresh["bad"]  # it referred to the slot's previous content
    return fresh


def emptied(record: "dict[str, Any]", slot: str) -> "dict[str, Any]":
    """Return the record without `slot` as the one to roll back to, so that the slot may be overwritten."""
    return _changed(record, before=BUILT_IN) if record["before"] == slot else record


def blamed(record: "dict[str, Any]", why: str) -> "dict[str, Any]":
    """Return the record with a reason for which the next start counts a strike."""
    return _changed(record, why=why)


def told(record: "dict[str, Any]") -> "dict[str, Any]":
    """Return the record without events to report."""
    return _changed(record, tell=[])


def save(flash: str, record: "dict[str, Any]") -> None:
    """Store the record. Raises OSError if the flash fails."""
    record_file.save(flash + RECORD, record)


def free(active: str) -> str:
    """Return the slot that an update may be written to: the one that is not active."""
    return SLOTS[1] if active == SLOTS[0] else SLOTS[0]


def erase(folder: str) -> None:
    """Remove all files of a slot, the product first, without which nothing is started from the slot. Raises OSError."""
    try:
        names = os.listdir(folder)
    except OSError:
        return  # there is no such folder
    for name in sorted(names, reverse=True):
        os.remove(folder + "/" + name)


def _changed(record: "dict[str, Any]", **values: object) -> "dict[str, Any]":
    fresh = dict(record)
    fresh.update(values)
    return fresh
