"""Is the signal of an LTE cell parsed in every form that modems write, and does its CSQ agree with its RSSI?"""

import pytest

from modem.errors import ProtocolError
from modem.families import lte
from modem.signal import NO_READING

# Captures from repositories and issue threads, and the RSSI that the modem itself reports in them, dBm.
CAPTURES = [
    ("LTE,Online,228-02,0x9CA4,20964868,46,EUTRAN-BAND20,6200,3,3,-178,-1089,-742,8", (-109, -18), -74),
    ("LTE,Online,262-02,0xB0F5,13179412,448,EUTRAN-BAND1,100,4,4,-122,-1184,-874,9", (-118, -12), -87),
    ("LTE,Online,250-20,0x4D07,200468759,468,EUTRAN-BAND7,3400,3,3,-69,-900,-661,20", (-90, -7), -66),
    ("LTE,Online,310-260,0x3F29,89815063,125,EUTRAN-BAND12,5035,2,2,-196,-1167,-832,7", (-117, -20), -83),
    ("LTE,Online,510-10,0x0830,110132496,22,EUTRAN-BAND40,39092,3,3,-200,-1057,-660,4", (-106, -20), -66),
    ("LTE CAT-M1,Online,505-01,0x2036,134523149,238,EUTRAN-BAND28,9410,5,5,-20,-116,-82,6", (-116, -20), -82),
]
WITHIN_DB = 6  # for two roundings, and for a bandwidth that LTE-M does not use completely


@pytest.mark.parametrize("text, reference, rssi_dbm", CAPTURES, ids=[row[0][-20:] for row in CAPTURES])
def test_what_modems_wrote(text, reference, rssi_dbm):
    found = lte.cpsi_cell("+CPSI: " + text)
    assert found[:2] == reference
    dbm = found[0] - found[1] + found[2]
    assert abs(dbm - rssi_dbm) <= WITHIN_DB
    assert abs(2 * lte.csq(found) - 113 - rssi_dbm) <= WITHIN_DB + 1


def test_the_weakest_signal_that_can_be_is_one():
    assert lte.cell("-157", "-10") == (-157, -10, lte.USUAL_BLOCKS_DB)
    assert lte.cell("-158", "-10") is None


def test_the_index_of_the_standard():
    found = lte.cpsi_cell("+CPSI: LTE,Online,252-02,0x260A,196089506,299,EUTRAN-BAND7,2850,5,5,21,47,43,17")
    assert found == (-94, -10, 20)


@pytest.mark.parametrize(
    "rsrp, rsrq, found",
    [
        ("0", "0", (-141, -20)),
        ("97", "34", (-44, -3)),
        ("98", "34", None),
        ("97", "35", None),
        ("-29", "3", (-29, 3)),
        ("-28", "3", None),
        ("-29", "4", None),
        ("-100", "-44", (-100, -44)),
        ("-100", "-45", None),
        ("-1570", "-95", (-157, -10)),
        ("-1576", "-95", None),
        ("-1000", "15", (-100, 2)),
    ],
)
def test_the_range_of_each_scale(rsrp, rsrq, found):
    assert lte.cell(rsrp, rsrq, 17) == (found and found + (17,))


NO_SIGNAL = [
    "+CPSI: NO SERVICE,Online",
    "+CPSI: GSM,Online,460-00,0x1816,63905,81 EGSM 900,-64,0,34-34",
    "+CPSI: WCDMA,Online,252-02,0x2612,-294967296,WCDMA IMT 2000,437,10687,0,-3,-83,-32768,-83,-15",
    "+CPSI: LTE,Online",
    "+CPSI: LTE,Online,310-260,0x1A2B,12345678,100,EUTRAN-BAND12,5230,3,3,-105,-10,-72,12",  # fields exchanged: no RSRP
    "+CPSI: LTE,Online,310-260,0x1A2B,12345678,100,EUTRAN-BAND12,5230,3,3,,,,",
]


def test_a_cell_has_twelve_fields_at_least():
    twelve = "+CPSI: LTE,Online,310-260,0x1A2B,12345678,100,EUTRAN-BAND12,5230,3,3,-10,-105"
    assert lte.cpsi_cell(twelve) == (-105, -10, lte.BLOCKS_DB[3])
    assert lte.cpsi_cell(twelve.rpartition(",")[0]) is None
    for width, blocks_db in (("0", lte.BLOCKS_DB[0]), ("5", lte.BLOCKS_DB[5]), ("6", 17), ("12", 17), ("", 17)):
        assert lte.cpsi_cell(twelve.replace(",3,3,", ",%s,3," % width))[2] == blocks_db


@pytest.mark.parametrize("text", NO_SIGNAL)
def test_what_is_no_signal_of_lte(text):
    assert lte.cpsi_cell(text) is None
    assert lte.csq(None) == NO_READING


QCSQ = [
    ('"LTE",-66,-94,142,-9', (-94, -9), -66),
    ('"CAT-M1",-79,-92,142,-9', (-92, -9), -79),
    ('"CAT-M1",-62,-101,71,-20', (-101, -20), -62),
    ('"eMTC",-65,-88,18,-8', (-88, -8), -65),
]


@pytest.mark.parametrize("text, reference, rssi_dbm", QCSQ, ids=[row[0] for row in QCSQ])
def test_what_quectels_modems_wrote(text, reference, rssi_dbm):
    found = lte.qcsq_cell("+QCSQ: " + text)
    assert found[:2] == reference
    assert lte.csq(found) == (rssi_dbm + 113) // 2


def test_an_rssi_that_cannot_be_is_computed():
    for rssi in (18, 0):
        assert lte.qcsq_cell('+QCSQ: "LTE",%d,-100,30,-10' % rssi) == (-100, -10, lte.USUAL_BLOCKS_DB)


@pytest.mark.parametrize("text", ['"NOSERVICE"', '"GSM",-69', '"WCDMA",-69,-80,-5', '"LTE",-66,,142,-9'])
def test_what_is_no_signal_of_lte_with_quectel(text):
    assert lte.qcsq_cell("+QCSQ: " + text) is None


def test_a_torn_reply_is_an_error():
    with pytest.raises(ProtocolError):
        lte.cpsi_cell("+CPS")
