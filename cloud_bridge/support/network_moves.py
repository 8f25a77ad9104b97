"""What a charge point did about its mobile network, and why, according to its events."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from cloud_bridge.store.readable import Rows
from cloud_bridge.support.unit_events import unit_events
from cloud_bridge.values import NO_CSQ
from cloud_bridge.words import gettext as _

HEARD = "heard"  # our name for the event with the result of a scan


class Move(NamedTuple):
    at_ms: int  # by the unit's clock, or when it was received
    do: str  # the unit's word for a decision of its roaming or a remedy of its recovery; or HEARD
    operator: str | None  # PLMN digits, if it is about one network
    why: str  # in the unit's words, which contain PLMN digits


def network_moves(events: Iterable[dict[str, Any]]) -> Rows[Move]:
    """Return the moves in the rows of store/history.py's `unit_events`, in their order."""
    read = unit_events(events, ("network", "networks"))
    found: Rows[Move] = Rows(unreadable=read.unreadable)
    for at_ms, kind, details in read:
        if kind == "networks":
            found.append(Move(at_ms, HEARD, None, _strengths(details)))
        elif isinstance(details.get("do"), str):
            operator, why = details.get("o"), details.get("why")
            found.append(Move(at_ms, details["do"], operator and str(operator), str(why or "")))
    return found


def _strengths(details: dict[str, Any]) -> str:
    """Format {"23415": 22}, the best cell of each network by CSQ: the strongest first, unmeasured networks last."""
    heard = sorted((csq == NO_CSQ, -csq, plmn) for plmn, csq in details.items() if isinstance(csq, int))
    said = [
        _("{plmn} (signal not measured)").format(plmn=plmn)
        if unmeasured
        else _("{plmn} at CSQ {csq}").format(plmn=plmn, csq=-csq)
        for unmeasured, csq, plmn in heard
    ]
    return ", ".join(said) or _("none")
