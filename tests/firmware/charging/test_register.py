"""Is all energy counted that was drawn, and none that was impossible, whatever the meter reports?"""

import pytest

from firmware.charging.register import AGREED_MS, CUT_WH, MOST_W, SLACK_WH, Register

ROUND_MS = 450  # to read all registers of a meter


class Charge:
    """A charge with 7.4 kW through a meter whose readings can be spoilt. After `readings` it is another meter."""

    def __init__(self, meter_wh=100000):
        self.register = Register()
        self.now_ms = self.drawn_mwh = 0
        self.meter_wh = meter_wh
        self.changes = 0
        self.register.read(0, meter_wh)

    def read(self, value=None):
        self.now_ms += ROUND_MS
        self.drawn_mwh += 7400 * ROUND_MS // 3600
        meter_wh = self.meter_wh + self.drawn_mwh // 1000
        for _ in range(3):  # the control loop reads each value more than once
            if value is None and meter_wh == self.register.meter_wh:
                self.register.good_since_ms = self.now_ms
            else:
                self.changes += self.register.read(self.now_ms, meter_wh if value is None else value)

    def error_wh(self):
        """Return the counted energy minus the drawn energy; the last reading may be old."""
        return self.register.total_wh - 100000 - self.drawn_mwh // 1000


def test_a_new_unit_takes_over_its_meters_count():
    register = Register()
    assert not register.read(0, 123456)
    assert register.total_wh == 123456


@pytest.mark.parametrize("phantom_wh", [0, 230, 50, 19400, 99000, 101000, 119400, 5000000])
def test_another_register_s_value_counts_nothing_and_costs_nothing(phantom_wh):
    for length in (1, 2, 5):
        charge = Charge()
        for number in range(400):
            charge.read(phantom_wh if number % 40 in range(10, 10 + length) else None)
        assert charge.error_wh() == 0
        assert charge.changes == 0


def test_another_register_s_value_at_rest_counts_nothing_however_often_it_comes():
    charge = Charge()
    for number in range(400):
        charge.drawn_mwh = 0
        charge.read(119400 if number % 30 == 10 else None)
    assert charge.changes == 0 and charge.register.total_wh == 100000


def test_readings_that_are_lost_for_minutes_are_made_up_for():
    charge = Charge()
    charge.read()
    charge.now_ms += 600000
    charge.drawn_mwh += 7400 * 600000 // 3600
    charge.read()
    assert charge.error_wh() == 0


@pytest.mark.parametrize("first_wh", [0, 5, 80000, 7000000])
def test_a_meter_that_was_exchanged_is_told_once_and_is_no_energy(first_wh):
    charge = Charge()
    charge.read()
    charge.meter_wh = first_wh - charge.drawn_mwh // 1000
    before_wh = charge.register.total_wh
    for _ in range(60):
        charge.read()
    assert charge.changes == 1
    assert 0 <= charge.register.total_wh - before_wh <= 7400 * 60 * ROUND_MS // 3600000


def test_readings_that_do_not_agree_are_never_another_meter():
    charge = Charge()
    for number in range(200):
        charge.read(1000 * (number % 7) + 3)
    assert charge.changes == 0 and charge.register.total_wh == 100000


def test_what_the_meter_counted_since_the_last_checkpoint_is_there_after_a_cut():
    register = Register(5000, 105000)
    register.read(0, 105600)
    assert register.total_wh == 5600


def test_a_meter_that_was_exchanged_in_a_power_cut_is_no_energy():
    register = Register(5000, 105000)
    changed = [register.read(now_ms, 105000 + CUT_WH + 1) for now_ms in range(0, AGREED_MS + 1, ROUND_MS)]
    changed.append(register.read(AGREED_MS, 105000 + CUT_WH + 1))
    assert changed.count(True) == 1 and register.total_wh == 5000


@pytest.mark.parametrize("elapsed_ms", [20, 1000, 60000, 3600000, 10 * 3600000])
def test_no_reading_counts_more_than_current_and_time_allow(elapsed_ms):
    most_wh = SLACK_WH + MOST_W * elapsed_ms // 3600000
    register = Register()
    register.read(0, 0)
    register.read(elapsed_ms, most_wh + 1)
    assert register.total_wh == 0
    register.read(elapsed_ms, min(most_wh, SLACK_WH + MOST_W) - MOST_W // 3600)
    assert register.total_wh > 0 or elapsed_ms < 1000


def possible(elapsed_ms, wh):
    """Whether a meter can have counted so much in this time."""
    register = Register()
    register.read(1000, 500)
    register.read(1000 + elapsed_ms, 500 + wh)
    assert register.total_wh in (500, 500 + wh)
    return register.total_wh == 500 + wh


@pytest.mark.parametrize(
    "elapsed_ms, most_wh",
    [
        (0, SLACK_WH),
        (999, SLACK_WH),
        (1000, SLACK_WH + 6),
        (60000, SLACK_WH + 368),
        (3600000, SLACK_WH + MOST_W),
        (3601000, SLACK_WH + MOST_W),
    ],
)
def test_what_a_meter_can_have_counted_by_the_second(elapsed_ms, most_wh):
    assert possible(elapsed_ms, most_wh) and not possible(elapsed_ms, most_wh + 1)
    assert possible(elapsed_ms, 0) and not possible(elapsed_ms, -1)


def test_what_was_counted_in_a_power_cut_is_bounded():
    for wh, counted in ((CUT_WH, CUT_WH), (CUT_WH + 1, 0)):
        register = Register(0, 1000)
        register.read(0, 1000 + wh)
        assert register.total_wh == counted


def test_another_meter_is_one_whose_readings_agree_for_ten_seconds():
    register = Register()
    register.read(0, 100000)
    assert not register.read(1000, 5) and not register.read(1000 + AGREED_MS - 1, 6)
    assert register.read(1000 + AGREED_MS, 7)
    assert (register.total_wh, register.meter_wh) == (100000, 7)
    register.read(1000 + AGREED_MS, 8)
    assert register.total_wh == 100001


@pytest.mark.parametrize("step_wh, agrees", [(SLACK_WH + 61, True), (SLACK_WH + 62, False), (0, True), (-1, False)])
def test_readings_in_doubt_agree_if_one_meter_can_have_counted_both(step_wh, agrees):
    register = Register()
    register.read(0, 100000)
    register.read(1000, 500)
    assert register.read(1000 + AGREED_MS, 500 + step_wh) is agrees


def test_a_good_reading_between_them_ends_the_doubt():
    register = Register()
    register.read(0, 100000)
    register.read(1000, 5)
    register.read(1500, 100001)
    assert not register.read(1000 + AGREED_MS, 5)
    register.good_since_ms = 1000 + AGREED_MS + 1
    assert not register.read(1000 + 2 * AGREED_MS, 5), "it was read well in between"
    register.good_since_ms = 1000 + 2 * AGREED_MS
    assert register.read(1000 + 3 * AGREED_MS, 5), "that was in the moment in which the doubt began"


def test_no_reading_is_none():
    register = Register(5000, 1000)
    assert not register.read(0, None)
    assert (register.total_wh, register.meter_wh, register.good_since_ms) == (5000, 1000, None)
