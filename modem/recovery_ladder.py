"""The ladder of remedies, from the mildest to cutting the supply, and where on it we are. Pure; recovery.py climbs it.

It is only left after ten minutes of proven contact, so a remedy that helps for a moment does not start it afresh. Time is
`now_s`, seconds with power since the unit was new, as in network_history.py. [M]: figures proposed, not measured.
"""

from modem.budget import recent, times

WAIT = "wait"
CONFIGURE = "configure"  # the modem has booted: its settings are gone
RESHUT = "reshut"  # CIPSHUT: the IP stack from the beginning
REATTACH = "reattach"  # CGATT=0, CGATT=1
LOOK_FOR_FORBIDDEN = "look for forbidden"  # clear the SIM's list of them if it bars every network here; CFUN=4, CFUN=1
RADIO_CYCLE = "radio cycle"  # CFUN=4, ten seconds, CFUN=1
RESTART = "restart"  # CFUN=1,1
SUPPLY_CUT = "supply cut"

# (seconds without contact, remedy). A multi-IMSI SIM needs 3 minutes with power: nothing restarts the modem before that.
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
    """Where on the ladder we are. `stored` is a dict for flash, made by `to_store`."""

    def __init__(self, stored=None):
        stored = stored if isinstance(stored, dict) else {}
        self.resets = times(stored.get("resets"))
        self.looks = times(stored.get("looks"))  # at the SIM's forbidden list; the last one
        self.clears = times(stored.get("clears"))  # of it; the last one
        self.rung = 0  # the next one to try
        self.since_s = None  # without contact
        self.proved_since_s = None
        self.tried_s = None  # the last rung

    def to_store(self) -> dict:
        """For flash. Changes with each reset of the modem, and at most once a day."""
        return {"resets": self.resets, "looks": self.looks, "clears": self.clears}

    def proved(self, now_s: int):
        """There is contact. Called again while it lasts."""
        if self.proved_since_s is None:
            self.proved_since_s = now_s
        if now_s - self.proved_since_s >= CURED_S:
            self.rung = 0
            self.since_s = self.tried_s = None

    def lost(self, now_s: int):
        """There is none, now."""
        if self.proved_since_s is not None and now_s - self.proved_since_s >= CURED_S:
            self.rung = 0
            self.since_s = self.tried_s = None
        self.proved_since_s = None
        if self.since_s is None:
            self.since_s = now_s

    def tried(self, now_s: int, do: str):
        """A remedy was carried out."""
        if do in RESETS:
            self.resets = recent(self.resets, now_s) + [now_s]
        if do == LOOK_FOR_FORBIDDEN:
            self.looks = [now_s]
        if do in (WAIT, CONFIGURE, LOOK_FOR_FORBIDDEN):
            return
        while self.rung < len(LADDER) and LADDER[self.rung][1] != do:
            self.rung += 1  # a cut because of a hang has done what the rungs below would have
        self.rung += 1
        self.tried_s = now_s

    def cleared(self, now_s: int):
        """The SIM's forbidden list was cleared, which switches the radio off and on."""
        self.clears = [now_s]
        self.resets = recent(self.resets, now_s) + [now_s]
