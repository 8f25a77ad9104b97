"""Are replies parsed to the right values, and truncated ones to ProtocolError?"""

import pytest

from modem import replies
from modem.errors import ProtocolError
from tests.modem.cops_samples import SAMPLES


@pytest.mark.parametrize("name, reply, networks", SAMPLES, ids=[sample[0] for sample in SAMPLES])
def test_every_captured_operator_list_is_read(name, reply, networks):
    assert [tuple(operator) for operator in replies.operators(reply)] == networks


def test_names_in_the_alphabet_that_the_modem_is_set_to():
    reply = '+COPS: (1,"A@_B","","23410",0)'
    assert replies.operators(reply, "IRA")[0].long_name == "A@_B"
    assert replies.operators(reply, "GSM")[0].long_name == "A\xa1\xa7B"


def test_a_plmn_without_quotes_is_no_range():
    reply = '+COPS: (2,"A",,"23410",0),(1,,,23415,0),,(0,1,2,3,4),(0-2)'
    assert [(one.stat, one.plmn, one.act) for one in replies.operators(reply)] == [(2, "23410", 0), (1, "23415", 0)]


VALUES = [
    (replies.signal_quality, "+CSQ: 17,0", (17, 0)),
    (replies.signal_quality, "+CSQ: 99,99", (99, 99)),
    (replies.signal_quality, "+CSQ:0,7", (0, 7)),
    (replies.signal_quality, "+CSQ: 199,99", (99, 99)),
    (replies.signal_quality, "+CSQ: 100,99", (0, 99)),  # -116 dBm
    (replies.signal_quality, "+CSQ: 131,99", (14, 99)),  # -85 dBm
    (replies.signal_quality, "+CSQ: 133,99", (15, 99)),  # -83 dBm
    (replies.signal_quality, "+CSQ: 31,99", (31, 99)),
    (replies.signal_quality, "+CSQ: 103,99", (0, 99)),  # -113 dBm
    (replies.signal_quality, "+CSQ: 105,99", (1, 99)),  # -111 dBm
    (replies.signal_quality, "+CSQ: 163,99", (30, 99)),  # -53 dBm
    (replies.signal_quality, "+CSQ: 191,99", (31, 99)),
    (replies.operator, "+COPS: 0", (0, None, None, None)),
    (replies.operator, "+COPS: 0,,", (0, None, None, None)),
    (replies.operator, "+COPS: 0,2,23415", (0, 2, "23415", None)),
    (replies.operator, '+COPS: 0,2,"23415",', (0, 2, "23415", None)),
    (replies.operator, '+COPS: 0,2,"23415",7,', (0, 2, "23415", 7)),
    (replies.operator, '+COPS: 0,2,""', (0, 2, None, None)),
    (replies.operator, '+COPS: 0,2,"23415"', (0, 2, "23415", None)),
    (replies.operator, '+COPS: 4,0,"vodafone, UK",7', (4, 0, "vodafone, UK", 7)),
    (replies.registration, "+CREG: 0,1", (1, None, None, None)),
    (replies.registration, '+CGREG: 2,5,"00C3","1A2B"', (5, 0xC3, 0x1A2B, None)),
    (replies.registration, '+CGREG: 2,5,"00C3","1A2B",7', (5, 0xC3, 0x1A2B, 7)),
    (replies.registration, '+CREG: 1,"00C3","1A2B"', (1, 0xC3, 0x1A2B, None)),
    (replies.registration, "+CREG: 1,00C3,1A2B", (1, 0xC3, 0x1A2B, None)),
    (replies.registration, '+CREG: 0,"",""', (0, None, None, None)),
    (replies.registration, "+CREG: 3", (3, None, None, None)),
    (replies.sim_state, "+CPIN: READY", "READY"),
    (replies.sim_state, "+CPIN: NOT INSERTED", "NOT INSERTED"),
    (replies.cme_error, "+CME ERROR: 10", (10, "SIM not inserted")),
    (replies.cme_error, "+CME ERROR 111", (111, "PLMN not allowed")),
    (replies.cme_error, "+CME ERROR: SIM not inserted", (10, "SIM not inserted")),
    (replies.cme_error, "+CME ERROR: 9999", (9999, None)),
    (replies.cme_error, "+CME ERROR: something else", (None, "something else")),
    (replies.cme_error, "+CME ERROR:", (None, None)),
    (replies.clock, '+CCLK: "24/02/29,12:34:56+04"', 1709206496),  # 11:34:56 UTC
    (replies.clock, '+CCLK: "25/12/31,23:59:59-20"', 1767243599),  # 04:59:59 UTC, and the next year
    (replies.clock, '+CCLK: "24/01/01,00:00:60+00"', 1704067260),  # a leap second
    (replies.clock, '+CCLK: "24/12/31,23:59:00+56"', 1735639140),  # 09:59 UTC: 14 h ahead
    (replies.clock, '+CCLK: "23/12/31,23:59:59+00"', None),
    (replies.clock, '+CCLK: "69/12/31,23:59:59+00"', 3155759999),
    (replies.clock, '+CCLK: "70/01/01,00:00:00+00"', None),
    (replies.clock, '+CCLK: "04/01/01,00:00:10+00"', None),  # never received the time
    (replies.clock, '+CCLK: "80/01/06,00:00:10+00"', None),
    (replies.clock, '+CCLK: "80/01/06,07:09:04"', None),  # captured from a SIM7600 (LE20B03SIM7600M22)
    (replies.operator, '+COPS: 0,2,"2341512"', (0, 2, "2341512", None)),  # quicksilver
    (replies.setting, "+CFUN: 1", 1),
    (replies.forbidden, '+CRSM: 144,0,"62F21013006232F451FFFFFF"', ["26201", "310260", "23415"]),
    (replies.forbidden, '+CRSM: 144,0,"FFFFFFFFFFFFFFFFFFFFFFFF"', []),
]


