"""Do the modes smart, link lost and standalone follow the link and the grace period exactly?"""

from firmware.charging.mode import GRACE_MS, TABLE, Mode


def test_a_lost_link_has_its_grace_to_the_millisecond():
    mode = Mode(0)
    mode.step(1000, True)
    assert mode.now == "smart"
    assert mode.step(1020, False) and mode.now == "link_lost"
    assert not mode.step(1000 + GRACE_MS - 1, False)
    assert mode.step(1000 + GRACE_MS, False) and mode.now == "standalone"


def test_a_proven_link_makes_it_smart_from_anywhere():
    for before in TABLE:
        mode = Mode(0)
        mode.now = before
        mode.step(10 * GRACE_MS, True)
        assert mode.now == "smart"


def test_a_unit_that_never_hears_the_network_is_standalone_after_the_grace():
    mode = Mode(5000)
    mode.step(5000 + GRACE_MS, False)
    assert mode.now == "standalone"


def test_standalone_does_not_end_without_proof():
    mode = Mode(0)
    mode.step(GRACE_MS, False)
    for now_ms in range(GRACE_MS, 10 * GRACE_MS, GRACE_MS):
        assert not mode.step(now_ms, False)
