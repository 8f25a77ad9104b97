"""The status light. Red if and only if a fault of the charge point is set.

Loss of the network is not shown in red and does not change the colour: it adds a short white blink every 10 s. A unit that is
not commissioned, and so charges at 6 A, adds two short violet blinks every 5 s, which never coincide with the white one. The
control loop calls `led` in every step, so a light that does not change indicates a stopped loop.
"""

from firmware.charging.faults import NEEDS_PERSON

if False:  # for mypy alone
    from collections.abc import Callable

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 60, 255), (200, 200, 200)
VIOLET = (150, 0, 200)
LINK_BLINK_EVERY_MS = 10000
LINK_BLINK_MS = 150
INSTALLER_BLINKS_EVERY_MS = 5000  # while no installer has commissioned the unit
INSTALLER_BLINKS_FROM_MS, INSTALLER_BLINKS_UNTIL_MS = 2000, 2800  # within these 5 s
INSTALLER_BLINK_MS = 200  # each, and the dark after it

# phase (charging/sequence.py): colour, rhythm
PATTERNS = {
    "idle": (GREEN, "dim"),
    "waiting": (BLUE, "flash"),  # for a schedule, a limit or a retry
    "testing": (BLUE, "steady"),
    "offering": (BLUE, "steady"),  # the vehicle does not request energy yet
    "nudging": (BLUE, "steady"),
    "replugging": (BLUE, "steady"),
    "closing": (BLUE, "steady"),
    "charging": (GREEN, "breathe"),
    "stopping": (BLUE, "flash"),
    "tripped": (BLUE, "flash"),  # these two only in the step in which the last fault clears; otherwise red, see below
    "faulted": (BLUE, "flash"),
}
LATCHED_FAULT = (RED, "steady")  # a person is needed
PASSING_FAULT = (RED, "blink")  # clears itself after its cause


# A cache of the shades that were shown, so that a step of the control loop allocates no memory.
_SHADES: "dict[tuple[int, int, int], dict[int, tuple[int, int, int]]]" = {}


def led(state: str, faults: tuple[str, ...], blink: "tuple[int, int, int] | None", now: int) -> tuple[int, int, int]:
    """Return (red, green, blue), 0..255 each, at `now` ms.

    `state`: phase of sequence.py; `faults`: names of the faults that are set; `blink`: the colour that `blink_now` gives.
    """
    if faults:
        colour, rhythm = _fault_pattern(faults)
    elif blink:
        return blink
    else:
        colour, rhythm = PATTERNS[state]
    return _shade(colour, RHYTHMS[rhythm](now))


def blink_now(link: bool, commissioned: bool, now: int) -> "tuple[int, int, int] | None":
    """Return the colour of a blink that is added at `now` ms, or None. `link`: False without contact with the cloud for longer
    than the grace period (mode.py); `commissioned`: by an installer.
    """
    if not link and now % LINK_BLINK_EVERY_MS < LINK_BLINK_MS:
        return WHITE
    if not commissioned:
        now %= INSTALLER_BLINKS_EVERY_MS
        if (
            INSTALLER_BLINKS_FROM_MS <= now < INSTALLER_BLINKS_UNTIL_MS
            and now % (2 * INSTALLER_BLINK_MS) < INSTALLER_BLINK_MS
        ):
            return VIOLET
    return None


def _fault_pattern(faults: tuple[str, ...]) -> tuple[tuple[int, int, int], str]:
    for name in faults:
        if name in NEEDS_PERSON:
            return LATCHED_FAULT
    return PASSING_FAULT


def _shade(colour: tuple[int, int, int], brightness: int) -> tuple[int, int, int]:
    shades = _SHADES.get(colour)
    if shades is None:
        shades = _SHADES[colour] = {}
    if brightness not in shades:
        shades[brightness] = colour[0] * brightness // 256, colour[1] * brightness // 256, colour[2] * brightness // 256
    return shades[brightness]


def _breathe(now: int) -> int:
    """Brightness from a fifth to full and back in 4 s, in 25 steps."""
    step = now % 4000 // 80
    return 51 + (step if step < 25 else 50 - step) * 205 // 25


# rhythm: time in ms -> brightness in 256ths; never 0, because a dark light indicates a unit without power
RHYTHMS: "dict[str, Callable[[int], int]]" = {
    "steady": lambda now: 256,
    "dim": lambda now: 60,
    "flash": lambda now: 256 if now % 2000 < 200 else 26,
    "blink": lambda now: 256 if now % 1000 < 500 else 64,
    "breathe": _breathe,
}
