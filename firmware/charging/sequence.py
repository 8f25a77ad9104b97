"""The charging sequence of IEC 61851-1 annex A: a table of phases and events, and the outputs of each phase.

Theory of operation: The pilot's state (pilot.py), the faults (faults.py) and the limits (limits.py) are converted to events.
The table defines the next phase. The phase determines the pilot output and the contactor. The contactor is closed in only two
phases. An event that is not in the table of the phase is a programming error and raises UnknownEvent.

    idle      no vehicle                                        A1
    waiting   vehicle connected, no current offered             B1, C1
    testing   self-test of the residual current sensor          B1, C1
    offering  current offered, no energy requested              B2
    nudging   offer withdrawn briefly, to wake the vehicle      B1
    replugging  state F briefly, to simulate replugging         F
    closing   energy requested, contactor about to close        C2   (sequence 4: within 3 s)
    charging  contactor closed                                  C2
    stopping  offer withdrawn, vehicle requested to stop        C1   (sequence 10.2: within 6 s)
    tripped   fault, signalled to the vehicle as state F        F    (300 ms)
    faulted   fault, pilot steady to detect unplugging
"""

if False:  # for mypy alone
    from firmware.charging.control_state import ControlState
    from firmware.charging.io import Inputs

# Pilot output and contactor, by phase.
STEADY, PWM, NOT_AVAILABLE = "X1", "X2", "F"
DRIVES = {
    "idle": (STEADY, False),
    "waiting": (STEADY, False),
    "testing": (STEADY, False),
    "offering": (PWM, False),
    "nudging": (STEADY, False),
    "replugging": (NOT_AVAILABLE, False),
    "closing": (PWM, False),
    "charging": (PWM, True),
    "stopping": (STEADY, True),
    "tripped": (NOT_AVAILABLE, False),
    "faulted": (STEADY, False),
}

# phase -> event -> next phase. "plugged" and "unplugged": the vehicle's plug; "energy_requested" and "energy_stopped": its
# switch S2 (C and B); "offer_available" and "offer_withdrawn": the unit's offer. Sequence numbers: IEC 61851-1 table A.6.
TABLE = {
    "idle": {
        "plugged": "waiting",  # sequence 1.1 (to B), 1.2 (straight to C)
        "selftest_due": "testing",  # requested by a person
        "fault": "tripped",
    },
    "waiting": {
        "unplugged": "idle",  # sequence 2.1
        "selftest_due": "testing",  # once per session, before the first closing
        "offer_available": "offering",  # X1 to X2
        "fault": "tripped",
    },
    "testing": {
        "selftest_done": "waiting",
        "fault": "tripped",
    },
    "offering": {
        "unplugged": "idle",  # sequence 2.1
        "offer_withdrawn": "waiting",  # X2 to X1
        "energy_requested": "closing",  # sequence 4
        "asleep": "nudging",  # 30 s without a request after a new offer
        "fast_asleep": "replugging",  # 30 s more
        "fault": "tripped",
    },
    "nudging": {
        "unplugged": "idle",  # sequence 2.1
        "nudged": "offering",  # X1 to X2
        "fault": "tripped",
    },
    "replugging": {
        "replugged": "offering",  # F to X2
        "fault": "tripped",
    },
    "closing": {
        "unplugged": "idle",  # sequence 2.2
        "offer_withdrawn": "waiting",  # X2 to X1
        "energy_stopped": "offering",  # sequence 7
        "debounced": "charging",  # sequence 4: within 3 s
        "fault": "tripped",
    },
    "charging": {
        "unplugged": "idle",  # sequence 2.2: open at once
        "energy_stopped": "offering",  # sequence 7, 8.1: open within 100 ms
        "offer_withdrawn": "stopping",  # X2 to X1
        "fault": "tripped",
    },
    "stopping": {
        "unplugged": "idle",  # sequence 2.2
        "energy_stopped": "waiting",  # sequence 8.2
        "low_current": "waiting",  # the vehicle draws less than 1 A, open without load
        "stop_timeout": "waiting",  # sequence 10.2: 6 s are over, open under load
        "fault": "tripped",
    },
    "tripped": {
        "fault_signalled": "faulted",  # F to X1, to detect unplugging
    },
    "faulted": {
        "faults_cleared": "idle",
        "diode_recheck": "tripped",  # a diode is detected in state F only
    },
}

VEHICLE = ("B", "C", "D")  # the pilot's bands with a vehicle on the cable

