"""ChargePointStatus and ChargePointErrorCode of OCPP 1.6 in the words of our own wire format. Pure.

2.0.1 has fewer of both, and v201.py says which of these they are.

A charger of OCPP tells what it does, not the pilot: the state of the pilot that goes with it is what pages and alerts go by.
"""

from typing import NamedTuple

from cloud_bridge.ocpp_words import OTHER_FAULT, OTHER_TROUBLE, fault_name, trouble_name

# State of IEC 61851-1, by the status in small letters. "occupied" is of OCPP 1.5, and still sent.
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
# Of a charger with several connectors its state is the first of these that one of them has.
FIRST = (*PLUGGED, "A1", "F")


class Status(NamedTuple):
    """Of one connector, 0 for the charger as a whole."""

    state: str | None  # of the pilot; None while it is stopped by a fault, or said nothing that we know
    fault: str | None = None  # what has stopped it
    trouble: str | None = None  # what it reports, and goes on


def status_of(status: str | None, error: str | None) -> Status:
    """Of the two fields of a StatusNotification. A fault whose code is not one of the standard is a fault all the same."""
    said, code = (status or "").lower(), (error or "").lower()
    if said == FAULTED:
        return Status(None, fault_name(code) or OTHER_FAULT)
    is_well = code in ("", NO_ERROR)
    return Status(STATES.get(said), None, None if is_well else trouble_name(code) or OTHER_TROUBLE)