@pytest.mark.parametrize("parse, text, value", VALUES, ids=[row[1] for row in VALUES])
def test_a_reply_becomes_its_value(parse, text, value):
    assert parse(text) == value


TORN = [
    (replies.signal_quality, ""),
    (replies.signal_quality, "+CSQ: 1"),
    (replies.signal_quality, "+CSQ: 17,"),
    (replies.signal_quality, "+CSQ: 32,0"),
    (replies.signal_quality, "+CSQ: 192,99"),
    (replies.signal_quality, "+CSQ: 200,99"),
    (replies.signal_quality, "+CSQ: 17,8"),
    (replies.signal_quality, "+CSQ: 17,0,0"),
    (replies.signal_quality, "+CSQ: -7,0"),
    (replies.signal_quality, "+CSQ: \u0661\u0667,0"),  # digits, but not ASCII
    (replies.operator, "+COPS: "),
    (replies.operator, '+COPS: 0,2,"234'),
    (replies.operator, '+COPS: 0,2,"23x15"'),
    (replies.operator, "+COPS: 0,0,vodafone"),
    (replies.operator, "+COPS: 0,2,2341"),
    (replies.operator, "+COPS: 0,2,"),
    (replies.operator, '+COPS: 0,2,"23415123"'),
    (replies.operator, '+COPS: 0,2,"23415",7,8'),
    (replies.operator, "+COPS: 0,2"),
    (replies.registration, "+CSQ: 17,0"),
    (replies.registration, "+CREG: "),
    (replies.registration, '+CREG: 1,"00G3","1A2B"'),
    (replies.registration, '+CREG: 1,"00C3","1A'),
    (replies.sim_state, "+CPIN:"),
    (replies.cme_error, "ERROR"),
    (replies.clock, '+CCLK: "24/02/29,12:34:5'),
    (replies.clock, '+CCLK: "24/02/29,12:34:56"'),
    (replies.clock, '+CCLK: "24/13/29,12:34:56+04"'),
    (replies.clock, '+CCLK: "26/02/29,12:34:56+04"'),  # no leap year
    (replies.clock, '+CCLK: "24/04/31,12:34:56+04"'),
    (replies.clock, '+CCLK: "24/01/00,12:34:56+04"'),
    (replies.clock, '+CCLK: "24-02-29,12:34:56+04"'),
    (replies.clock, '+CCLK: "24/00/01,12:34:56+04"'),
    (replies.clock, '+CCLK: "24/02/29,24:00:00+04"'),
    (replies.clock, '+CCLK: "24/02/29,12:60:00+04"'),
    (replies.clock, '+CCLK: "24/02/29,12:34:61+04"'),
    (replies.clock, '+CCLK: "24/02/29,12:34:56+57"'),
    (replies.clock, '+CCLK: "24/02/29,12:34:56+04",1'),
    (replies.setting, "+CFUN: "),
    (replies.setting, ""),
    (replies.forbidden, '+CRSM: 148,4,""'),
    (replies.forbidden, '+CRSM: 144,0,"62X210"'),
    (replies.forbidden, "+CRSM: 144,0"),
    (replies.operators, "+COPS: (1,"),
    (replies.operators, '+COPS: (1,"A","B","23410",0'),
    (replies.operators, '+COPS: (1,"A","B","234x0",0)'),
    (replies.operators, '+COPS: (x,"A","B","23410",0)'),
    (replies.operators, '+COPS: (1,"A","B","0032003100340G300037",0)'),
    (replies.operators, "OK"),
]


@pytest.mark.parametrize("parse, text", TORN, ids=[row[1] for row in TORN])
def test_a_torn_reply_is_no_value_and_the_error_shows_it(parse, text):
    with pytest.raises(ProtocolError) as refused:
        parse(text)
    assert refused.value.text in text