SETTLE_MS = 600  # state C must persist for this time before the contactor closes; SmartEVSE-3.5 #40: 320 to 480 ms
STOP_MS = 6000  # sequence 10.2
STATE_F_MS = 300  # minimum duration of state F on a fault; EVerest `state_F_after_fault_ms`
# A vehicle that waited long for an offer may sleep. EVerest EvseManager: legacy wake-up after 30 s, T_step_X1, T_step_EF.
ASLEEP_MS = 30000
NUDGE_MS = 3000
REPLUG_MS = 4000
WAKE_UPS = 2  # for each new offer: a nudge, then a replug
DIODE_RECHECK_MS = 2000  # between two checks of a missing diode
LOW_CURRENT_MA = 1000  # below this the contactor opens before STOP_MS


class UnknownEvent(Exception):
    """The table of this phase does not contain the event; the message names both."""


def follow(phase: str, event: str) -> str:
    """Return the next phase. Raises UnknownEvent."""
    try:
        return TABLE[phase][event]
    except KeyError:
        raise UnknownEvent("phase %s has no event %s" % (phase, event)) from None


def event(phase: str, elapsed_ms: int, inputs: "Inputs", control_state: "ControlState") -> str | None:
    """Return the event for `phase`, entered `elapsed_ms` ago, or None. Order: faults, unplugging, others.

    A pilot without a valid state opens a closed contactor, as state B does, at the third such reading (controller.py).
    """
    if phase == "tripped":
        return "fault_signalled" if elapsed_ms >= STATE_F_MS else None
    if phase == "faulted":
        if not control_state.faults:
            return "faults_cleared"
        return "diode_recheck" if control_state.diode_missing and elapsed_ms >= DIODE_RECHECK_MS else None
    if control_state.faults:
        return "fault"
    if control_state.band == "A" and "unplugged" in TABLE[phase]:
        return "unplugged"
    return _EVENTS[phase](elapsed_ms, inputs, control_state)


def _idle(elapsed_ms: int, inputs: "Inputs", control_state: "ControlState") -> str | None:
    if control_state.rcd_test == "requested":
        return "selftest_due"
    return "plugged" if control_state.band in VEHICLE else None


def _waiting(elapsed_ms: int, inputs: "Inputs", control_state: "ControlState") -> str | None:
    if control_state.rcd_test == "requested":
        return "selftest_due"
    if not control_state.ruling_a or control_state.offer_rests or control_state.band not in VEHICLE:
        return None
    return "offer_available" if control_state.rcd_test == "passed" else "selftest_due"


def _testing(elapsed_ms: int, inputs: "Inputs", control_state: "ControlState") -> str | None:
    if control_state.rcd_test in ("tripping", "releasing", "failed"):
        return None
    return "selftest_done"  # or aborted by unplugging


def _offering(elapsed_ms: int, inputs: "Inputs", control_state: "ControlState") -> str | None:
    if not control_state.ruling_a:
        return "offer_withdrawn"
    if control_state.ready():
        return "energy_requested"
    if elapsed_ms < ASLEEP_MS or not control_state.wake_ups:
        return None
    return "asleep" if control_state.wake_ups == WAKE_UPS else "fast_asleep"


def _nudging(elapsed_ms: int, inputs: "Inputs", control_state: "ControlState") -> str | None:
    return "nudged" if elapsed_ms >= NUDGE_MS else None


def _replugging(elapsed_ms: int, inputs: "Inputs", control_state: "ControlState") -> str | None:
    return "replugged" if elapsed_ms >= REPLUG_MS else None


def _closing(elapsed_ms: int, inputs: "Inputs", control_state: "ControlState") -> str | None:
    if not control_state.ruling_a:
        return "offer_withdrawn"
    if not control_state.ready():
        return "energy_stopped"
    return "debounced" if elapsed_ms >= SETTLE_MS and not control_state.unsure else None


def _charging(elapsed_ms: int, inputs: "Inputs", control_state: "ControlState") -> str | None:
    if not control_state.ready():
        return "energy_stopped"
    return None if control_state.ruling_a else "offer_withdrawn"


def _stopping(elapsed_ms: int, inputs: "Inputs", control_state: "ControlState") -> str | None:
    if not control_state.ready():
        return "energy_stopped"
    if inputs.current_ma < LOW_CURRENT_MA:
        return "low_current"
    return "stop_timeout" if elapsed_ms >= STOP_MS else None


_EVENTS = {
    "idle": _idle,
    "waiting": _waiting,
    "testing": _testing,
    "offering": _offering,
    "nudging": _nudging,
    "replugging": _replugging,
    "closing": _closing,
    "charging": _charging,
    "stopping": _stopping,
}
