"""What a charge point did about its mobile network, and why, as its events tell it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from cloud_bridge.store.readable import Rows
from cloud_bridge.support.unit_events import unit_events
from cloud_bridge.values import NO_CSQ
from cloud_bridge.words import gettext as _

HEARD = "heard"  # our word for the event that brings the result of a scan


class Move(NamedTuple):
    at_ms: int  # by the unit's clock, else when it reached us
    do: str  # in the unit's word: a decision of its roaming or a remedy of its recovery; or HEARD
    operator: str | None  # PLMN digits, where it is about one network
    why: str  # in the unit's words, with PLMN digits in them


def network_moves(events: Iterable[dict[str, Any]]) -> Rows[Move]:
    """Of the rows of store/history.py's `unit_events`, those about the network, in their order."""
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
    """{"23415": 22}, the best cell of each network by CSQ, the loudest first; last those that the scan did not measure."""
    heard = sorted((csq == NO_CSQ, -csq, plmn) for plmn, csq in details.items() if isinstance(csq, int))
    said = [
        _("{plmn} (signal not measured)").format(plmn=plmn)
        if unmeasured
        else _("{plmn} at CSQ {csq}").format(plmn=plmn, csq=-csq)
        for unmeasured, csq, plmn in heard
    ]
    return ", ".join(said) or _("none")
