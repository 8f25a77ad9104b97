"""Is every form of registration that modems write parsed, and everything uncertain left out?"""

import pytest

from modem.errors import ProtocolError
from modem.registration import is_urc, registration
from tests.modem.registration_captures import CAPTURES

# Captured from modems of many makers, and forms of the standard.
READ = [
    ("+CREG: 0,1", (1, None, None, None)),
    ("+CREG: 1,10", (10, None, None, None)),  # <stat> of two digits
    ("+CGREG: 3", (3, None, None, None)),
    ("+CREG: 2,1,84CD,00D30173", (1, 0x84CD, 0xD30173, None)),
    ("+CREG: 1,84CD,00D30156", (1, 0x84CD, 0xD30156, None)),
    ('+CREG: 2,1,"CE00","01CEAD8F"', (1, 0xCE00, 0x1CEAD8F, None)),
    ('+CREG: 1,"CE00","00005449"', (1, 0xCE00, 0x5449, None)),
    ("+CREG: 2,0,00,0", (0, 0, 0, None)),
    ("+CREG: 2,8BE3,2B9C", (2, 0x8BE3, 0x2B9C, None)),
    ("+CREG: 2,,", (2, None, None, None)),
    ('+CREG:002,001,"18d8","ffff"', (1, 0x18D8, 0xFFFF, None)),
    ('+CREG:002,001,"0001","0010"', (1, 1, 0x10, None)),
    ("+CREG: 2,1,0001,0010", (1, 1, 0x10, None)),
    ("+CREG: 2,1,000B,2816, B, C2816", (1, 0xB, 0x2816, None)),  # its AcT is not in the standard
    ('+CREG: 2, 1, "0426", "F0,0F"', (1, 0x426, None, None)),
    ('+CGREG: 1,"1422","00000142",3,"00"', (1, 0x1422, 0x142, 3)),
    ('+CGREG: 2,1,"1422","00000142",3,"00"', (1, 0x1422, 0x142, 3)),
    ('+CGREG: 2,1,"1422","00000142","00",3', (1, 0x1422, 0x142, 3)),
    ("+CGREG: 1,1422,00000142,0A,3", (1, 0x1422, 0x142, 3)),
    ("+CEREG: 2,1, 1F00, 79D903 ,7", (1, 0x1F00, 0x79D903, 7)),
    ("+CEREG: 1, 1F00, 79D903 ,7", (1, 0x1F00, 0x79D903, 7)),
    ("+CEREG: 1, 2, 0001, 00000100, 7", (2, 1, 0x100, 7)),
    ("+CEREG: 2, 0001, 00000100, 7", (2, 1, 0x100, 7)),
    ("+CEREG: 2,1, 1F00, 20 ,  79D903 ,7", (1, 0x1F00, 0x79D903, 7)),
    ("+CEREG: 1, 1F00, 20 ,  79D903 ,7", (1, 0x1F00, 0x79D903, 7)),
    ('+CGREG: 2,"81ED","1A9CEB"', (2, 0x81ED, 0x1A9CEB, None)),
    ('+CEREG: 4,1,"1F00","79D903",7,,,"00000110","00100001"', (1, 0x1F00, 0x79D903, 7)),
    ('+CGREG: 5,1,"1F00","79D903",7,"01",0,3,"00000110","00100001","00000001"', (1, 0x1F00, 0x79D903, 7)),
    ('+CREG: 3,3,"1F00","79D903",7,0,15', (3, 0x1F00, 0x79D903, 7)),
    ("+CEREG: 5,3,,,,0,15", (3, None, None, None)),
    ("+CREG: 3,3,1F00,79D903,7,2,15", (3, 0x1F00, 0x79D903, None)),  # a type of cause is 0 or 1
    ("+CREG: 3,3,1F00,79D903,7,1,255", (3, 0x1F00, 0x79D903, 7)),
    ("+CREG: 3,3,1F00,79D903,7,1,256", (3, 0x1F00, 0x79D903, None)),
    ("+CGREG: 2,1,1422,00000142,07,13", (1, 0x1422, 0x142, 13)),  # a routing area of two digits is before its AcT
    ('+CREG: 10,"00C3","1A2B",7', (10, 0xC3, 0x1A2B, 7)),
    ('+CREG: 2,1,"00 C3","  1A2B"', (1, 0xC3, 0x1A2B, None)),
    ('+CREG: 2,1,"00C3","1A2B",', (1, 0xC3, 0x1A2B, None)),
    ("+CGREG: 2,1,,,,", (1, None, None, None)),
]

NOT_CERTAIN = [
    ("+CREG: 1,1F00,20,12,7", (1, 0x1F00, None, None)),  # the cell follows or precedes a routing area
    ("+CGREG: 1,1422,0142,7,8", (1, 0x1422, 0x142, None)),  # AcT follows or precedes a routing area
]

REFUSED = [
    "+CREG: ",
    "+CREG: ,,",
    "+CREG: 84",
    "+CREG: 6,1",
    "+CREG: 2,1,",
    '+CREG: 1,"00G3","1A2B"',
    '+CREG: 1,"00C3","1A',
    '+CREG: 1,"100C3","1A2B"',  # an area code has two bytes
    "+CREG: 1,10,20,7",  # <stat> 1 or 10
    '+CREG: 1  5 ,"1234","5678"',
    '+CREG: 2,"1","00C3","1A2B"',
    "+CREG: \u0661",
    "+CSQ: 17,0",
    '+CEREG: 5,"88ce"',  # truncated: an area without its cell
    '+CEREG: 1,"7725","0138E000",7,,,"00000010","00000',
    '+CEREG: 1,"7725","0138E000",7,,,"00000010","00000"',  # a timer has eight bits
    "+CREG: 3,3,0,11",  # causes without the fields before them
    '+CEREG: 2,5,"x"',
    "+CREG: 0,1x",
    '+CEREG: 5,"00C3","10012345AB",7',  # a cell of more than 36 bits
]


@pytest.mark.parametrize("text, expected", READ + NOT_CERTAIN, ids=[row[0] for row in READ + NOT_CERTAIN])
def test_a_registration_is_read(text, expected):
    assert registration(text) == expected


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_registration_is_refused(text):
    with pytest.raises(ProtocolError) as refused:
        registration(text)
    assert refused.value.text == text


@pytest.mark.parametrize("where, text, urc, expected", CAPTURES, ids=[row[1] for row in CAPTURES])
def test_what_modems_wrote(where, text, urc, expected):
    assert registration(text) == expected, where
    assert is_urc(text) == urc, where
