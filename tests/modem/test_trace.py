"""Is a trace short, free of secrets, and sufficient to replay the dialogue?"""

import pytest

from modem.errors import CommandError
from modem.stream import Stream
from modem.trace import LIMIT_BYTES, LINE_LIMIT_CHARS, Trace, redacted
from tests.modem.replayed import replayed
from tests.modem.scripted import OK, PAYLOAD, line, scripted


@pytest.mark.parametrize(
    "said,kept",
    [
        ('AT+CSTT="internet","user","hunter2"', 'AT+CSTT="internet","***","***"'),
        ("AT+CPIN=1234", "AT+CPIN=***"),
        ("867856030000017", "000000000000017"),
        ("8944501012199900017F", "0000000000000000017F"),
        ("IMEI: 867856030004217", "IMEI: 000000000004217"),
        ('+CCID: "8944501012199900017F",901405100004217', '+CCID: "0000000000000000017F",000000000004217'),
        ("35-209900176148/1 at 12345678901234", "35-209900176148/1 at 00000000001234"),
        ("1234567890123", "1234567890123"),
        ('+CMT: "+447700900123",,"26/11/26,10:00:00+00"', "+CMT:***"),
        ("+CSQ: 17,0", "+CSQ: 17,0"),
        ("10.64.0.17", "10.64.0.17"),
    ],
)
def test_secrets_and_numbers_are_masked(said, kept):
    assert redacted(said) == kept


def test_only_the_last_4_kb_are_kept():
    trace = Trace()
    for number in range(10_000):
        trace.received(number, "+CSQ: 17,0")
    lines = trace.lines()
    assert sum([len(each) for each in lines]) <= LIMIT_BYTES
    assert lines[-1] == "9999 < +CSQ: 17,0"


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 9, 10, 11, 100])
def test_whole_lines_come_out_however_full_it_is(count):
    trace = Trace(50)
    for number in range(count):
        trace.received(number % 10, "abcde")  # ten bytes with the line end
    assert trace.lines() == ["%d < abcde" % (number % 10) for number in range(count)][-5 if count <= 5 else -4 :]


def test_one_long_line_does_not_push_out_all_others():
    trace = Trace()
    trace.sent(0, "AT+COPS=?")
    trace.received(1, "x" * 100_000)
    assert trace.lines()[0] == "0 > AT+COPS=?"


@pytest.mark.parametrize("before", range(LINE_LIMIT_CHARS - 32, LINE_LIMIT_CHARS + 2))
def test_a_number_at_the_end_of_a_cut_line_is_masked(before):
    trace = Trace()
    trace.received(0, "x" * before + "86785603000421712345")
    assert "867" not in trace.lines()[0]


def test_the_client_notes_commands_answers_and_urcs():
    modem, port, _ = scripted({"AT+CSQ": b"\r\n+CREG: 5\r\n" + line("+CSQ: 17,0") + OK})
    modem.signal_quality()
    assert [each.split(" ", 1)[1] for each in modem.trace.lines()] == ["> AT+CSQ", "< +CREG: 5", "< +CSQ: 17,0", "< OK"]


def test_payload_is_a_length_only():
    modem, port, clock = scripted({PAYLOAD: line("DATA ACCEPT:0,6")})
    modem.send_payload("AT+CIPSEND=0,6", b"secret")
    text = "\n".join(modem.trace.lines())
    assert "secret" not in text
    assert "> <6 bytes>" in text


# A trace from a unit's console: the modem sends a URC between, refuses once, and receives and sends payload.
TRACE = """
100 > AT+CSQ
104 < +CGREG: 5,"01F4","2A3B"
105 < +CSQ: 17,0
106 < OK
200 > AT+CIPSTART=0,"TCP","broker",1883
210 < OK
900 < 0, CONNECT OK
1000 > AT+CIPSEND=0,20
1004 < >
1005 > <20 bytes>
1015 < DATA ACCEPT:0,20
1400 < +CIPRXGET: 1,0
1401 > AT+CIPRXGET=2,0,1460
1404 < +CIPRXGET: 2,0,4,0
1405 < <4 bytes>
1406 < OK
1500 > AT+CIICR
1900 < +CME ERROR: 148
"""


def test_a_trace_is_a_test():
    modem, port, clock = replayed(TRACE)
    assert modem.signal_quality() == 17
    stream = Stream(modem, clock)
    stream.connect("broker", 1883)
    assert stream.write(b"x" * 20) == 20
    assert stream.read(4) == b"\0\0\0\0"
    with pytest.raises(CommandError):
        modem.command("AT+CIICR")
    assert port.done


# From `python -m modem trace`: the modem echoes, stray bytes precede its answer, and a URC comes after a silence.
RECORDED = r"""
# Trace of a modem's serial line
# 0 115200 baud
0 > AT+CSQ
1 <| AT+CSQ\r
2 <| \r\n+CRE
80 <| G: 5\r\n
81 <| \r\n\x00\xFF+CSQ: 17,0\r\n
81 < OK
"""


def test_a_recording_of_the_line_is_a_test_too():
    modem, port, clock = replayed(RECORDED)
    urcs = []
    modem.subscribe("+CREG", urcs.append)
    assert modem.signal_quality() == 17
    assert (port.done, urcs, clock.ms) == (True, ["+CREG: 5"], 81)


def test_what_is_played_back_leaves_the_same_trace():
    modem, port, clock = replayed(TRACE)
    modem.signal_quality()
    assert [each.split(" ", 1)[1] for each in modem.trace.lines()] == [
        "> AT+CSQ",
        '< +CGREG: 5,"01F4","2A3B"',
        "< +CSQ: 17,0",
        "< OK",
    ]
