"""How much current is offered, and who says so. Pure.

Ceilings always rule: the lowest one holds whoever asks for more. A claim is a wish about current or pause, with a
source, a priority by that source, and an expiry; the highest claim that has not expired is carried out below the
ceilings. Without a claim the ceilings are offered: a standard charge point.
"""

from collections import namedtuple

from firmware.charging.pilot import OFFER_MIN_A

# Highest first.
PRIORITY = ("override", "schedule", "cloud")
PAUSE_A = 0

# source: one of PRIORITY; amps: PAUSE_A or a current; until_ms: on our own clock, None = until withdrawn; why: in words
Claim = namedtuple("Claim", "source amps until_ms why")
Ruling = namedtuple("Ruling", "amps source why")


def rule(ceilings, claims, now_ms):
    """Ruling(amps, source, why): what is offered, 0 = pause. `ceilings` are (name, amps) pairs, at least one.

    A result between 0 and 6 A is a pause: the standard has no such offer (IEC 61851-1 table A.8).
    """
    ceiling_name, ceiling_a = min(ceilings, key=lambda ceiling: ceiling[1])
    claim = _strongest(claims, now_ms)
    if claim is None or claim.amps >= ceiling_a:
        amps, source, why = ceiling_a, ceiling_name, "the lowest ceiling"
    else:
        amps, source, why = claim.amps, claim.source, claim.why
    if amps < OFFER_MIN_A:
        return Ruling(PAUSE_A, source, why)
    return Ruling(amps, source, why)


def _strongest(claims, now_ms):
    for source in PRIORITY:
        for claim in claims:
            if claim.source == source and (claim.until_ms is None or now_ms < claim.until_ms):
                return claim
    return None
