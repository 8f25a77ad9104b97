"""Does a unit with its whole uplink recover by itself? The fast ones of `python -m hil_tests.bench.modem faults`."""

import pytest

from hil_tests.bench.modem.faults import FAULTS, outcome

QUICK = (
    "PDP context taken away",
    "modem falls to another speed",
    "modem left at another speed",
    "network refuses us, another beside",
    "best signal has no data from the start",
    "best signal has no data, the other is forbidden",
    "SIM forbids every network",
    "saved flight mode",
)


@pytest.mark.parametrize("name", QUICK)
def test_there_is_contact_again_in_time(name: str) -> None:
    fault = next(fault for fault in FAULTS if fault.name == name)
    assert outcome(fault, seed=2).held
