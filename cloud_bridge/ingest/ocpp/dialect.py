"""The interface of an OCPP version: what a connection needs of the version that its charger uses. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cloud_bridge.ingest.ocpp.actions import Action
from cloud_bridge.ingest.ocpp.configuration import SetUp
from cloud_bridge.ingest.ocpp.frames import ErrorCode
from cloud_bridge.ingest.ocpp.orders import Plan, Step


class Dialect(NamedTuple):
    """A version of OCPP, defined in v16.py or v201.py."""

    subprotocol: str  # of the WebSocket
    actions: Mapping[str, Action]  # the charger's CALLs, by their names in lower case
    plan: Plan  # translates our commands into CALLs
    trigger: Callable[[str], dict[str, Any]]  # returns the payload of a TriggerMessage for a message
    ask_interval: Step  # sets the heartbeat interval
    set_up: SetUp  # the configuration after a boot
    spelt: Mapping[ErrorCode, str]  # CALLERROR codes that have another name in this version
