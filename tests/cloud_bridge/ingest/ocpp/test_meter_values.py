"""Are meter values read by measurand, phase and unit, and what no home can draw left out?"""

from typing import Any

import pytest

from cloud_bridge.ingest.ocpp.meter_values import MAX_A, MAX_W, MAX_WH, NO_W, Reading, readings, registers

AT, AT_S = "2026-01-01T00:00:00Z", 1_767_225_600


def read(*sampled: dict[str, Any]) -> Reading:
    """What these samples of one time say."""
    (found,) = readings([{"timestamp": AT, "sampledValue": list(sampled)}])
    return found


def sample(measurand: str, value: Any, unit: str = "", phase: str = "", **others: Any) -> dict[str, Any]:
    return {"measurand": measurand, "value": value, "unit": unit, "phase": phase, **others}


def energy(value: Any, unit: str = "Wh", **others: Any) -> dict[str, Any]:
    return sample("Energy.Active.Import.Register", value, unit, **others)


def power(value: Any, unit: str = "W", phase: str = "") -> dict[str, Any]:
    return sample("Power.Active.Import", value, unit, phase)


def test_what_is_left_out_is_the_energy_register_in_wh() -> None:
    assert read({"value": "1234"}) == Reading(AT_S, 1234)


def test_no_value_is_none_and_no_time_is_no_reason_to_refuse_it() -> None:
    assert read() == Reading(AT_S)
    assert readings([{"sampledValue": [{"value": "7"}]}]) == [Reading(None, 7)]
    assert readings(None) == []


@pytest.mark.parametrize(
    ("told", "total_wh"),
    [
        (energy("1.5", "kWh"), 1500),
        (energy("1.4999"), 1),
        (energy(0), 0),
        (energy(-1), None),
        (energy(MAX_WH), MAX_WH),
        (energy(MAX_WH + 1), None),
        (energy("7", "MWh"), None),
        (energy("x"), None),
        (energy("7", unitOfMeasure={"unit": "Wh", "multiplier": 3}), 7000),
        (energy("7", unitOfMeasure={"unit": "kWh", "multiplier": -3}), 7),
        (energy("7000", unitOfMeasure={"unit": "Wh", "multiplier": -4}), None),
        (energy("0.000000001", unitOfMeasure={"unit": "Wh", "multiplier": 9}), 1),
        (energy("0.000000001", unitOfMeasure={"unit": "Wh", "multiplier": 10}), None),
        (energy("7", multiplier=1), 70),
    ],
)
def test_a_register_in_its_unit(told: dict[str, Any], total_wh: int | None) -> None:
    assert read(told).total_wh == total_wh


def test_phases_are_added_where_no_sum_is_told_and_the_neutral_is_none() -> None:
    phases = [energy(value, phase=phase) for value, phase in ((1, "L1"), (2, "L2-N"), (4, "l3"), (8, "N"))]
    assert read(*phases).total_wh == 7
    assert read(*phases, energy(100)).total_wh == 100


def test_registers_are_those_that_can_be_read() -> None:
    several = [{"sampledValue": [energy(value)]} for value in (1, "x", 3)]
    assert registers(several) == [1, 3]


@pytest.mark.parametrize(
    ("told", "watts"),
    [
        ([power("7.4", "kW")], 7400.0),
        ([power(MAX_W)], float(MAX_W)),
        ([power(MAX_W + 1)], None),
        ([power(NO_W)], 0.0),
        ([power(NO_W - 1)], None),
        ([power(1000, phase="L1"), power(2000, phase="L2")], 3000.0),
        ([power(0), sample("Current.Import", 16), sample("Voltage", 230)], 0.0),
        ([sample("Current.Import", 16), sample("Voltage", 230)], 3680.0),
        ([sample("Current.Import", 16)], None),
        ([sample("Voltage", 230)], None),
        ([sample("Current.Import", 0, phase="L1"), sample("Voltage", 230, phase="L1")], 0.0),
        ([sample("Current.Import", -1, phase="L1"), sample("Voltage", 230, phase="L1")], None),
        ([sample("Current.Import", 200), sample("Voltage", 250)], float(MAX_W)),
        ([sample("Current.Import", 200), sample("Voltage", 250.01)], None),
        ([power(MAX_W + 1), sample("Current.Import", 1), sample("Voltage", 230)], 230.0),
    ],
)
def test_power_as_measured_or_current_times_voltage(told: list[dict[str, Any]], watts: float | None) -> None:
    assert read(*told).watts == watts


def test_current_times_voltage_goes_phase_by_phase_and_not_by_the_sum_beside_them() -> None:
    told = [sample("Current.Import", amps, phase=phase) for phase, amps in (("L1", 1), ("L2", 2), ("", 3))]
    told += [sample("Voltage", volts, phase=phase) for phase, volts in (("L1", 230), ("L2-N", 240), ("", 400))]
    assert read(*told).watts == 230 + 480


@pytest.mark.parametrize(
    ("amps", "offered"), [(0, 0.0), (16.5, 16.5), (MAX_A, float(MAX_A)), (MAX_A + 1, None), (-1, None)]
)
def test_what_is_offered(amps: float, offered: float | None) -> None:
    assert read(sample("Current.Offered", amps, "A")).offered_a == offered


def test_what_is_offered_on_phases_is_the_most_of_them() -> None:
    assert read(sample("Current.Offered", 6, phase="L1"), sample("Current.Offered", 16, phase="L2")).offered_a == 16.0


@pytest.mark.parametrize(
    ("dbm", "csq"), [(-51, 31), (-113, 0), (-113.5, 0), (-85, 14), (-140, 0), (-141, None), (0, None)]
)
def test_a_signal(dbm: float, csq: int | None) -> None:
    assert read(sample("RSSI.Mobile", dbm, "dBm")).csq == csq
    assert read(sample("RSSI.WiFi", dbm, "dBm")).csq is None
    assert read(sample("RSSI.Mobile", dbm, "dBm", "L1")).csq is None
