"""The escalation of recovery actions, from the mildest to a power cycle, and the current step. Pure; recovery.py decides.

Contact is an acknowledged message; it ends the time without contact. Contact resets the escalation only from ten minutes after
the last action, so that an action which helps only briefly does not restart it. Time is `now_s`, seconds of operation since
the unit was new, as in network_history.py. [M]: figures proposed, not measured.
"""

from modem.budget import recent, times

WAIT = "wait"
CONFIGURE = "configure"  # the modem restarted: its volatile settings are lost
RESHUT = "reshut"  # close all connections and the PDP context
REATTACH = "reattach"  # CGATT=0, CGATT=1
LOOK_FOR_FORBIDDEN = "look for forbidden"  # clear EF_FPLMN if it bars every network that is received; CFUN=4, CFUN=1
RADIO_CYCLE = "radio cycle"  # CFUN=4, ten seconds, CFUN=1
RESTART = "restart"  # CFUN=1,1
SUPPLY_CUT = "supply cut"

# (seconds without contact, remedy). A multi-IMSI SIM needs 3 minutes with power, so nothing restarts the modem before that.
LADDER = (
    (60, RESHUT),
    (5 * 60, REATTACH),
    (10 * 60, RADIO_CYCLE),
    (20 * 60, RESTART),
    (30 * 60, SUPPLY_CUT),
)
CURED_S = 10 * 60

RESETS = (RADIO_CYCLE, RESTART, SUPPLY_CUT)


class RecoveryLadder:
    """The current step. `stored`: the value of `to_store`, as read from flash; invalid entries are ignored."""

    def __init__(self, stored: object = None) -> None:
        stored = stored if isinstance(stored, dict) else {}
        self.resets = times(stored.get("resets"))
        self.looks = times(stored.get("looks"))  # time of the last reading of EF_FPLMN
        self.clears = times(stored.get("clears"))  # time of the last clearing of EF_FPLMN
        self.rung = 0  # index in LADDER of the next step; beyond its end for repeated power cycles
        self.since_s: int | None = None  # start of the time without contact; None with contact
        self.tried_s: int | None = None  # time of the last step

    def to_store(self) -> dict[str, list[int]]:
        """Return the value to store in flash. It changes with each reset of the modem, and otherwise at most once a day."""
        return {"resets": self.resets, "looks": self.looks, "clears": self.clears}

    def contact(self, now_s: int) -> None:
        """Record an acknowledged message."""
        self.since_s = None
        if self.tried_s is None or now_s - self.tried_s >= CURED_S:
            self.rung = 0
            self.tried_s = None

    def lost(self, now_s: int) -> None:
        """Record that there is no contact."""
        if self.since_s is None:
            self.since_s = now_s

    def tried(self, now_s: int, do: str) -> None:
        """Record that remedy `do` was carried out."""
        if do in RESETS:
            self.resets = recent(self.resets, now_s) + [now_s]
        if do == LOOK_FOR_FORBIDDEN:
            self.looks = [now_s]
        if do in (WAIT, CONFIGURE, LOOK_FOR_FORBIDDEN):
            return
        while self.rung < len(LADDER) and LADDER[self.rung][1] != do:
            self.rung += 1  # a power cycle includes the steps below it
        self.rung += 1
        self.tried_s = now_s

    def cleared(self, now_s: int) -> None:
        """Record that EF_FPLMN was cleared, which includes a radio cycle."""
        self.clears = [now_s]
        self.resets = recent(self.resets, now_s) + [now_s]
