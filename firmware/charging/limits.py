"""Determines the current that is offered, and its source. Pure.

The lowest ceiling always applies. A claim requests a current or a pause; it has a source and an expiry. Below the ceilings,
the lowest valid claim applies. `override`, the owner's "charge now", suspends the schedule but no other claim. Without a
claim, the lowest ceiling is offered, as by a charge point without smart functions. README.md lists which requests end others.
"""

from collections import namedtuple

from firmware.charging.derating import FULL
from firmware.charging.pilot import OFFER_MIN_A

if False:  # for mypy alone
    from firmware.charging.control_state import ControlState

# Sources of ceilings and claims; of two equal values the first one is reported.
CEILING, CLAIM = "ceiling", "claim"
PRIORITY = (
    ("safety", CEILING),  # a fault is set
    ("ventilation", CEILING),  # state D at a site without it
    ("contactor", CEILING),  # the contactor was closed too often: contactor_rest.py
    ("vehicle", CEILING),  # the vehicle draws more than a ceiling allows, whatever the offer: excess.py
    ("commissioning", CEILING),  # the unit is not commissioned: 6 A
    ("installer", CEILING),  # rating of the circuit
    ("cable", CEILING),  # rating of the cable, by its proximity resistor
    ("temperature", CEILING),  # derating.py
    ("load_manager", CEILING),  # of the site; `fallback_a` without its messages
    ("override", CLAIM),  # the owner's "charge now", for this session: suspends the schedule
    ("schedule", CLAIM),  # the owner's hours, with the random delay
    ("cloud", CLAIM),  # a limit or a pause by command; expires
    ("default", CEILING),  # no claim
)
CLAIM_SOURCES = tuple(source for source, kind in PRIORITY if kind == CLAIM)
PAUSE_A = 0
READ_WITHIN_MS = 10000  # after a start, the owner's claims are available within this time, or the watchdog resets

# source: one of CLAIM_SOURCES, or "load_manager"; amps: PAUSE_A or a current; until_ms: expiry, uptime, None = until
# withdrawn; why: text for people; ends_s: end of the reason, UTC, None = not known. In a claim that is renewed regularly,
# until_ms is earlier than ends_s.
Claim = namedtuple("Claim", "source amps until_ms why ends_s")
Ruling = namedtuple("Ruling", "amps source why ends_s")
# The values that the cloud receives. also: sources of the other claims that apply; delay_s: remaining random delay
InForce = namedtuple("InForce", "ruling also delay_s")
NO_READING = Ruling(PAUSE_A, "boot", "no reading yet", None)  # before the first step


def ceilings(
    control_state: "ControlState", quarters: int, claims: tuple[Claim, ...], now_ms: int
) -> tuple[tuple[str, float], ...]:
    """Return (source, amps) of all ceilings that apply. `quarters`: that of derating.py; `now_ms`: uptime."""
    setup = control_state.setup
    source = "installer" if setup.commissioned else "commissioning"
    found: tuple[tuple[str, float], ...] = ((source, setup.installer_max_a),)
    if control_state.faults:
        found += (("safety", PAUSE_A),)
    if control_state.band == "D" and not setup.ventilated:
        found += (("ventilation", PAUSE_A),)
    if control_state.contactor_rests:
        found += (("contactor", PAUSE_A),)
    if control_state.vehicle_pauses:
        found += (("vehicle", PAUSE_A),)
    if not setup.tethered:
        found += (("cable", control_state.cable_a or PAUSE_A),)
    if quarters < FULL:
        found += (("temperature", max(OFFER_MIN_A, setup.installer_max_a * quarters // FULL)),)
    if setup.fallback_a:
        claim = live(claims, "load_manager", now_ms)
        found += (("load_manager", claim.amps if claim else setup.fallback_a),)
    return found


def rule(found: tuple[tuple[str, float], ...], claims: tuple[Claim, ...], now_ms: int) -> Ruling:
    """Return the Ruling: current, 0 = pause, source, reason and end. `found`: the ceilings, at least one.

    A current below 6 A is a pause: IEC 61851-1 table A.8 has no duty cycle for it.
    """
    source, amps = min(found, key=lambda ceiling: ceiling[1])
    why = "the lowest ceiling"
    claim = live(claims, source, now_ms)  # a valid one exists only if the source is the load manager
    ends_s = claim.ends_s if claim else None
    for claim in applying(claims, now_ms):
        if claim.amps < amps:
            source, amps, why, ends_s = claim.source, claim.amps, claim.why, claim.ends_s
    return Ruling(amps if amps >= OFFER_MIN_A else PAUSE_A, source, why, ends_s)


def applying(claims: tuple[Claim, ...], now_ms: int) -> tuple[Claim, ...]:
    """Return the valid claims in the order of PRIORITY, without the schedule while there is an override."""
    found: tuple[Claim, ...] = ()
    for source in CLAIM_SOURCES:
        claim = live(claims, source, now_ms)
        if claim and not (source == "schedule" and found):
            found += (claim,)
    return found


def in_force(ruling: Ruling, claims: tuple[Claim, ...], delay_s: int, now_ms: int) -> InForce:
    """Return the InForce of a ruling that was made from `claims`."""
    also = tuple(claim.source for claim in applying(claims, now_ms) if claim.source != ruling.source)
    return InForce(ruling, also, delay_s)


def unread(now_ms: int) -> tuple[Claim, ...]:
    """Return the claims after a start: a pause, until the owner's claims are available."""
    return (Claim("schedule", PAUSE_A, now_ms + READ_WITHIN_MS, "the owner's wishes are being read", None),)


def live(claims: tuple[Claim, ...], source: str, now_ms: int) -> Claim | None:
    """Return the valid claim of this source, or None."""
    for claim in claims:
        if claim.source == source and (claim.until_ms is None or now_ms < claim.until_ms):
            return claim
    return None


def expiry_ms(claims: tuple[Claim, ...], now_ms: int) -> int:
    """Return the uptime at which the next of the claims expires, limited to one hour from now."""
    first_ms = now_ms + 3600000
    for claim in claims:
        if claim.until_ms is not None and now_ms < claim.until_ms < first_ms:
            first_ms = claim.until_ms
    return first_ms
