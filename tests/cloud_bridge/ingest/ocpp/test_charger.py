"""Is what is known of a charger the newest that it said, and does it come back from the store as it was?"""

import json
from typing import Any

import pytest

from cloud_bridge.ingest.ocpp.charger import (
    KEY,
    MAX_CONNECTORS,
    MAX_SETTINGS,
    MAX_TRANSACTIONS,
    OLD_AFTER_S,
    PROBE_AFTER_S,
    ChargerState,
    Connector,
    charger_of,
)
from cloud_bridge.ingest.ocpp.meter_values import MAX_A, MAX_W, MAX_WH
from cloud_bridge.ingest.ocpp.transactions import Transaction
from cloud_bridge.ocpp_settings import Told

T = 1_767_225_600  # 2026-01-01T00:00:00Z
AT = "2026-01-01T00:00:00Z"


def with_statuses(*statuses: tuple[int, str, str | None]) -> ChargerState:
    """Connector, status, error; in their order."""
    charger = ChargerState()
    for status in statuses:
        charger.take_status(*status)
    return charger


def values(*sampled: tuple[str, float]) -> list[dict[str, Any]]:
    """Meter values of T."""
    return [{"timestamp": AT, "sampledValue": [{"measurand": name, "value": value} for name, value in sampled]}]


ENERGY, POWER, OFFERED = "Energy.Active.Import.Register", "Power.Active.Import", "Current.Offered"


# Connectors


@pytest.mark.parametrize(
    ("said", "at"), [(2, 2), ("3", 3), (0, 0), (1000, 1000), (1001, 1), (-1, 1), (None, 1), ("x", 1)]
)
def test_a_connector_has_its_number_or_is_the_first(said: Any, at: int) -> None:
    charger = ChargerState()
    charger.take_status(said, "Available", None)
    assert list(charger.connectors) == [at]


def test_one_connector_too_many_is_left_out_and_the_others_are_heard_on() -> None:
    charger = with_statuses(*((at, "Available", None) for at in range(MAX_CONNECTORS + 1)))
    assert list(charger.connectors) == list(range(MAX_CONNECTORS))
    charger.take_status(1, "Charging", None)
    charger.take_readings(MAX_CONNECTORS, values((ENERGY, 5)), T)
    charger.take_error(MAX_CONNECTORS, "groundfailure")
    charger.take_progress(MAX_CONNECTORS, "Charging")
    charger.take_availability(MAX_CONNECTORS, "Faulted")
    assert charger.state == "C2" and charger.faults == []


def test_a_status_that_is_not_told_is_what_it_was_and_an_error_is_over() -> None:
    charger = with_statuses((1, "Faulted", "GroundFailure"))
    assert charger.faults and charger.state is None
    charger.take_status(1, None, None)
    assert charger.connectors[1].status == "Faulted" and charger.connectors[1].error is None
    charger.take_status(1, "Available", "NoError")
    assert charger.faults == [] and charger.state == "A1"


def test_no_power_is_drawn_where_none_charges() -> None:
    charger = with_statuses((1, "Charging", None))
    charger.take_readings(1, values((POWER, 7400)), T)
    charger.take_status(1, "Charging", None)
    assert charger.connectors[1].watts == 7400.0
    charger.take_status(1, "SuspendedEV", None)
    assert charger.connectors[1].watts == 0.0


# State of the whole


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ([], None),
        ([(0, "Available", None)], "A1"),
        ([(1, "Available", None)], "A1"),
        ([(0, "Available", None), (1, "Charging", None)], "C2"),
        ([(1, "Preparing", None), (2, "SuspendedEV", None)], "B2"),
        ([(1, "Available", None), (2, "Preparing", None)], "B1"),
        ([(1, "Unavailable", None), (2, "Available", None)], "A1"),
        ([(0, "Unavailable", None), (1, "Available", None)], "F"),
        ([(0, "Unavailable", None), (1, "Charging", None)], "C2"),
        ([(0, "Faulted", None), (1, "Available", None)], "A1"),
        ([(1, "Faulted", None)], None),
        ([(1, None, "GroundFailure")], None),
    ],
)
def test_its_state_is_that_of_the_connector_with_most_to_tell(
    statuses: list[tuple[int, str, str | None]], state: str | None
) -> None:
    assert with_statuses(*statuses).state == state


