"""Are the responses of SIMCom's own commands parsed as in the manual, and is a truncated one an error?"""

import pytest

from modem.errors import CommandError, ProtocolError
from modem.families import sim800, sim800_setup, simcom
from tests.modem.scripted import PAYLOAD, line, scripted

VALUES = [
    (sim800_setup.cipstatus, "STATE: IP INITIAL", "IP INITIAL"),
    (
        sim800_setup.cipstatus,
        'STATE: IP PROCESSING\nC: 0,0,"TCP","1.2.3.4","80","CONNECTED"\nC: 1,,"","","","INITIAL"',
        "IP PROCESSING",
    ),
    (simcom.cipack, "+CIPACK: 100,90,10", (100, 90, 10)),
]


@pytest.mark.parametrize("parse, text, value", VALUES, ids=[row[1] for row in VALUES])
def test_a_reply_becomes_its_value(parse, text, value):
    assert parse(text) == value


def test_every_cell_of_every_operator():
    text = (
        'Operator:"vodafone, UK",MCC:234,MNC:15,Rxlev:41,Cellid:2A30,Arfcn:40,Lac:1F4,Bsic:20\n'
        'Operator:"T-Mobile",MCC:310,MNC:260,Rxlev:7,Cellid:0,Arfcn:512'
    )
    assert sim800_setup.cells(text) == [
        ("vodafone, UK", "23415", 41, 0x2A30, 40, 0x1F4, 0x20),
        ("T-Mobile", "310260", 7, 0, 512, None, None),
    ]
    assert sim800_setup.cells("") == []


TORN = [
    (sim800_setup.cells, 'Operator:"EE",MCC:234'),
    (sim800_setup.cells, 'Operator:"EE",MCC:234,MNC:30,Rxlev:'),
    (sim800_setup.cells, 'Operator:"EE",MCC:234,MNC:30,Rxlev:5,Lac'),
    (sim800_setup.cells, 'Operator:"EE",MCC:23,MNC:30,Rxlev:5'),
    (sim800_setup.cells, 'Operator:"EE",MCC:2344,MNC:30,Rxlev:5'),
    (sim800_setup.cells, 'Operator:"EE",MCC:234,MNC:3,Rxlev:5'),
    (sim800_setup.cells, 'Operator:"EE",MCC:234,MNC:3000,Rxlev:5'),
    (sim800_setup.cells, 'Operator:"EE",MCC:234,MNC:3x,Rxlev:5'),
    (sim800_setup.cells, 'Operator:"EE",MCC:x34,MNC:30,Rxlev:5'),
    (sim800_setup.cells, "OK then"),
    (sim800_setup.cipstatus, "STATE:"),
    (sim800_setup.cipstatus, 'C: 0,0,"TCP","1.2.3.4","80","CONNECTED"'),
    (simcom.cipack, "+CIPACK: 100,90"),
]


@pytest.mark.parametrize("parse, text", TORN, ids=[row[1] for row in TORN])
def test_a_torn_reply_is_an_error(parse, text):
    with pytest.raises(ProtocolError) as refused:
        parse(text)
    assert refused.value.text == text


def test_send_fail_is_a_refusal():
    modem, _, _ = scripted({PAYLOAD: line("0, SEND FAIL")})
    with pytest.raises(CommandError):
        sim800.FAMILY.send(modem, 0, memoryview(b"12345"), 1_000)


def test_what_another_connection_accepted_is_not_ours():
    modem, _, _ = scripted({PAYLOAD: line("DATA ACCEPT:1,5")})
    with pytest.raises(ProtocolError):
        sim800.FAMILY.send(modem, 0, memoryview(b"12345"), 1_000)
