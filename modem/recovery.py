"""What to try next when there is no contact: a ladder from the mildest remedy to cutting the supply, with budgets. Pure.

The ladder is climbed by time without proof, not by the number of errors: what one error means nobody knows, and networks
have bad minutes. A modem that answers nothing at all skips it. The ladder is only left after ten minutes of proven contact,
so a remedy that helps for a moment does not start it afresh.

Time is `now_s`, seconds with power since the unit was new, as in roaming.py. [M]: figures proposed, not measured.
"""

from collections import namedtuple

from modem.budget import DAY_S, HOUR_S, recent, times
from modem.rules import first

WAIT = "wait"
CONFIGURE = "configure"  # the modem has booted: its settings are gone
RESHUT = "reshut"  # CIPSHUT: the IP stack from the beginning
REATTACH = "reattach"  # CGATT=0, CGATT=1
LOOK_FOR_FORBIDDEN = "look for forbidden"  # clear the SIM's list of them if it bars every network here; CFUN=4, CFUN=1
RADIO_CYCLE = "radio cycle"  # CFUN=4, ten seconds, CFUN=1
RESTART = "restart"  # CFUN=1,1
SUPPLY_CUT = "supply cut"

Remedy = namedtuple("Remedy", ("do", "why"))
# `answers`: the modem answers AT. `booted`: it restarted by itself. `denied`: the network refused us (stat 3, or a cause).
Trouble = namedtuple("Trouble", ("now_s", "answers", "booted", "registered", "denied", "what"))

# (seconds without contact, remedy). A multi-IMSI SIM needs 3 minutes with power: nothing restarts the modem before that.
LADDER = (
    (60, RESHUT),
    (5 * 60, REATTACH),
    (10 * 60, RADIO_CYCLE),
    (20 * 60, RESTART),
    (30 * 60, SUPPLY_CUT),
)
# After the top of the ladder, so long after the one before; the last for ever.
SUPPLY_CUTS_AFTER_S = (HOUR_S, 2 * HOUR_S, 4 * HOUR_S, 6 * HOUR_S)
CURED_S = 10 * 60

HANG_CUTS_A_DAY = 6
HANG_CUTS_THEN_EVERY_S = HOUR_S
# A SIM without a network is asked for its list then; the list is cleared once a week, for it spares the networks.
FORBIDDEN_AFTER_S = 3 * 60
FORBIDDEN_LOOK_EVERY_S = DAY_S
FORBIDDEN_CLEAR_EVERY_S = 7 * DAY_S
# After a permanent reject at most one reset an hour (u-blox UBX-20050829 p.23, after GSMA TS.34).
DENIED_RESET_EVERY_S = HOUR_S

RESETS = (RADIO_CYCLE, RESTART, SUPPLY_CUT)


class Ladder:
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


def cut_the_supply_of_a_modem_that_is_hung(ladder, trouble):
    """It answers nothing: only its supply can help, and nothing is lost by it. Six times a day, then hourly."""
    if trouble.answers:
        return None
    today = recent(ladder.resets, trouble.now_s)
    if len(today) < HANG_CUTS_A_DAY or trouble.now_s - today[-1] >= HANG_CUTS_THEN_EVERY_S:
        return Remedy(SUPPLY_CUT, "the modem answers nothing")
    return Remedy(WAIT, "the modem answers nothing, and its supply was cut %d times today" % len(today))


def configure_a_modem_that_restarted(ladder, trouble):
    """It has forgotten its settings, and is well otherwise."""
    return Remedy(CONFIGURE, "the modem restarted") if trouble.booted else None


def wait_when_refused(ladder, trouble):
    """A network that refuses us is not to be stormed."""
    if not trouble.denied or not ladder.resets or trouble.now_s - ladder.resets[-1] >= DENIED_RESET_EVERY_S:
        return None
    return Remedy(WAIT, "refused by the network; one reset an hour is allowed")


def look_for_forbidden_networks(ladder, trouble):
    """No network takes us: perhaps only because each refused us once, which the SIM keeps for ever. Once a day."""
    now_s = trouble.now_s
    if trouble.registered or ladder.since_s is None or now_s - ladder.since_s < FORBIDDEN_AFTER_S:
        return None
    if ladder.looks and now_s - ladder.looks[-1] < FORBIDDEN_LOOK_EVERY_S:
        return None
    if ladder.clears and now_s - ladder.clears[-1] < FORBIDDEN_CLEAR_EVERY_S:
        return None
    return Remedy(LOOK_FOR_FORBIDDEN, _without_contact(ladder, trouble))


def climb_the_ladder(ladder, trouble):
    """The next rung, when its time has come."""
    if ladder.since_s is None or ladder.rung >= len(LADDER):
        return None
    after_s, do = LADDER[ladder.rung]
    if trouble.now_s - ladder.since_s < after_s:
        return None
    return Remedy(do, _without_contact(ladder, trouble))


def cut_the_supply_again(ladder, trouble):
    """Beyond the top: rarer and rarer, and for ever."""
    beyond = ladder.rung - len(LADDER)
    if beyond < 0 or ladder.tried_s is None:
        return None
    if trouble.now_s - ladder.tried_s < SUPPLY_CUTS_AFTER_S[min(beyond, len(SUPPLY_CUTS_AFTER_S) - 1)]:
        return None
    return Remedy(SUPPLY_CUT, "%d h without contact: %s" % ((trouble.now_s - ladder.since_s) // HOUR_S, trouble.what))


def try_again(ladder, trouble):
    """Nothing but patience for now."""
    return Remedy(WAIT, trouble.what)


RULES = (
    cut_the_supply_of_a_modem_that_is_hung,
    configure_a_modem_that_restarted,
    wait_when_refused,
    look_for_forbidden_networks,
    climb_the_ladder,
    cut_the_supply_again,
    try_again,
)


def decide(ladder: Ladder, trouble: Trouble) -> Remedy:
    """What to try now. Changes nothing; the caller says `tried`."""
    return first(RULES, ladder, trouble)


def _without_contact(ladder, trouble) -> str:
    return "%d min without contact: %s" % ((trouble.now_s - ladder.since_s) // 60, trouble.what)
