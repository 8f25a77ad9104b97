"""Is what a charger of OCPP 1.6 tells of itself the state that pages and alerts go by?"""

import pytest

from cloud_bridge.ingest.ocpp.statuses import Status, status_of
from cloud_bridge.ocpp_words import OTHER_FAULT, OTHER_TROUBLE


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        ("Available", "NoError", Status("A1")),
        ("CHARGING", "", Status("C2")),
        ("SuspendedEV", None, Status("B2")),
        ("SuspendedEVSE", "NOERROR", Status("B1")),
        ("Occupied", None, Status("B1")),
        ("Unavailable", None, Status("F")),
        ("of a maker", None, Status(None)),
        (None, None, Status(None)),
        ("Faulted", "of a maker", Status(None, OTHER_FAULT)),
        ("faulted", None, Status(None, OTHER_FAULT)),
        ("Charging", "of a maker", Status("C2", None, OTHER_TROUBLE)),
    ],
)
def test_a_status_with_its_code(status: str | None, error: str | None, expected: Status) -> None:
    assert status_of(status, error) == expected


def test_a_code_of_the_standard_is_named() -> None:
    assert status_of("Faulted", "GroundFailure").fault not in (None, OTHER_FAULT)
    assert status_of("Charging", "WeakSignal").trouble not in (None, OTHER_TROUBLE)
