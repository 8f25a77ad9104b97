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
