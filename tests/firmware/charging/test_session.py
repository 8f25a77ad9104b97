"""Does energy never run backwards, and does a session survive a power cut?"""

from firmware.charging.register import LEAP_WH, Register
from firmware.charging.session import Kept, Session, resume


def test_a_new_unit_takes_over_its_meters_count():
    register = Register()
    register.read(123456)
    assert register.total_wh == 123456


def test_a_lost_reading_and_a_meter_that_begins_again_take_nothing_away_and_add_nothing():
    register = Register(100000, 100000)
    for meter_wh, total_wh in (
        (100010, 100010),
        (0, 100010),
        (100010, 100010),
        (100011, 100011),
        (5, 100011),
        (6, 100012),
    ):
        register.read(meter_wh)
        assert register.total_wh == total_wh


def test_what_the_meter_counted_since_the_last_checkpoint_is_there_after_a_cut():
    register = Register(5000, 105000)
    register.read(105600)
    assert register.total_wh == 5600
    register.read(105600 + LEAP_WH + 1)
    assert register.total_wh == 5600


def test_a_session_that_a_cut_interrupted_goes_on():
    """[R9]"""
    before = Session(7, 1000, 5000)
    for now_ms in range(1000, 61000, 20):
        before.step(now_ms, 5000 + now_ms // 100, True)
    number, _, charging_s, start_wh = before.kept()
    after = resume(Kept(number, -59500, charging_s, start_wh))
    after.step(500, 5700, False)
    after.step(1500, 5700, True)
    record = after.end(2500, "unplugged")
    assert record.number == 7 and record.energy_wh == 700
    assert record.end_ms - record.start_ms == 62000 and record.charging_s in (59, 60, 61)
