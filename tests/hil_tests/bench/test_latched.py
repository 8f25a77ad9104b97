"""Does a loss of supply with a wrong end count as a broken promise?"""

from collections import Counter

from hil_tests.bench.latched import BROWN_OUT, CUT, Latched


def test_what_units_found_is_joined_and_reported() -> None:
    together = Latched(seed=7)
    together.join(Latched(7, Counter({BROWN_OUT: 2}), Counter({"rcd_ac": 2}), young=1, again=1))
    together.join(Latched(8, Counter({CUT: 1}), Counter({"rcd_dc": 1}), kept_in_mixture=1))
    assert together.held()
    report = "\n".join(together.report())
    assert "fault: 3, seed 7; 1 more" in report and "wrong: 0" in report


def test_one_that_is_wrong_is_not_held() -> None:
    together = Latched()
    together.join(Latched(0, Counter({CUT: 1}), wrong=["0: rcd_ac: not latched any more"]))
    assert not together.held() and "not latched any more" in together.report()[-1]


def test_nothing_that_was_measured_is_not_held() -> None:
    assert not Latched().held()
