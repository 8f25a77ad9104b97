"""Decides which network to use, from the present state and the records of network_history.py. Pure.

Selection is automatic (COPS=0) until there is a reason to interfere: the modem does not compare networks that are all strong
enough (3GPP TS 23.122), and it does not check whether data can be sent. The rules therefore consider data first, then signal.
A network that is good and not poor is never left. A failing or poor one leads to a survey, and the survey to a switch, each
within its daily budget. While the broker is suspect, the network is not changed.

The scan of an LTE modem reports no signal. With such a modem, a poor network is left for the next surveyed network that is not
measured, on trial. That network is measured while it serves, and kept only if it carries data and is clearly better. Otherwise
the next one is tried, or the unit returns to the trial's origin. The return needs no budget.
"""

from collections import namedtuple

from modem.first_match import first_match
from modem.network_history import BETTER_BY_CSQ
from modem.signal import NO_READING

if False:  # for mypy alone
    from modem.network_history import NetworkHistory, VisibleNetwork

STAY = "stay"
SURVEY = "survey"
SWITCH = "switch"
AUTOMATIC = "automatic"

Decision = namedtuple("Decision", ("do", "plmn", "why"))
# `proven`: a CONNACK was received over this network and the connection is up. `busy`: a charging session uses the link.
Seen = namedtuple("Seen", ("now_s", "plmn", "locked", "proven", "busy"))

TRIAL_SAMPLES = 3  # one a minute, until a network on trial is compared with the one that was left
STRONG_CSQ = 18  # the least CSQ of a network to which the unit switches for its signal alone


def stay_while_nothing_serves(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """Without a serving network there is nothing to compare; the modem searches, and recovery.py acts."""
    return Decision(STAY, None, "no network: recovery acts") if seen.plmn is None else None


def stay_when_the_broker_is_suspect(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """Two networks failed in succession: the broker is the likely cause, not the network."""
    if not known.broker_suspect(seen.now_s):
        return None
    why = "two networks fail, so the broker is suspect"
    return Decision(AUTOMATIC if seen.locked else STAY, seen.plmn, why)


def end_a_trial(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """A network on trial that is not clearly better, once measured, is left for the next one or for its origin.

    A network that is better but still weak is left only for the next one.
    """
    origin = known.origin(seen.now_s, seen.plmn)
    if origin is None:
        return None
    failing = known.is_failing(seen.now_s, seen.plmn)
    score, needed = known.current_score(seen.plmn, origin.plmn), known.score(origin, origin.plmn) + BETTER_BY_CSQ
    better = not failing and score >= needed
    if not failing and (known.samples < TRIAL_SAMPLES or (better and not known.is_weak())):
        return None
    untried = None
    if not failing and not seen.busy and known.may_switch(seen.now_s):
        untried = known.best_other(seen.now_s, seen.plmn, True)
    if better and untried is None:
        return None
    trouble = "passes no data" if failing else "is weak too" if better else "is not better than %s" % origin.plmn
    return Decision(SWITCH, (untried or origin).plmn, "%s was tried and %s" % (seen.plmn, trouble))


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
    """A poor network leads to a survey, within the budget; while a session uses the link, only a failing one does."""
    if known.best_other(seen.now_s, seen.plmn) or not known.may_scan(seen.now_s):
        return None
    if seen.busy and seen.proven and not known.is_failing(seen.now_s, seen.plmn):
        return Decision(STAY, seen.plmn, "poor, but a session uses the link")
    return Decision(SURVEY, seen.plmn, "%s, so look for another" % _trouble(known, seen))


def switch_from_a_failing_network(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """The serving network carries no data, so any usable network is better."""
    best = known.best_other(seen.now_s, seen.plmn)
    if best is None or not known.is_failing(seen.now_s, seen.plmn) or not known.may_switch(seen.now_s):
        return None
    return Decision(SWITCH, best.plmn, "%s passes no data; %s" % (seen.plmn, _signal(known, best)))


def switch_from_a_weak_network(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """The serving network carries data, so the unit changes only to a network that is clearly better, and strong."""
    best = known.best_other(seen.now_s, seen.plmn)
    if best is None or known.is_failing(seen.now_s, seen.plmn) or not known.may_switch(seen.now_s):
        return None
    if (
        seen.busy
        or not STRONG_CSQ <= known.csq_of(best) < NO_READING
        or known.score(best, seen.plmn) < known.current_score(seen.plmn) + BETTER_BY_CSQ
    ):
        return None
    return Decision(SWITCH, best.plmn, "%s is poor; %s" % (seen.plmn, _signal(known, best)))


def try_a_network_that_is_not_measured(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """If the scan reports no signal, a network is measured while it serves, on trial."""
    if seen.busy or known.is_failing(seen.now_s, seen.plmn) or not known.may_switch(seen.now_s):
        return None
    untried = known.best_other(seen.now_s, seen.plmn, True)
    if untried is None:
        return None
    return Decision(SWITCH, untried.plmn, "%s is poor; %s" % (seen.plmn, _signal(known, untried)))


def let_the_modem_choose(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """Manually selected and failing, without a better network: return to automatic selection."""
    if seen.locked and known.is_failing(seen.now_s, seen.plmn):
        return Decision(AUTOMATIC, None, "%s passes no data; let the modem choose" % seen.plmn)
    return None


def stay_for_want_of_better(known: "NetworkHistory", seen: Seen) -> Decision | None:
    """No better network is received: an antenna or a booster would help, a switch would not."""
    return Decision(STAY, seen.plmn, "%s, and none is better" % _trouble(known, seen))


RULES = (
    stay_while_nothing_serves,
    stay_when_the_broker_is_suspect,
    end_a_trial,
    stay_on_what_works,
    stay_until_settled,
    survey_first,
    switch_from_a_failing_network,
    switch_from_a_weak_network,
    try_a_network_that_is_not_measured,
    let_the_modem_choose,
    stay_for_want_of_better,
)


def decide(known: "NetworkHistory", seen: Seen) -> Decision:
    """Return the decision for now. Changes nothing; the caller records the result in the NetworkHistory `known`."""
    return first_match(RULES, known, seen)


def _trouble(known: "NetworkHistory", seen: Seen) -> str:
    return "%s %s" % (seen.plmn, "passes no data" if known.is_failing(seen.now_s, seen.plmn) else "is poor")


def _signal(known: "NetworkHistory", network: "VisibleNetwork") -> str:
    csq = known.csq_of(network)
    return "%s is not measured" % network.plmn if csq == NO_READING else "%s has CSQ %d" % (network.plmn, csq)
