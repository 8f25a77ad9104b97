"""How much current is offered, and who says so. Pure.

Ceilings always rule: the lowest one holds whoever asks for more. A claim is a wish about current or pause, with a
source, a priority by that source, and an expiry; the strongest that has not expired is carried out below the ceilings.
Without a claim the ceilings are offered: a standard charge point.
"""

from collections import namedtuple

from firmware.charging import proximity
from firmware.charging.derating import FULL
from firmware.charging.pilot import OFFER_MIN_A

# source: a ceiling, or a wish. Highest first; the order decides between two that say the same.
CEILING, WISH = "ceiling", "wish"
PRIORITY = (
    ("safety", CEILING),  # a fault is set
    ("ventilation", CEILING),  # state D in a place without it
    ("installer", CEILING),  # of the circuit
    ("cable", CEILING),  # its proximity resistor
    ("temperature", CEILING),  # derating.py
    ("load_manager", CEILING),  # of the house; `fallback_a` while it is not heard
    ("override", WISH),  # the owner, for this session
    ("schedule", WISH),  # the owner's hours, with the random delay
    ("cloud", WISH),  # a command; ends by itself
    ("default", CEILING),  # nobody wishes anything
)
WISHES = tuple(source for source, kind in PRIORITY if kind == WISH)
PAUSE_A = 0
READ_WITHIN_MS = 10000  # the owner's wishes, after a start; the watchdog bites before

# source: one of WISHES, or "load_manager"; amps: PAUSE_A or a current; until_ms: on our own clock, None = until withdrawn;
# why: in words; ends_s: when what it stands for ends, UTC since 1970, None = no end is known. A claim that is renewed has an
# earlier until_ms.
Claim = namedtuple("Claim", "source amps until_ms why ends_s")
Ruling = namedtuple("Ruling", "amps source why ends_s")
NO_READING = Ruling(PAUSE_A, "boot", "no reading yet", None)  # before the first step


def ceilings(inputs, control_state, quarters, claims, now_ms):
    """(source, amps) of every ceiling that there is now."""
    setup = control_state.setup
    found: tuple = (("installer", setup.installer_max_a),)
    if control_state.faults:
        found += (("safety", PAUSE_A),)
    if control_state.band() == "D" and not setup.ventilated:
        found += (("ventilation", PAUSE_A),)
    if not setup.tethered:
        found += (("cable", proximity.rating_a(inputs.proximity_ohm) or PAUSE_A),)
    if quarters < FULL:
        found += (("temperature", max(OFFER_MIN_A, setup.installer_max_a * quarters // FULL)),)
    if setup.fallback_a:
        heard = live(claims, "load_manager", now_ms)
        found += (("load_manager", heard.amps if heard else setup.fallback_a),)
    return found


def rule(found, claims, now_ms):
    """The Ruling: what is offered, 0 = pause; who rules; until when. `found` are the ceilings, (source, amps), at least one.

    A result between 0 and 6 A is a pause: the standard has no such offer (IEC 61851-1 table A.8).
    """
    source, amps = min(found, key=lambda ceiling: ceiling[1])
    why = "the lowest ceiling"
    claim = live(claims, source, now_ms)  # the load manager's
    ends_s = claim.ends_s if claim else None
    for wish in WISHES:
        claim = live(claims, wish, now_ms)
        if claim:
            if claim.amps < amps:
                source, amps, why, ends_s = claim.source, claim.amps, claim.why, claim.ends_s
            break
    return Ruling(amps if amps >= OFFER_MIN_A else PAUSE_A, source, why, ends_s)


def unread(now_ms):
    """The claims of a unit that has just started: its owner may have asked for a pause."""
    return (Claim("schedule", PAUSE_A, now_ms + READ_WITHIN_MS, "the owner's wishes are being read", None),)


def live(claims, source, now_ms):
    """The claim of this source that has not expired, or None."""
    for claim in claims:
        if claim.source == source and (claim.until_ms is None or now_ms < claim.until_ms):
            return claim
    return None