def test_an_error_of_the_whole_names_the_fault_of_a_connector_that_tells_none() -> None:
    charger = with_statuses((0, "Available", "GroundFailure"), (1, "Faulted", None))
    assert charger.faults == with_statuses((1, "Faulted", "GroundFailure")).faults
    both = with_statuses((1, "Faulted", "GroundFailure"), (2, "Faulted", "OverVoltage"), (3, "Faulted", "OverVoltage"))
    assert both.faults == sorted(set(both.faults)) and len(both.faults) == 2


def test_something_is_known_once_a_status_was_told() -> None:
    charger = ChargerState()
    charger.take_readings(1, values((ENERGY, 5)), T)
    assert not charger.has_told
    charger.take_status(1, "Available", None)
    assert charger.has_told


def test_the_connector_with_a_vehicle_is_the_first_of_them() -> None:
    assert with_statuses((0, "Occupied", None), (1, "Available", None)).plugged is None
    charger = with_statuses((3, "Charging", None), (2, "Preparing", None), (1, "Available", None))
    assert charger.plugged == 2
    assert charger.draws(3) and not charger.draws(2) and not charger.draws(7)
    assert with_statuses((1, "SuspendedEV", None)).draws(1)


# OCPP 2.0.1


def test_occupied_is_no_news_where_more_is_known() -> None:
    charger = with_statuses((1, "Charging", None))
    charger.take_availability(1, "Occupied")
    assert charger.state == "C2"
    charger.take_availability(1, "Available")
    charger.take_availability(1, "Occupied")
    assert charger.state == "B1"


def test_an_error_ends_with_the_fault_and_stays_with_another_status() -> None:
    charger = with_statuses((1, "Available", None))
    charger.take_error(1, "groundfailure")
    charger.take_availability(1, "Faulted")
    assert charger.faults and charger.connectors[1].error == "groundfailure"
    charger.take_availability(1, "Faulted")
    assert charger.connectors[1].error == "groundfailure"
    charger.take_availability(1, "Available")
    assert charger.faults == [] and charger.connectors[1].error is None
    charger.take_error(1, "readerfailure")
    charger.take_availability(1, "Reserved")
    assert charger.connectors[1].error == "readerfailure", "it was none that stopped it"


def test_progress_mends_no_fault_and_keeps_what_is_wrong() -> None:
    charger = with_statuses((1, "Faulted", "GroundFailure"))
    charger.take_progress(1, "Charging")
    assert charger.state is None and charger.faults
    charger = with_statuses((1, "Available", None))
    charger.take_error(1, "readerfailure")
    charger.take_progress(1, "Charging")
    assert (charger.state, charger.connectors[1].error) == ("C2", "readerfailure")


# Readings


def test_a_reading_is_the_state_of_now() -> None:
    charger = ChargerState()
    charger.take_readings(1, values((ENERGY, 1500), (POWER, 7400.04), (OFFERED, 32), ("RSSI.Mobile", -85)), T)
    assert charger.connectors[1] == Connector(None, None, 7400.0, 1500)
    assert (charger.offered_a, charger.csq) == (32.0, 14)
    charger.take_readings(1, values((ENERGY, 1400)), T)
    assert charger.connectors[1].total_wh == 1400 and charger.connectors[1].watts == 7400.0
    assert (charger.offered_a, charger.csq) == (32.0, 14)


