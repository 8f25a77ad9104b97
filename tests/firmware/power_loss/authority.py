"""`micropython authority.py`: cut the power at every point of a change of the authority.

After each cut, the unit must trust what it trusted before the change or what it trusts after it. If the second authority was
being written, it may also trust the present one alone.
"""

import gc
import hashlib
import sys

import vfs

from firmware.storage import authority_change
from firmware.storage.authority import Authority
from tests.firmware.power_loss.chip import Chip, leftovers
from tests.firmware.power_loss.scenario import FOLDER, mount


def certificate(body_bytes, letter):
    """Return a fake certificate: DER begins with the length."""
    return b"\x30\x82" + body_bytes.to_bytes(2, "big") + letter * body_bytes


PRESENT, MISTAKE, NEXT = (
    certificate(311, b"p"),
    certificate(1224, b"m"),
    certificate(1224, b"n"),
)  # EC, RSA with 4,096 bits
STEPS = (
    (lambda unit: authority_change.keep_next(unit, MISTAKE), [PRESENT, MISTAKE]),
    (lambda unit: authority_change.keep_next(unit, NEXT), [PRESENT, NEXT]),
    (lambda unit: authority_change.put_first(unit, hashlib.sha256(NEXT).digest()), [NEXT, PRESENT]),
    (lambda unit: authority_change.keep_only(unit, hashlib.sha256(NEXT).digest()), [NEXT]),
)


def play():
    """Return (log of the chip, [(length of the log when a step began, and when it ended)])."""
    chip = Chip()
    mount(chip)
    authority = Authority(FOLDER)
    authority.entered = PRESENT
    authority_change.keep(authority)
    spans = []
    for step, _ in STEPS:
        begun = len(chip.log)
        step(authority)
        spans.append((begun, len(chip.log)))
    vfs.umount(FOLDER)
    return chip.log, spans


def allowed(number, whole, spans):
    """Return what may be trusted if the log is cut at `number`, and everything before `whole` is on the flash."""
    states = [[PRESENT]] + [state for _, state in STEPS]
    done = sum(1 for _, end in spans if end <= whole)
    begun = sum(1 for start, _ in spans if start < number)
    return states[done : begun + 1] + [[PRESENT]] * (begun <= 2)


def main():
    log, spans = play()
    cuts = failed = 0
    for number, how, image in leftovers(log):
        if number <= spans[0][0]:
            continue
        cuts += 1
        mount(Chip(image))
        trusted = Authority(FOLDER).certificates()
        if trusted not in allowed(number, number - {"whole": 0, "half": 1, "swapped": 2}[how], spans):
            failed += 1
            print("cut at %d (%s): %r" % (number, how, [(len(der), der[4:5]) for der in trusted]))
        gc.collect()
    print("%d changes on the flash, %d cuts, %d failed" % (len(log), cuts, failed))
    return 1 if failed or not cuts else 0


sys.exit(main())
