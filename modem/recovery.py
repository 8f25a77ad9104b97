"""Decides the next recovery action when there is no contact: rules over recovery_ladder.py, with budgets. Pure.

The escalation follows the time without contact, not the number of errors, because single errors are ambiguous and networks
have short disturbances. A modem that does not answer is power-cycled at once.
"""

from collections import namedtuple

from modem.budget import DAY_S, HOUR_S, recent
from modem.first_match import first_match
from modem.recovery_ladder import CONFIGURE, LADDER, LOOK_FOR_FORBIDDEN, SUPPLY_CUT, WAIT, RecoveryLadder

Remedy = namedtuple("Remedy", ("do", "why"))
# `answers`: the modem answers AT. `booted`: it restarted by itself. `denied`: the network rejected the unit (stat 3, or a
# cause). `what`: the trouble, as text for people.
Trouble = namedtuple("Trouble", ("now_s", "answers", "booted", "registered", "denied", "what"))

# After the last step: the time from one power cycle to the next; the last one repeats.
SUPPLY_CUTS_AFTER_S = (HOUR_S, 2 * HOUR_S, 4 * HOUR_S, 6 * HOUR_S)

HANG_CUTS_A_DAY = 6
HANG_CUTS_THEN_EVERY_S = HOUR_S
# EF_FPLMN is read after this time without registration, and cleared at most once a week, since it protects the networks.
FORBIDDEN_AFTER_S = 3 * 60
FORBIDDEN_LOOK_EVERY_S = DAY_S
FORBIDDEN_CLEAR_EVERY_S = 7 * DAY_S
# After a permanent reject at most one reset an hour (u-blox UBX-20050829 p.23, after GSMA TS.34).
DENIED_RESET_EVERY_S = HOUR_S


def cut_the_supply_of_a_modem_that_is_hung(ladder: RecoveryLadder, trouble: Trouble) -> Remedy | None:
    """Without an answer only a power cycle can help, and nothing is lost by it. Six times a day, then hourly."""
    if trouble.answers:
        return None
    today = recent(ladder.resets, trouble.now_s)
    if len(today) < HANG_CUTS_A_DAY or trouble.now_s - today[-1] >= HANG_CUTS_THEN_EVERY_S:
        return Remedy(SUPPLY_CUT, "the modem does not answer")
    return Remedy(WAIT, "the modem does not answer; supply cut %d times today" % len(today))


def configure_a_modem_that_restarted(ladder: RecoveryLadder, trouble: Trouble) -> Remedy | None:
    """A restarted modem has lost its settings, but works."""
    return Remedy(CONFIGURE, "the modem restarted") if trouble.booted else None


def wait_when_refused(ladder: RecoveryLadder, trouble: Trouble) -> Remedy | None:
    """A network that rejects the unit must not be flooded with attempts."""
    if not trouble.denied or not ladder.resets or trouble.now_s - ladder.resets[-1] >= DENIED_RESET_EVERY_S:
        return None
    return Remedy(WAIT, "refused by the network; one reset an hour is allowed")


def look_for_forbidden_networks(ladder: RecoveryLadder, trouble: Trouble) -> Remedy | None:
    """No network registers the unit: the SIM may list all of them as forbidden, after earlier rejects. Once a day."""
    now_s = trouble.now_s
    if trouble.registered or ladder.since_s is None or now_s - ladder.since_s < FORBIDDEN_AFTER_S:
        return None
    if ladder.looks and now_s - ladder.looks[-1] < FORBIDDEN_LOOK_EVERY_S:
        return None
    if ladder.clears and now_s - ladder.clears[-1] < FORBIDDEN_CLEAR_EVERY_S:
        return None
    return Remedy(LOOK_FOR_FORBIDDEN, _without_contact(ladder, trouble))


def climb_the_ladder(ladder: RecoveryLadder, trouble: Trouble) -> Remedy | None:
    """The next step of the escalation, when its time without contact is reached."""
    if ladder.since_s is None or ladder.rung >= len(LADDER):
        return None
    after_s, do = LADDER[ladder.rung]
    if trouble.now_s - ladder.since_s < after_s:
        return None
    return Remedy(do, _without_contact(ladder, trouble))


def cut_the_supply_again(ladder: RecoveryLadder, trouble: Trouble) -> Remedy | None:
    """After the last step, at increasing intervals, without end."""
    beyond = ladder.rung - len(LADDER)
    if beyond < 0 or ladder.tried_s is None:
        return None
    if trouble.now_s - ladder.tried_s < SUPPLY_CUTS_AFTER_S[min(beyond, len(SUPPLY_CUTS_AFTER_S) - 1)]:
        return None
    return Remedy(SUPPLY_CUT, "%d h without contact: %s" % ((trouble.now_s - ladder.since_s) // HOUR_S, trouble.what))


def try_again(ladder: RecoveryLadder, trouble: Trouble) -> Remedy | None:
    """No action is due."""
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


def decide(ladder: RecoveryLadder, trouble: Trouble) -> Remedy:
    """Return the recovery action to carry out now. Changes nothing; the caller records it with RecoveryLadder.tried."""
    return first_match(RULES, ladder, trouble)


def _without_contact(ladder: RecoveryLadder, trouble: Trouble) -> str:
    return "%d min without contact: %s" % ((trouble.now_s - ladder.since_s) // 60, trouble.what)
