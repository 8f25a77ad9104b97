"""Does the installer get the right verdict, and do all signal scales agree?"""

import pytest

from modem import signal


@pytest.mark.parametrize("csq, dbm", [(0, -113), (14, -85), (15, -83), (31, -51), (99, None)])
def test_dbm_of_csq(csq, dbm):
    assert signal.dbm_from_csq(csq) == dbm


@pytest.mark.parametrize(
    "dbm, csq", [(-130, 0), (-113, 0), (-112, 0), (-85, 14), (-84, 14), (-83, 15), (-51, 31), (-20, 31)]
)
def test_csq_of_dbm(dbm, csq):
    assert signal.csq_from_dbm(dbm) == csq


@pytest.mark.parametrize("rxlev, csq", [(0, 1), (26, 14), (27, 15), (63, 31)])
def test_csq_of_rxlev(rxlev, csq):
    assert signal.csq_from_rxlev(rxlev) == csq


def test_every_csq_survives_the_way_through_dbm():
    for csq in range(32):
        assert signal.csq_from_dbm(signal.dbm_from_csq(csq)) == csq


VERDICTS = [
    ("fifteen passes", [15] * 10, "pass", 15),
    ("exactly fourteen fails", [14] * 10, "fail", 14),
    ("nine readings are too few", [31] * 9, "unknown", 31),
    ("ninety-nine is no reading", [31] * 9 + [99] * 20, "unknown", 31),
    ("nor does it weigh", [15] * 10 + [99] * 20, "pass", 15),
    ("the median, not the mean", [31, 31, 31, 31, 14, 14, 14, 14, 14, 14, 14], "fail", 14),
    ("half of them above", [14] * 5 + [15] * 5, "pass", 14.5),
    ("the order does not matter", [20, 2, 20, 2, 20, 2, 20, 2, 20, 2, 20], "pass", 20),
]


@pytest.mark.parametrize("name, samples, verdict, median", VERDICTS, ids=[row[0] for row in VERDICTS])
def test_verdict(name, samples, verdict, median):
    found = signal.verdict(samples)
    assert (found.verdict, found.median) == (verdict, median)


@pytest.mark.parametrize("samples", [[], [99], [99] * 50])
def test_without_a_reading_there_is_no_verdict(samples):
    assert signal.verdict(samples) == ("unknown", 0, None, None, None)


@pytest.mark.parametrize("csq, expected", [(14, False), (15, True), (31, True), (99, False)])
def test_one_strength(csq, expected):
    assert signal.passes(csq) is expected
