"""What a charge point did about its mobile network, worded for people. Pure."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from cloud_bridge.support.network_moves import HEARD, Move
from cloud_bridge.text import unknown
from cloud_bridge.web.presentation.words import operator_name

# The unit's words: modem/roaming.py's decisions first, then modem/recovery.py's remedies, the mildest first.
DID = {
    HEARD: "Heard these networks",
    "survey": "Listened for other networks",
    "switch": "Moved to {network}",
    "refused": "{network} did not take it",
    "automatic": "Left the choice to its modem",
    "stay": "Stayed on {network}",
    "configure": "Set its modem up again",
    "reshut": "Began its data connection anew",
    "reattach": "Left the data service and joined it again",
    "look for forbidden": "Asked its SIM which networks it avoids",
    "clear forbidden": "Made its SIM forget which networks once refused it",
    "radio cycle": "Switched its radio off and on",
    "restart": "Restarted its modem",
    "supply cut": "Cut its modem's supply for a moment",
}
PLMN = re.compile(r"\b\d{5,6}\b")
# How a modem refuses it: any, SIM800, SIM7600, Quectel (modem/families)
NO_DATA_SERVICE = re.compile(r"AT\+(CGATT|CIICR|NETOPEN|QIACT)\S{0,20}: .*")


class Told(NamedTuple):
    at_ms: int
    did: str
    why: str


def told(moves: Iterable[Move]) -> list[Told]:
    return [Told(move.at_ms, _did(move), _why(move.why)) for move in moves]


def _did(move: Move) -> str:
    if move.do not in DID:
        return unknown("step", move.do)
    return DID[move.do].format(network=operator_name(move.operator) or "no network")


def _why(said: str) -> str:
    return PLMN.sub(_named, NO_DATA_SERVICE.sub("the network opens no data service", said))


def _named(digits: re.Match[str]) -> str:
    return operator_name(digits[0]) or digits[0]