@pytest.mark.parametrize(
    ("at_s", "now_s", "behind_s", "is_past"),
    [
        (T, T + OLD_AFTER_S, 0, False),
        (T, T + OLD_AFTER_S + 1, 0, True),
        (T, T + 3600 + OLD_AFTER_S, 3600, False),
        (T, T + 3600 + OLD_AFTER_S + 1, 3600, True),
        (None, T, 0, False),
    ],
)
def test_what_was_read_ten_minutes_ago_by_its_own_clock_is_past(
    at_s: int | None, now_s: int, behind_s: int, is_past: bool
) -> None:
    assert ChargerState(behind_s=behind_s).is_past(at_s, now_s) is is_past


def test_its_clock_is_behind_by_what_its_last_status_says() -> None:
    charger = ChargerState()
    charger.note_time(AT, T + 90)
    charger.note_time("not a time", T)
    assert charger.behind_s == 90


@pytest.mark.parametrize(
    ("is_past", "now_s"), [(True, T), (False, T + OLD_AFTER_S + 1)], ids=["it says so", "by its clock"]
)
def test_of_a_reading_of_the_past_only_more_energy_counts(is_past: bool, now_s: int) -> None:
    charger = ChargerState()
    for total_wh, expected in ((1500, 1500), (1400, 1500), (1501, 1501)):
        told = values((ENERGY, total_wh), (POWER, 7400), (OFFERED, 32), ("RSSI.Mobile", -85))
        charger.take_readings(1, told, now_s, is_past)
        assert charger.connectors[1] == Connector(total_wh=expected)
    charger.take_readings(1, values((POWER, 7400)), now_s, is_past)
    assert charger.connectors[1].total_wh == 1501
    assert charger.offered_a is None and charger.csq is None


# Transactions


def test_the_last_transactions_are_known_and_the_newest_one_that_is_not_over_runs() -> None:
    charger = ChargerState()
    assert charger.running is None
    for number in range(MAX_TRANSACTIONS + 1):
        charger.begin(Transaction(number, 1, T, 0))
    assert list(charger.transactions) == list(range(1, MAX_TRANSACTIONS + 1))
    charger.begin(Transaction(1, 1, T, 0))
    assert list(charger.transactions)[-1] == 1 and len(charger.transactions) == MAX_TRANSACTIONS
    assert charger.running == Transaction(1, 1, T, 0)
    assert charger.end(1) == (Transaction(1, 1, T, 0), False)
    assert charger.running == Transaction(MAX_TRANSACTIONS, 1, T, 0)


def test_an_end_that_comes_again_says_so_and_one_of_nobody_is_none() -> None:
    charger = ChargerState()
    began = Transaction(7, 1, T, 0)
    charger.begin(began)
    assert charger.end(7) == (began, False)
    assert charger.end(7) == (began._replace(is_over=True), True)
    assert charger.end(8) == charger.end(None) == (None, False)


def test_an_event_is_older_if_a_newer_one_was_heard() -> None:
    charger = ChargerState()
    charger.begin(Transaction(7, 1, T, 0))
    assert [charger.heard_of(7, sequence) for sequence in (0, 5, 5, 4, 6, 5, None)] == [
        False, False, False, True, False, True, False,
    ]  # fmt: skip
    assert charger.transactions[7].sequence == 6
    assert not charger.heard_of(8, 3) and 8 not in charger.transactions


# Settings


def test_settings_wait_to_be_handed_on_and_are_bounded() -> None:
    charger, one = ChargerState(), Told("HeartbeatInterval", "300")
    charger.note_settings([one] * (MAX_SETTINGS - 1))
    charger.note_settings([one, one])
    assert charger.hand_on_settings() == [one] * MAX_SETTINGS
    assert charger.hand_on_settings() == []
    charger.note_settings([one])
    assert charger.hand_on_settings() == [one]


# The heartbeat


def told_by(charger: ChargerState) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(charger.heartbeat())
    return found


def test_a_heartbeat_of_a_charger_that_has_said_nothing_says_when_to_expect_it() -> None:
    assert told_by(ChargerState()) == {
        "z": PROBE_AFTER_S,
        KEY: {"connectors": [], "transactions": [], "behind": 0, "set": 0},
    }


