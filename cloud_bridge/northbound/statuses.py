"""The state of a unit as a StatusNotification of OCPP 1.6. Pure.

Statuses and codes: ChargePointStatus and ChargePointErrorCode, sections 7.7 and 7.6 of "Open Charge Point Protocol
1.6".
"""

from typing import Any, NamedTuple

from cloud_bridge.clock import iso_utc
from cloud_bridge.northbound.known import Known
from cloud_bridge.ocpp_words import PREFIX

CONNECTORS = (0, 1)  # the charge point as a whole, and the only one that it has
AVAILABLE, FAULTED, UNAVAILABLE = "Available", "Faulted", "Unavailable"
NO_ERROR, OTHER_ERROR = "NoError", "OtherError"
MAX_INFO = 50

STATES = {  # of the pilot, IEC 61851-1; 2: current is offered
    "A1": AVAILABLE,
    "A2": AVAILABLE,
    "B1": "SuspendedEVSE",
    "B2": "SuspendedEV",
    "C1": "SuspendedEVSE",
    "C2": "Charging",
    "D1": "SuspendedEVSE",
    "D2": "Charging",
}
ERRORS = {  # keyed by the names of our faults (cloud_bridge/faults.py)
    "rcd_ac": "GroundFailure",
    "rcd_dc": "GroundFailure",
    "rcd_selftest": "InternalError",
    "contactor_welded": "PowerSwitchFailure",
    "contactor_stuck_open": "PowerSwitchFailure",
    "guard": "InternalError",
    "meter": "PowerMeterFailure",
    "pilot": "EVCommunicationError",
    "diode": "EVCommunicationError",
    "proximity": "ConnectorLockFailure",
    "over_current": "OverCurrentFailure",
    "over_temperature": "HighTemperature",
}
OCPP_ERRORS = {  # of chargers of other makers, in their spelling
    f"{PREFIX}{code.lower()}": code
    for code in (
        *("ConnectorLockFailure", "EVCommunicationError", "GroundFailure", "HighTemperature", "InternalError"),
        *("LocalListConflict", "OverCurrentFailure", "OverVoltage", "PowerMeterFailure", "PowerSwitchFailure"),
        *("ReaderFailure", "ResetFailure", "UnderVoltage", "WeakSignal"),
    )
}


class Status(NamedTuple):
    """The status of one connector."""

    status: str
    error: str = NO_ERROR
    info: str = ""

    def payload(self, connector: int, at_ms: int) -> dict[str, Any]:
        said = {"connectorId": connector, "errorCode": self.error, "status": self.status, "timestamp": iso_utc(at_ms)}
        return said | ({"info": self.info[:MAX_INFO]} if self.info else {})


def status_of(known: Known, connector: int) -> Status | None:
    """Return the status of a connector. None: nothing is known, and the status sent last stays."""
    if known.is_away:
        last_ms = known.last_contact_ms
        return Status(UNAVAILABLE, info="no contact" if last_ms is None else f"no contact since {iso_utc(last_ms)}")
    if known.heartbeat.faults:
        name = known.heartbeat.faults[0]
        error = ERRORS.get(name) or OCPP_ERRORS.get(name) or OTHER_ERROR
        return Status(FAULTED, error, "" if error != OTHER_ERROR else _ascii(name))
    state = known.heartbeat.state
    if state is None:
        return None
    said = STATES.get(state, UNAVAILABLE)
    return Status(said if connector or said == UNAVAILABLE else AVAILABLE)


def _ascii(name: str) -> str:
    return name if name.isascii() else ""
