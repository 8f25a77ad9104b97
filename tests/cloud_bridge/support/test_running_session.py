"""Does the running session begin when the vehicle was plugged in, with the energy since then?"""

import pytest

from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.support.running_session import PowerReading, running_session
from cloud_bridge.web.presentation.series import power_steps

AWAY = [PowerReading(0, False, 0, 1000)]
EARLIER = [PowerReading(-HOUR_MS, True, 7000, 400), PowerReading(-HOUR_MS + MINUTE_MS, True, 7000, 500)]


def charging(*total_wh: int | None) -> list[PowerReading]:
    return [PowerReading((index + 1) * MINUTE_MS, True, 7200, wh) for index, wh in enumerate(total_wh)]


@pytest.mark.parametrize(
    ("readings", "energy_wh"),
    [
        (AWAY + charging(1010, 1130), 130),
        (EARLIER + AWAY + charging(1010, 1130), 130),
        (charging(1010, 1130), 120),  # earlier readings are deleted
        (AWAY + charging(1010, None), 10),
        (AWAY[:0] + charging(None, None), None),
        (AWAY + charging(1010, 5, 9), None),  # another meter
        (AWAY + charging(1000), 0),
    ],
)
def test_energy(readings: list[PowerReading], energy_wh: int | None) -> None:
    found = running_session(readings)
    assert found is not None
    assert found.energy_wh == energy_wh
    assert found.from_ms == MINUTE_MS


@pytest.mark.parametrize("readings", [[], AWAY, EARLIER + AWAY])
def test_no_vehicle_no_session(readings: list[PowerReading]) -> None:
    assert running_session(readings) is None


def test_power_of_a_step_is_over_time() -> None:
    """An idle hour with one reading every five minutes, and a minute with many."""
    readings = [PowerReading(at_ms, True, 1000, None) for at_ms in range(0, 59 * MINUTE_MS, 5 * MINUTE_MS)]
    readings += [PowerReading(59 * MINUTE_MS + at_ms, True, 7000, None) for at_ms in range(0, MINUTE_MS, 1000)]
    (found,) = power_steps(readings, -6 * 24 * HOUR_MS, HOUR_MS)
    assert found.kilowatts == pytest.approx((59 * 1.0 + 1 * 7.0) / 60)


def test_what_is_told_as_a_session_already_is_not_in_the_next_one() -> None:
    readings = AWAY + charging(1010, 1130, 1250)
    found = running_session(readings, ended_ms=2 * MINUTE_MS)
    assert found is not None
    assert (found.from_ms, found.energy_wh) == (3 * MINUTE_MS, 120)
    assert running_session(readings, ended_ms=3 * MINUTE_MS) is None


def test_no_line_of_power_over_a_pause() -> None:
    readings = [
        *charging(0, 1, 2),
        PowerReading(HOUR_MS, True, 3600, 3),
        PowerReading(HOUR_MS + MINUTE_MS, True, 3600, 4),
    ]
    found = power_steps(readings, 0, 2 * HOUR_MS)
    assert [(step.from_ms // MINUTE_MS, step.to_ms // MINUTE_MS, step.kilowatts) for step in found] == [
        (61, 66, 3.6),
        (60, 61, 3.6),
        (3, 8, 7.2),
        (2, 3, 7.2),
        (1, 2, 7.2),
    ]