def test_a_heartbeat_adds_up_the_connectors_without_the_whole() -> None:
    charger = with_statuses((0, "Available", None), (1, "Charging", "WeakSignal"), (2, "Charging", "ReaderFailure"))
    charger.connectors[0].watts, charger.connectors[0].total_wh = 9.0, 9
    for at in (1, 2):
        charger.take_readings(at, values((ENERGY, 1000 * at), (POWER, 3000.0 * at), (OFFERED, 16)), T)
    said = told_by(charger)
    assert (said["s"], said["a"], said["w"], said["e"]) == ("C2", 16.0, 9000.0, 3000)
    assert "f" not in said and said["h"] == sorted(said["h"]) and len(said["h"]) == 2 and "q" not in said


def test_where_no_connector_has_a_meter_the_whole_may_have_one() -> None:
    charger = ChargerState()
    charger.take_readings(0, values((ENERGY, 77)), T)
    assert told_by(charger)["e"] == 77 and "w" not in told_by(charger)
    charger.take_readings(1, values((ENERGY, 5)), T)
    assert told_by(charger)["e"] == 5


def test_it_comes_back_from_the_store_as_it_was() -> None:
    charger = with_statuses((0, "Available", None), (1, "Charging", "WeakSignal"))
    charger.take_readings(1, values((ENERGY, 1500), (POWER, 7400), (OFFERED, 32), ("RSSI.Mobile", -85)), T)
    charger.begin(Transaction(7, 1, T, 1000, sequence=3, name="a name"))
    charger.begin(Transaction(8, 1, None, None))
    charger.end(8)
    charger.behind_s, charger.set_up_s = -90, T
    assert charger_of(told_by(charger)) == charger


@pytest.mark.parametrize("kept", [None, 3, [], "x", {"connectors": 3, "transactions": {}, "behind": "x", "set": None}])
def test_what_cannot_be_read_is_not_known(kept: Any) -> None:
    assert charger_of({KEY: kept}) == ChargerState()
    assert charger_of({}) == ChargerState()


def test_of_what_was_kept_only_what_can_be_is_taken() -> None:
    row = [1, "Charging", None, 0.0, 0]
    found = charger_of(
        {
            "a": MAX_A + 1,
            "q": 32,
            KEY: {
                "connectors": [
                    row,
                    [2, "x" * 30, "y", MAX_W, MAX_WH],
                    [3, None, None, MAX_W + 1, MAX_WH + 1],
                    [4, None, None, -1, -1],
                    [None, *row[1:]],
                    row[:4],
                    [5, *row[1:], 0],
                    "row",
                ],
                "transactions": [
                    [7, 1, T, 0, True],
                    [8, 1, None, None, 1, 5, "\u00e9"],
                    [None, 1, T, 0, False],
                    [9, None, T, 0, False],
                    [10, 1, T, 0],
                    [11, 1, T, 0, False, 0, "name", 1],
                ],
            },
        }
    )
    assert found.connectors == {
        1: Connector("Charging", None, 0.0, 0),
        2: Connector("x" * 20, "y", float(MAX_W), MAX_WH),
        3: Connector(),
        4: Connector(),
    }
    assert found.transactions == {7: Transaction(7, 1, T, 0, True), 8: Transaction(8, 1, None, None, False, 5)}
    assert found.offered_a is None and found.csq is None
    edge = charger_of({"a": MAX_A, "q": 31, KEY: {}})
    assert (edge.offered_a, edge.csq) == (float(MAX_A), 31)
    assert charger_of({"a": 0, "q": 0, KEY: {}}).csq == 0


def test_no_more_is_taken_than_was_ever_kept() -> None:
    kept = {
        "connectors": [[at, "Available", None, None, None] for at in range(MAX_CONNECTORS + 1)],
        "transactions": [[number, 1, None, None, False] for number in range(MAX_TRANSACTIONS + 1)],
    }
    found = charger_of({KEY: kept})
    assert (len(found.connectors), len(found.transactions)) == (MAX_CONNECTORS, MAX_TRANSACTIONS)
