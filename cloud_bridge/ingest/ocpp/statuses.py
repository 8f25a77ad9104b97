"""Map ChargePointStatus and ChargePointErrorCode of OCPP 1.6 to pilot states, faults and troubles of our wire format.
Pure.

2.0.1 has fewer of both; v201.py maps them to those of 1.6.

An OCPP charger reports its status, not the pilot. It is mapped to the corresponding pilot state, which pages and alerts
use.
"""

from typing import NamedTuple

from cloud_bridge.ocpp_words import OTHER_FAULT, OTHER_TROUBLE, fault_name, trouble_name

# Pilot state (IEC 61851-1) by the status in lower case. "occupied" is from OCPP 1.5, and is still in use.
STATES = {
    "available": "A1",
    "reserved": "A1",
    "preparing": "B1",
    "occupied": "B1",
    "suspendedevse": "B1",
    "finishing": "B1",
    "suspendedev": "B2",
    "charging": "C2",
    "unavailable": "F",
}
FAULTED, OCCUPIED, NO_ERROR = "faulted", "occupied", "noerror"
CHARGING = "C2"
DRAWING = (CHARGING, "B2")
PLUGGED = (*DRAWING, "B1")
# The state of a charger with several connectors is the first of these that any connector has.
FIRST = (*PLUGGED, "A1", "F")


class Status(NamedTuple):
    """The status of one connector, in the terms of our wire format."""

    state: str | None  # pilot state; None during a fault or if the status is not known
    fault: str | None = None  # stops charging
    trouble: str | None = None  # does not stop charging


def status_of(status: str | None, error: str | None) -> Status:
    """Map the fields of a StatusNotification. A fault with an unknown error code is a fault too."""
    said, code = (status or "").lower(), (error or "").lower()
    if said == FAULTED:
        return Status(None, fault_name(code) or OTHER_FAULT)
    is_well = code in ("", NO_ERROR)
    return Status(STATES.get(said), None, None if is_well else trouble_name(code) or OTHER_TROUBLE)
