"""Does each state and fault of a unit map to a term of OCPP 1.6?"""

import pytest

from cloud_bridge.contact import Contact
from cloud_bridge.faults import KNOWN
from cloud_bridge.northbound.statuses import ERRORS, status_of
from cloud_bridge.ocpp_words import FAULTS, PREFIX
from tests.cloud_bridge.northbound.told import check, known
from tests.cloud_bridge.running import START_MS

NOT_IN_OCPP = {"supply", "temperature_sensor"}  # it does not tell whether too high or too low; nothing similar


@pytest.mark.parametrize(
    ("state", "status"),
    [("A1", "Available"), ("B1", "SuspendedEVSE"), ("B2", "SuspendedEV"), ("C1", "SuspendedEVSE"), ("C2", "Charging")],
)
def test_a_state_is_that_of_its_connector(state: str, status: str) -> None:
    assert [status_of(known(state), connector) for connector in (0, 1)] == [
        ("Available", "NoError", ""),
        (status, "NoError", ""),
    ]


@pytest.mark.parametrize("state", ["E", "F", "new"])
def test_a_state_in_which_nothing_can_charge_is_of_the_whole(state: str) -> None:
    assert {status_of(known(state), connector) for connector in (0, 1)} == {("Unavailable", "NoError", "")}


def test_what_is_not_known_is_not_said() -> None:
    assert status_of(known(None), 1) is None
    assert status_of(known("C2", Contact.NEVER)._replace(last_contact_ms=None), 1) == (
        "Unavailable",
        "NoError",
        "no contact",
    )


def test_every_fault_has_an_error_code() -> None:
    assert set(KNOWN) - set(ERRORS) == NOT_IN_OCPP
    for name in [*KNOWN, *(f"{PREFIX}{code}" for code in FAULTS), "one that is new, ü"]:
        status = status_of(known("A1", faults=[name]), 1)
        assert status is not None and status.status == "Faulted" and status.error != "NoError"
        check("StatusNotification", status.payload(1, START_MS))
