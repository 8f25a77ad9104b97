"""The charging sequence of IEC 61851-1 annex A: a table of phases and events, and what each phase does to the wires.

Theory of operation. The pilot's reading (pilot.py), the faults (faults.py) and the limits (limits.py) are turned into
events; the table says which phase follows; the phase says how the pilot is driven and whether the contactor is closed.
The contactor is closed in two phases alone. An event that a phase does not know is a mistake of ours and raises.

    idle      no vehicle                                  A1
    waiting   vehicle there, nothing offered              B1, C1
    testing   residual current sensor tests itself        B1, C1
    offering  current offered, vehicle not ready          B2
    closing   vehicle ready, contactor about to close     C2   (sequence 4: within 3 s)
    charging  contactor closed                            C2
    stopping  offer withdrawn, vehicle asked to stop      C1   (sequence 10.2: it has 6 s)
    tripped   a fault, shown to the vehicle as F          F    (300 ms)
    faulted   a fault, pilot steady so that an unplug is seen
"""

# Driven pilot and contactor, by phase.
STEADY, PWM, NOT_AVAILABLE = "X1", "X2", "F"
DRIVES = {
    "idle": (STEADY, False),
    "waiting": (STEADY, False),
    "testing": (STEADY, False),
    "offering": (PWM, False),
    "closing": (PWM, False),
    "charging": (PWM, True),
    "stopping": (STEADY, True),
    "tripped": (NOT_AVAILABLE, False),
    "faulted": (STEADY, False),
}

# phase -> event -> next phase. "plugged" and "unplugged" are the vehicle's plug; "ready" and "paused" its switch S2
# (C and B); "allowed" and "withdrawn" our own offer. Sequence numbers are those of IEC 61851-1 table A.6.
TABLE = {
    "idle": {
        "plugged": "waiting",  # sequence 1.1 (to B), 1.2 (straight to C)
        "untested": "testing",  # a person asked for the self-test
        "fault": "tripped",
    },
    "waiting": {
        "unplugged": "idle",  # sequence 2.1
        "untested": "testing",  # once a session, before the vehicle relies on the sensor
        "allowed": "offering",  # X1 to X2
        "fault": "tripped",
    },
    "testing": {
        "tested": "waiting",
        "fault": "tripped",
    },
    "offering": {
        "unplugged": "idle",  # sequence 2.1
        "withdrawn": "waiting",  # X2 to X1
        "ready": "closing",  # sequence 4
        "fault": "tripped",
    },
    "closing": {
        "unplugged": "idle",  # sequence 2.2
        "withdrawn": "waiting",  # X2 to X1
        "paused": "offering",  # sequence 7
        "settled": "charging",  # sequence 4: within 3 s
        "fault": "tripped",
    },
    "charging": {
        "unplugged": "idle",  # sequence 2.2: open at once
        "paused": "offering",  # sequence 7, 8.1: open within 100 ms
        "withdrawn": "stopping",  # X2 to X1
        "fault": "tripped",
    },
    "stopping": {
        "unplugged": "idle",  # sequence 2.2
        "paused": "waiting",  # sequence 8.2
        "idling": "waiting",  # the vehicle draws less than 1 A: opening is gentle now
        "expired": "waiting",  # sequence 10.2: 6 s are over, open under load
        "fault": "tripped",
    },
    "tripped": {
        "shown": "faulted",  # F to X1, so that an unplug can be seen
    },
    "faulted": {
        "cleared": "idle",
        "unproven": "tripped",  # F loads the vehicle's diode: only so is a mended one seen
    },
}

VEHICLE = ("B", "C", "D")  # the pilot's bands with a vehicle on the cable

SETTLE_MS = 300  # C must hold this long before the contactor closes (SmartEVSE #40 uses 500)
STOP_MS = 6000  # sequence 10.2
SHOW_F_MS = 300  # F lasts at least this long on a fault; EVerest `state_F_after_fault_ms`
PROVE_MS = 2000  # between two looks at a diode that was missing
IDLE_MA = 1000  # less than this is no load worth waiting for


class UnknownEvent(Exception):
    """The table has no such event in this phase; the message names both."""


def follow(phase, event):
    """The phase after `event`."""
    try:
        return TABLE[phase][event]
    except KeyError:
        raise UnknownEvent("phase %s knows no event %s" % (phase, event)) from None


def event(phase, elapsed_ms, inputs, control_state):
    """What happened to `phase`, which began `elapsed_ms` ago, or None: faults first, then the plug, then the rest.

    A pilot without a state opens a closed contactor as B would, because in doubt the contactor is open.
    """
    if phase == "tripped":
        return "shown" if elapsed_ms >= SHOW_F_MS else None
    if phase == "faulted":
        if not control_state.faults:
            return "cleared"
        return "unproven" if control_state.diode_missing and elapsed_ms >= PROVE_MS else None
    if control_state.faults:
        return "fault"
    if control_state.band() == "A" and "unplugged" in TABLE[phase]:
        return "unplugged"
    return _EVENTS[phase](elapsed_ms, inputs, control_state)


def _idle(elapsed_ms, inputs, control_state):
    if control_state.rcd_test == "wanted":
        return "untested"
    return "plugged" if control_state.band() in VEHICLE else None


def _waiting(elapsed_ms, inputs, control_state):
    if control_state.rcd_test == "wanted":
        return "untested"
    if not control_state.ruling_a or control_state.offer_rests or control_state.band() not in VEHICLE:
        return None
    return "allowed" if control_state.rcd_test == "passed" else "untested"


def _testing(elapsed_ms, inputs, control_state):
    return (
        None if control_state.rcd_test in ("tripping", "releasing", "failed") else "tested"
    )  # or broken off by an unplug


def _offering(elapsed_ms, inputs, control_state):
    if not control_state.ruling_a:
        return "withdrawn"
    return "ready" if control_state.ready() else None


def _closing(elapsed_ms, inputs, control_state):
    if not control_state.ruling_a:
        return "withdrawn"
    if not control_state.ready():
        return "paused"
    return "settled" if elapsed_ms >= SETTLE_MS else None


def _charging(elapsed_ms, inputs, control_state):
    if not control_state.ready():
        return "paused"
    return None if control_state.ruling_a else "withdrawn"


def _stopping(elapsed_ms, inputs, control_state):
    if not control_state.ready():
        return "paused"
    if inputs.current_ma < IDLE_MA:
        return "idling"
    return "expired" if elapsed_ms >= STOP_MS else None


_EVENTS = {
    "idle": _idle,
    "waiting": _waiting,
    "testing": _testing,
    "offering": _offering,
    "closing": _closing,
    "charging": _charging,
    "stopping": _stopping,
}
