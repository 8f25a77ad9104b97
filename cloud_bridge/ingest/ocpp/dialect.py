"""A version of OCPP: what a connection needs to know of the one that its charger speaks. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cloud_bridge.ingest.ocpp.actions import Action
from cloud_bridge.ingest.ocpp.configuration import SetUp
from cloud_bridge.ingest.ocpp.frames import ErrorCode
from cloud_bridge.ingest.ocpp.orders import Plan, Step


class Dialect(NamedTuple):
    """One of v16.py and v201.py."""

    subprotocol: str  # of the WebSocket
    actions: Mapping[str, Action]  # of the charger, by their names in small letters
    plan: Plan  # of our commands
    trigger: Callable[[str], dict[str, Any]]  # the payload of a TriggerMessage for this
    ask_interval: Step  # for a heartbeat as often as we want it
    set_up: SetUp  # once it has booted
    spelt: Mapping[ErrorCode, str]  # codes of a CALLERROR that have another name here
