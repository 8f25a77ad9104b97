"""A unit as an update sees it, and its cloud, for both platforms. The flash is a folder."""

import json
import sys

import firmware.update
from firmware.boards.stock import starter
from firmware.update import installer, slots, updates
from firmware.update.transfer import PIECE_BYTES
from firmware.update.updates import Updates

TURN_MS = 250  # firmware/link/uplink.py, POLL_MS
HOUR_MS = 3600000


def trust(keys):
    """Set the firmware's public keys. It also restores the module that contains them, which another test may have unloaded."""
    sys.modules["firmware.update.installer"] = firmware.update.installer = installer
    installer.KEYS = keys


class Report:
    def __init__(self):
        self.phase, self.contactor, self.faults = "ready", False, ()


class Exchange:
    def __init__(self):
        self.report, self.link_proven, self.worst_ms = Report(), False, 20


class Restarted(Exception):
    """The processor restarted."""


class FakeUnit:
    """Replaces firmware.charge_point.ChargePoint. `told` contains (version, result, why) of each event."""

    def __init__(self, flash, board="virtual"):
        self._flash = flash
        updates.BOARD = board
        self.exchange = Exchange()
        self.now_ms_, self.sequence, self.boot = 0, 0, 7
        self.told = []
        self.updates = self.link = None
        self.wall_clock = self.journal = self

    def now_ms(self):
        self.now_ms_ += 1  # so that no piece of work is endless
        return self.now_ms_

    def next_sequence(self):
        self.sequence += 1
        return self.sequence

    def flash(self):
        return self._flash

    def keep_updates(self, updates):
        self.updates = updates

    def note(self, kind, details):
        if kind != "update":
            raise AssertionError(kind)
        self.told.append((details["v"], details["r"], details["w"]))

    def restart(self):
        raise Restarted


class Cloud:
    """Answers requests for one release. `bend(number, message)` returns the list of messages that arrive instead."""

    def __init__(self, manifest, image, digest, bend=None):
        self._files = manifest, image
        self._digest = digest
        self._bend = bend or (lambda number, message: [message])
        self.asked, self.sent_bytes, self.number = [], 0, 0

    def answer(self, question):
        said = json.loads(question)
        self.asked.append((said["f"], said["o"], said["c"]))
        content = self._files[said["f"]]
        for at in range(said["o"], min(said["o"] + said["c"], len(content)), PIECE_BYTES):
            message = self._digest + bytes((said["f"],)) + at.to_bytes(3, "big") + content[at : at + PIECE_BYTES]
            self.number += 1
            for bent in self._bend(self.number, message):
                self.sent_bytes += len(bent)
                yield bent


def begin(unit, order, started=slots.BUILT_IN):
    """Return the updates of a unit after a start of this slot, or after this command."""
    updates.VERSION = starter.version(unit.flash() + "/" + started) or "0.1.0"
    unit.updates = Updates(unit, started)
    if order:
        unit.updates.take_order(order)
    return unit.updates


def go_on(unit, cloud, hours=4, turn_ms=TURN_MS):
    """Run the link's turns until the unit has nothing to do or restarts. Return whether it restarts."""
    until_ms = unit.now_ms_ + hours * HOUR_MS
    try:
        while unit.now_ms_ < until_ms:
            unit.now_ms_ += turn_ms
            unit.updates.poll()
            if not unit.updates.is_needed():
                return False
            question = unit.updates.question()
            for message in cloud.answer(question) if question else ():
                unit.updates.take(message)
    except Restarted:
        return True
    return False
