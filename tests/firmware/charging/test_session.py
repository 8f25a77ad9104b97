"""Does energy never decrease, and does a session survive a power cut?"""

from firmware.charging.session import Kept, Session, resume


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


def test_seconds_are_counted_while_the_contactor_is_closed_and_parts_of_them_are_added_up():
    session = Session(1, 0, 100)
    session.step(0, 100, True)
    for now_ms, contactor, charging_s in (
        (999, True, 0),
        (1000, True, 1),
        (5000, False, 1),
        (5500, True, 1),
        (5999, True, 1),
        (6000, True, 2),
        (9600, True, 5),
        (10000, True, 6),
    ):
        session.step(now_ms, 100, contactor)
        assert session.charging_s == charging_s, now_ms


def test_a_session_is_kept_and_ended_as_it_is():
    session = Session(7, -500, 5000, 30)
    assert session.energy_wh == 0
    session.step(0, 5250, True)
    assert session.kept() == Kept(7, -500, 30, 5000)
    assert session.end(9000, "unplugged") == (7, -500, 9000, 30, 250, "unplugged")
    again = resume(session.kept())
    assert again.kept() == session.kept() and again.energy_wh == 0
