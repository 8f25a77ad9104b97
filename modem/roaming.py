"""Which network next: what was seen and what is known go in, a decision with its reason comes out. Pure.

The modem chooses by itself (COPS=0) until there is a reason to interfere: it does not compare networks that are all strong
enough, and it does not know that data pass. So data come first, then signal. network_history.py says what good, failing
and poor mean. A network that is good and not poor is never left. A failing or poor one leads to a survey, and the survey
to a switch, each within its daily budget. While the broker is suspect nothing moves.
"""

from collections import namedtuple

from modem.first_match import first_match

STAY = "stay"
SURVEY = "survey"
SWITCH = "switch"
AUTOMATIC = "automatic"

Decision = namedtuple("Decision", ("do", "plmn", "why"))
# `proven`: a CONNACK came over this network and the connection still stands. `busy`: a charging session wants the link.
Seen = namedtuple("Seen", ("now_s", "plmn", "locked", "proven", "busy"))

BETTER_BY_CSQ = 3  # 6 dB
STRONG_CSQ = 18  # for signal alone, only to one that passes with room to spare


def stay_while_nothing_serves(known, seen):
    """Without a network there is nothing to compare; the modem searches, and recovery.py sees to it."""
    return Decision(STAY, None, "no network: recovery's concern") if seen.plmn is None else None


def stay_when_the_broker_is_suspect(known, seen):
    """Two networks failed the same proof: moving on to a third would blame the wrong one."""
    if not known.broker_suspect(seen.now_s):
        return None
    why = "two networks fail, so the broker is suspect"
    return Decision(AUTOMATIC if seen.locked else STAY, seen.plmn, why)


def stay_on_what_works(known, seen):
    """Good data and no weakness: whatever else is on the air, never move."""
    if known.is_failing(seen.now_s, seen.plmn) or known.is_poor(seen.now_s):
        return None
    return Decision(STAY, seen.plmn, "good enough" if seen.proven else "not yet proven")


def stay_until_settled(known, seen):
    """After a switch a network gets time to show what it is, unless it fails outright."""
    if known.is_settling(seen.now_s) and not known.is_failing(seen.now_s, seen.plmn):
        return Decision(STAY, seen.plmn, "switched less than half an hour ago")
    return None


def survey_first(known, seen):
    """A poor network asks for a look around, within the budget; while a session uses the link only if it is failing."""
    if known.best_other(seen.now_s, seen.plmn) or not known.may_scan(seen.now_s):
        return None
    if seen.busy and seen.proven and not known.is_failing(seen.now_s, seen.plmn):
        return Decision(STAY, seen.plmn, "poor, but a session uses the link")
    return Decision(SURVEY, seen.plmn, "%s, so look for another" % _trouble(known, seen))


def switch_from_a_failing_network(known, seen):
    """No data here: any usable network is better."""
    best = known.best_other(seen.now_s, seen.plmn)
    if best is None or not known.is_failing(seen.now_s, seen.plmn) or not known.may_switch(seen.now_s):
        return None
    return Decision(SWITCH, best.plmn, "%s passes no data; %s has CSQ %d" % (seen.plmn, best.plmn, best.csq))


def switch_from_a_weak_network(known, seen):
    """Data pass, but weakly: only to one that is clearly better and strong in itself."""
    best = known.best_other(seen.now_s, seen.plmn)
    if best is None or known.is_failing(seen.now_s, seen.plmn) or not known.may_switch(seen.now_s):
        return None
    if (
        seen.busy
        or best.csq < STRONG_CSQ
        or known.score(best, seen.plmn) < known.current_score(seen.plmn) + BETTER_BY_CSQ
    ):
        return None
    return Decision(SWITCH, best.plmn, "%s is poor; %s has CSQ %d" % (seen.plmn, best.plmn, best.csq))


def let_the_modem_choose(known, seen):
    """Locked on a network that fails, and nowhere better to go: at least do not hold the modem there."""
    if seen.locked and known.is_failing(seen.now_s, seen.plmn):
        return Decision(AUTOMATIC, None, "%s passes no data; let the modem choose" % seen.plmn)
    return None


def stay_for_want_of_better(known, seen):
    """The air has nothing better: an antenna or a booster would help, moving about would not."""
    return Decision(STAY, seen.plmn, "%s, and nothing better is heard" % _trouble(known, seen))


RULES = (
    stay_while_nothing_serves,
    stay_when_the_broker_is_suspect,
    stay_on_what_works,
    stay_until_settled,
    survey_first,
    switch_from_a_failing_network,
    switch_from_a_weak_network,
    let_the_modem_choose,
    stay_for_want_of_better,
)


def decide(known, seen: Seen) -> Decision:
    """What to do now; `known` is a NetworkHistory. Changes nothing; the caller reports back what came of it."""
    return first_match(RULES, known, seen)


def _trouble(known, seen) -> str:
    return "%s %s" % (seen.plmn, "passes no data" if known.is_failing(seen.now_s, seen.plmn) else "is poor")
