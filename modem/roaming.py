"""Decides which network to use, from the present state and the records of network_history.py. Pure.

Selection is automatic (COPS=0) until there is a reason to interfere: the modem does not compare networks that are all strong
enough (3GPP TS 23.122), and it does not know whether data can be sent. So data come first, then signal. A network that is good
and not poor is never left. A failing or poor one leads to a survey, and the survey to a switch, each within its daily budget.
While the broker is suspect, the network is not changed.
"""

from collections import namedtuple

from modem.first_match import first_match

if False:  # for mypy alone
    from modem.network_history import NetworkHistory

STAY = "stay"
SURVEY = "survey"
SWITCH = "switch"
AUTOMATIC = "automatic"

Decision = namedtuple("Decision", ("do", "plmn", "why"))
# `proven`: a CONNACK was received over this network and the connection is up. `busy`: a charging session uses the link.
Seen = namedtuple("Seen", ("now_s", "plmn", "locked", "proven", "busy"))

BETTER_BY_CSQ = 3  # 6 dB
STRONG_CSQ = 18  # of a network to which the unit switches for its signal alone


def stay_while_nothing_serves(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """Without a serving network there is nothing to compare; the modem searches, and recovery.py acts."""
    return Decision(STAY, None, "no network: recovery's concern") if seen.plmn is None else None


def stay_when_the_broker_is_suspect(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """Two networks failed in succession: the broker is the likely cause, not the network."""
    if not known.broker_suspect(seen.now_s):
        return None
    why = "two networks fail, so the broker is suspect"
    return Decision(AUTOMATIC if seen.locked else STAY, seen.plmn, why)


def stay_on_what_works(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """A network that carries data and is not poor is never left, whatever others are received."""
    if known.is_failing(seen.now_s, seen.plmn) or known.is_poor(seen.now_s):
        return None
    return Decision(STAY, seen.plmn, "good enough" if seen.proven else "not yet proven")


def stay_until_settled(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """After a switch, the new network is kept for half an hour, unless it is failing."""
    if known.is_settling(seen.now_s) and not known.is_failing(seen.now_s, seen.plmn):
        return Decision(STAY, seen.plmn, "switched less than half an hour ago")
    return None


def survey_first(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """A poor network leads to a survey, within the budget; while a session uses the link only if it is failing."""
    if known.best_other(seen.now_s, seen.plmn) or not known.may_scan(seen.now_s):
        return None
    if seen.busy and seen.proven and not known.is_failing(seen.now_s, seen.plmn):
        return Decision(STAY, seen.plmn, "poor, but a session uses the link")
    return Decision(SURVEY, seen.plmn, "%s, so look for another" % _trouble(known, seen))


def switch_from_a_failing_network(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """It carries no data: any usable network is better."""
    best = known.best_other(seen.now_s, seen.plmn)
    if best is None or not known.is_failing(seen.now_s, seen.plmn) or not known.may_switch(seen.now_s):
        return None
    return Decision(SWITCH, best.plmn, "%s passes no data; %s has CSQ %d" % (seen.plmn, best.plmn, best.csq))


def switch_from_a_weak_network(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """It carries data: only to a network that is clearly better, and strong."""
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


def let_the_modem_choose(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """Manually selected and failing, without a better network: return to automatic selection."""
    if seen.locked and known.is_failing(seen.now_s, seen.plmn):
        return Decision(AUTOMATIC, None, "%s passes no data; let the modem choose" % seen.plmn)
    return None


def stay_for_want_of_better(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """No better network is received: an antenna or a booster would help, a switch would not."""
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


def decide(known: "NetworkHistory", seen: Seen) -> Decision:
    """Return the decision for now. Changes nothing; the caller records the result in the NetworkHistory `known`."""
    return first_match(RULES, known, seen)


def _trouble(known: "NetworkHistory", seen: Seen) -> str:
    return "%s %s" % (seen.plmn, "passes no data" if known.is_failing(seen.now_s, seen.plmn) else "is poor")
