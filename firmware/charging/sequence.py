"""The charging sequence of IEC 61851-1 annex A: a table of phases and events, and what each phase does to the wires.

Theory of operation. The pilot's reading (pilot.py), the faults (faults.py) and the limits (limits.py) are turned into
events; the table says which phase follows; the phase says how the pilot is driven and whether the contactor is closed.
The contactor is closed in one phase alone. An event that a phase does not know is a mistake of ours and raises.

    idle      no vehicle                                  A1
    waiting   vehicle there, nothing offered              B1, C1
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
    "offering": (PWM, False),
    "closing": (PWM, False),
    "charging": (PWM, True),
    "stopping": (STEADY, True),
    "tripped": (NOT_AVAILABLE, False),
    "faulted": (STEADY, False),
}

# phase -> event -> next phase. "plugged" and "unplugged" are the vehicle's plug; "ready" and "paused" its switch S2
# (C and B); "allowed" and "withdrawn" our own offer.
TABLE = {
    "idle": {"plugged": "waiting", "fault": "tripped"},
    "waiting": {"unplugged": "idle", "allowed": "offering", "fault": "tripped"},
    "offering": {"unplugged": "idle", "withdrawn": "waiting", "ready": "closing", "fault": "tripped"},
    "closing": {
        "unplugged": "idle",
        "withdrawn": "waiting",
        "paused": "offering",
        "settled": "charging",
        "fault": "tripped",
    },
    "charging": {
        "unplugged": "idle",  # sequence 2.1, 2.2: open at once
        "paused": "offering",  # sequence 7, 8: open within 100 ms
        "withdrawn": "stopping",
        "fault": "tripped",
    },
    "stopping": {
        "unplugged": "idle",
        "paused": "waiting",
        "idling": "waiting",  # the vehicle draws less than 1 A: opening is gentle now
        "expired": "waiting",  # sequence 10.2: 6 s are over, open under load
        "fault": "tripped",
    },
    "tripped": {"shown": "faulted"},
    "faulted": {"cleared": "idle"},
}

VEHICLE = ("B", "C", "D")  # the pilot's bands with a vehicle on the cable

SETTLE_MS = 300  # C must hold this long before the contactor closes (SmartEVSE #40 uses 500)
STOP_MS = 6000  # sequence 10.2, IEC 61851-1 table A.6
SHOW_F_MS = 300  # F lasts at least this long on a fault; EVerest `state_F_after_fault_ms`
IDLE_MA = 1000  # less than this is no load worth waiting for


class UnknownEvent(Exception):
    """The table has no such event in this phase; the message names both."""


def follow(phase, event):
    """The phase after `event`."""
    try:
        return TABLE[phase][event]
    except KeyError:
        raise UnknownEvent("phase %s knows no event %s" % (phase, event)) from None


def event(phase, elapsed_ms, state, fault, offered_a, current_ma):
    """What happened to `phase`, which began `elapsed_ms` ago, or None: faults first, then the plug, then the rest.

    `state` is pilot.read(): None (no state) opens a closed contactor as B would, because in doubt the contactor is open.
    """
    if phase == "tripped":
        return "shown" if elapsed_ms >= SHOW_F_MS else None
    if phase == "faulted":
        return None if fault else "cleared"
    if fault:
        return "fault"
    band = state[0] if state else None
    if phase == "idle":
        return "plugged" if band in VEHICLE else None
    if band == "A":
        return "unplugged"
    return _EVENTS[phase](elapsed_ms, band, offered_a, current_ma)


_READY = ("C", "D")  # D is refused by a fault where there is no ventilation, so here it counts as C


def _waiting(elapsed_ms, band, offered_a, current_ma):
    return "allowed" if offered_a and band in VEHICLE else None


def _offering(elapsed_ms, band, offered_a, current_ma):
    if not offered_a:
        return "withdrawn"
    return "ready" if band in _READY else None


def _closing(elapsed_ms, band, offered_a, current_ma):
    if not offered_a:
        return "withdrawn"
    if band not in _READY:
        return "paused"
    return "settled" if elapsed_ms >= SETTLE_MS else None


def _charging(elapsed_ms, band, offered_a, current_ma):
    if band not in _READY:
        return "paused"
    return None if offered_a else "withdrawn"


def _stopping(elapsed_ms, band, offered_a, current_ma):
    if band not in _READY:
        return "paused"
    if current_ma < IDLE_MA:
        return "idling"
    return "expired" if elapsed_ms >= STOP_MS else None


_EVENTS = {
    "waiting": _waiting,
    "offering": _offering,
    "closing": _closing,
    "charging": _charging,
    "stopping": _stopping,
}
