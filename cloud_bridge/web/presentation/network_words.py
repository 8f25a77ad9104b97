"""What a charge point did about its mobile network, in words. Pure."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from cloud_bridge.support.network_moves import HEARD, Move
from cloud_bridge.text import unknown
from cloud_bridge.web.presentation.words import operator_name
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

# The unit's words: the decisions of modem/roaming.py, then the remedies of modem/recovery.py, the mildest first.
DID = {
    HEARD: N_("Heard these networks"),
    "survey": N_("Listened for other networks"),
    "switch": N_("Moved to {network}"),
    "refused": N_("{network} did not take it"),
    "automatic": N_("Left the choice to its modem"),
    "stay": N_("Stayed on {network}"),
    "configure": N_("Set its modem up again"),
    "reshut": N_("Began its data connection anew"),
    "reattach": N_("Left the data service and joined it again"),
    "look for forbidden": N_("Asked its SIM which networks it avoids"),
    "clear forbidden": N_("Made its SIM forget which networks once refused it"),
    "radio cycle": N_("Switched its radio off and on"),
    "restart": N_("Restarted its modem"),
    "supply cut": N_("Cut its modem's supply for a moment"),
}
AT_CSQ = re.compile(r"\b(\d{5,6}) at CSQ (\d+)")  # the format of support/network_moves.py, like NOT_MEASURED
NOT_MEASURED = N_("(signal not measured)")
PLMN = re.compile(r"\b\d{5,6}\b")
# How modems refuse the data service: all, SIM800, SIM7600, Quectel (modem/families)
NO_DATA_SERVICE = re.compile(r"AT\+(CGATT|CIICR|NETOPEN|QIACT)\S{0,20}: .*")


class Told(NamedTuple):
    at_ms: int
    did: str
    why: str


def told(moves: Iterable[Move]) -> list[Told]:
    return [Told(move.at_ms, _did(move), _why(move.why)) for move in moves]


def _did(move: Move) -> str:
    if move.do not in DID:
        return unknown(_("A step that we do not know ({name})"), move.do)
    return _(DID[move.do]).format(network=operator_name(move.operator) or _("no network"))


def _why(said: str) -> str:
    said = AT_CSQ.sub(_at_csq, said).replace(NOT_MEASURED, _(NOT_MEASURED))
    return PLMN.sub(_named, NO_DATA_SERVICE.sub(_("the network opens no data service"), said))


def _at_csq(heard: re.Match[str]) -> str:
    return _("{network} at CSQ {csq}").format(network=heard[1], csq=heard[2])


def _named(digits: re.Match[str]) -> str:
    return operator_name(digits[0]) or digits[0]
