"""Does the tokenizer classify every byte of a dialogue correctly, however the bytes are split?"""

import pytest

from modem import at
from modem.families import sim800

NASTY = b"\r\nOK\r\nERROR\r\n> \r\n0, CLOSED\r\n+CREG: 0\r\n+CIPRXGET: 2,0,4,0\r\n\x00\xff\xfe\x1a"


def tokenizer(**limits):
    return at.Tokenizer(sim800.FAMILY.URCS, sim800.FAMILY.LINK_URCS, **limits)


def events_of(data, expectation=None, pieces=None, size=None):
    """Return the events of `data`, split into `pieces`, with `expectation` set before, and the payload that arrived."""
    subject = tokenizer()
    payload = bytearray(size or 64)
    if expectation is not None:
        expectation = dict(expectation)
        if "header" in expectation:
            expectation["payload"] = payload
        subject.expect(**expectation)
    events = []
    for piece in pieces or [data]:
        events += subject.feed(piece)
    return events, bytes(payload)


CSQ = {"echo": "AT+CSQ", "info": ("+CSQ:",)}
RXGET = {"echo": "AT+CIPRXGET=2,0,64", "info": ("+CIPRXGET: 2,",), "header": "+CIPRXGET: 2,0,"}
CARECV = {"echo": "AT+CARECV=0,64", "info": ("+CARECV:",), "header": "+CARECV: ,"}
QIRD = {"echo": "AT+QIRD=0,1,0,64", "info": ("+QIRD:",), "header": ",TCP,"}
SEND = {"echo": "AT+CIPSEND=0,5", "ends": ("DATA ACCEPT:", "SEND OK", "SEND FAIL"), "prompt": "> "}
BARE = {"echo": "AT+CIPSEND=0,5", "info": ("+CIPSEND:",), "last": "+CIPSEND:", "prompt": ">"}
STATUS = {"echo": "AT+CIPSTATUS", "info": ("STATE:", "C:"), "last": "C: 5"}
ADDRESS = {"echo": "AT+CIFSR", "info": ("",), "last": ""}

# Name, expectation, bytes, events.
DIALOGUES = [
    ("echo, answer, result", CSQ, b"AT+CSQ\r\r\n+CSQ: 17,0\r\n\r\nOK\r\n",
     [("echo", "AT+CSQ"), ("info", "+CSQ: 17,0"), ("final", "OK")]),
    ("unsolicited within an answer", CSQ, b"\r\n+CREG: 5\r\n\r\n+CSQ: 17,0\r\n\r\n0, CLOSED\r\n\r\nOK\r\n",
     [("urc", "+CREG: 5"), ("info", "+CSQ: 17,0"), ("urc", "0, CLOSED"), ("final", "OK")]),
    ("after the result nothing is pending", CSQ, b"\r\nOK\r\n\r\n+CSQ: 17,0\r\n\r\nOK\r\n",
     [("final", "OK"), ("urc", "+CSQ: 17,0"), ("unexpected", "OK")]),
    ("refused", CSQ, b"\r\n+CME ERROR: 10\r\n", [("final", "+CME ERROR: 10")]),
    ("refused as the manual writes it", CSQ, b"\r\n+CME ERROR 10\r\n", [("final", "+CME ERROR 10")]),
    ("nothing is pending", None, b"\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\nOK\r\n\r\nERROR\r\n",
     [("urc", "RDY"), ("urc", "+CFUN: 1"), ("unexpected", "OK"), ("unexpected", "ERROR")]),
    ("unknown to any table", None, b"\r\n+XYZ: 1\r\n\r\n^MODE: 3\r\nwhat\r\n",
     [("urc", "+XYZ: 1"), ("urc", "^MODE: 3"), ("unexpected", "what")]),
    ("asked and unasked registration", {"echo": "AT+CREG?", "info": ("+CREG:",)},
     b'\r\n+CREG: 1,"00C3","1A2B"\r\n\r\n+CREG: 2,5,"00C3","1A2B"\r\n\r\n+CREG: 1\r\n\r\nOK\r\n',
     [("urc", '+CREG: 1,"00C3","1A2B"'), ("info", '+CREG: 2,5,"00C3","1A2B"'), ("urc", "+CREG: 1"), ("final", "OK")]),
    ("unasked registration without quotes", {"echo": "AT+CREG?", "info": ("+CREG:",)},
     b"\r\n+CREG: 1,84CD,00D30156\r\n\r\n+CREG: 2,1,84CD,00D30156\r\n\r\n+CREG: 2,,\r\n\r\nOK\r\n",
     [("urc", "+CREG: 1,84CD,00D30156"), ("info", "+CREG: 2,1,84CD,00D30156"), ("urc", "+CREG: 2,,"), ("final", "OK")]),
    ("a stray byte before each line", CSQ, b"\xffAT+CSQ\r\r\n\x00+CSQ: 17,0\r\n\x00\xffRDY\r\n\xff\r\n\x00OK\r\n",
     [("echo", "AT+CSQ"), ("info", "+CSQ: 17,0"), ("urc", "RDY"), ("unexpected", "\xff"), ("final", "OK")]),
    ("stray bytes before a prompt and its result", SEND, b"\r\n\x00\xff> \r\n\x00DATA ACCEPT:0,5\r\n",
     [("prompt", ""), ("final", "DATA ACCEPT:0,5")]),
    ("a stray byte before payload's header", RXGET, b"\r\n\x00+CIPRXGET: 2,0,3,0\r\n\x00OK\r\n\xffOK\r\n",
     [("info", "+CIPRXGET: 2,0,3,0"), ("payload", 3), ("final", "OK")]),
    ("a stray byte before what is not known", CSQ, b"\x00what\r\n\x00+CSX: 3\r\n+CSQ: 17,0\r\nOK\r\n",
     [("unexpected", "\x00what"), ("unexpected", "\x00+CSX: 3"), ("info", "+CSQ: 17,0"), ("final", "OK")]),
    ("one list over two lines", {"echo": "AT+COPS=?", "info": ("+COPS:", "(")},
     b'\r\n+COPS: (2,"T - Mobile",,"31026",0),\r\n(1,"AT&T",,"310410",0),,(0,1,3),(0,2)\r\n\r\nOK\r\n',
     [("info", '+COPS: (2,"T - Mobile",,"31026",0),'), ("info", '(1,"AT&T",,"310410",0),,(0,1,3),(0,2)'),
      ("final", "OK")]),
    ("payload that looks like everything", RXGET,
     b"\r\n+CIPRXGET: 2,0,%d,7\r\n" % len(NASTY) + NASTY + b"\r\nOK\r\n",
     [("info", "+CIPRXGET: 2,0,%d,7" % len(NASTY)), ("payload", len(NASTY)), ("final", "OK")]),
    ("unsolicited before and behind payload", RXGET,
     b"\r\n+CIPRXGET: 1,0\r\n\r\n+CIPRXGET: 2,0,2,0\r\nOK\r\n\r\n+CREG: 2\r\n\r\nOK\r\n",
     [("urc", "+CIPRXGET: 1,0"), ("info", "+CIPRXGET: 2,0,2,0"), ("payload", 2), ("urc", "+CREG: 2"), ("final", "OK")]),
    ("payload in the line of its header", CARECV,
     b"AT+CARECV=0,64\r\r\n+CARECV: %d," % len(NASTY) + NASTY + b"\r\n\r\nOK\r\n",
     [("echo", "AT+CARECV=0,64"), ("info", "+CARECV: %d" % len(NASTY)), ("payload", len(NASTY)), ("final", "OK")]),
    ("lines with commas around payload in a line", CARECV,
     b"\r\n+CREG: 2,1\r\n\r\n+CARECV: 2,AB\r\n\r\n+CREG: 2,5\r\n\r\nOK\r\n",
     [("urc", "+CREG: 2,1"), ("info", "+CARECV: 2"), ("payload", 2), ("urc", "+CREG: 2,5"), ("final", "OK")]),
    ("a stray byte before payload in a line", CARECV, b"\r\n\x00+CARECV: 3,\r\n\x00\r\n\r\nOK\r\n",
     [("info", "+CARECV: 3"), ("payload", 3), ("final", "OK")]),
    ("no payload in a line", CARECV, b"\r\n+CARECV: 0\r\n\r\nOK\r\n", [("info", "+CARECV: 0"), ("final", "OK")]),
    ("payload behind a link's number, which no firmware was seen to send", CARECV,
     b"\r\n+CARECV: 0,5,hello\r\n\r\nOK\r\n",
     [("info", "+CARECV: 0"), ("unexpected", "5,hello"), ("final", "OK")]),
    ("a byte of the payload in a line is missing", CARECV, b"\r\n+CARECV: 5,ABCD\r\n\r\nOK\r\n",
     [("info", "+CARECV: 5"), ("payload", 5), ("broken", "payload not followed by a line end"), ("final", "OK")]),
    ("a comma of payload's header is missing", CARECV, b"\r\n+CARECV: 4ABCD\r\n\r\nOK\r\n",
     [("info", "+CARECV: 4ABCD"), ("final", "OK")]),
    ("payload behind an address", QIRD, b"\r\n+QIRD: 127.0.0.1:1883,TCP,%d\r\n" % len(NASTY) + NASTY + b"\r\nOK\r\n",
     [("info", "+QIRD: 127.0.0.1:1883,TCP,%d" % len(NASTY)), ("payload", len(NASTY)), ("final", "OK")]),
    ("nothing behind an address", QIRD, b"\r\nOK\r\n", [("final", "OK")]),
    ("no payload at all", RXGET, b"\r\n+CIPRXGET: 2,0,0,0\r\n\r\nOK\r\n",
     [("info", "+CIPRXGET: 2,0,0,0"), ("final", "OK")]),
    ("a byte of the payload is missing", RXGET, b"\r\n+CIPRXGET: 2,0,5,0\r\nABCD\r\nOK\r\n",
     [("info", "+CIPRXGET: 2,0,5,0"), ("payload", 5), ("broken", "payload not followed by a line end"), ("final", "OK")]),
    ("two bytes of the payload are missing", RXGET, b"\r\n+CIPRXGET: 2,0,5,0\r\nABC\r\nOK\r\n",
     [("info", "+CIPRXGET: 2,0,5,0"), ("payload", 5), ("broken", "payload not followed by a line end"), ("final", "OK")]),
    ("more payload than asked for", RXGET, b"\r\n+CIPRXGET: 2,0,65,0\r\n\r\nOK\r\n",
     [("info", "+CIPRXGET: 2,0,65,0"), ("broken", "no usable payload size"), ("final", "OK")]),
    ("no size", RXGET, b"\r\n+CIPRXGET: 2,0,\r\n\r\nOK\r\n",
     [("info", "+CIPRXGET: 2,0,"), ("broken", "no usable payload size"), ("final", "OK")]),
    ("prompt", SEND, b"AT+CIPSEND=0,5\r\r\n> \r\nDATA ACCEPT:0,5\r\n",
     [("echo", "AT+CIPSEND=0,5"), ("prompt", ""), ("final", "DATA ACCEPT:0,5")]),
    ("unsolicited before the prompt", SEND, b"\r\n+CREG: 5\r\n\r\n> ", [("urc", "+CREG: 5"), ("prompt", "")]),
    ("unsolicited within the prompt", SEND, b"\r\n>\r\n+CREG: 5\r\n \r\nDATA ACCEPT:0,5\r\n",
     [("prompt", ""), ("urc", "+CREG: 5"), ("final", "DATA ACCEPT:0,5")]),
    ("no prompt: the connection is gone", SEND, b"\r\n+CME ERROR: 3\r\n", [("final", "+CME ERROR: 3")]),
    ("a greater-than sign begins another line", SEND, b">>1\r\n> ", [("unexpected", ">>1"), ("prompt", "")]),
    ("a prompt nobody asked for", CSQ, b"\r\n> \r\nOK\r\n", [("unexpected", ">"), ("final", "OK")]),
    ("sent with an acknowledgement", SEND, b"\r\n> \r\n0, SEND OK\r\n", [("prompt", ""), ("final", "0, SEND OK")]),
    ("not sent", SEND, b"\r\n> \r\n0,SEND FAIL\r\n", [("prompt", ""), ("final", "0,SEND FAIL")]),
    ("answer behind its OK", STATUS, b'\r\nOK\r\n\r\nSTATE: IP STATUS\r\n\r\nC: 0,,"","","",""\r\nC: 5,,"","","",""\r\n',
     [("accepted", "OK"), ("info", "STATE: IP STATUS"), ("info", 'C: 0,,"","","",""'), ("info", 'C: 5,,"","","",""'),
      ("final", "OK")]),
    ("prompt without a space, and the result behind OK", BARE, b"\r\n>\r\nOK\r\n\r\n+CIPSEND: 0,5,5\r\n",
     [("prompt", ""), ("accepted", "OK"), ("info", "+CIPSEND: 0,5,5"), ("final", "OK")]),
    ("prompt with a space that may lack it, and the result before OK", BARE, b"\r\n> \r\n+CIPSEND: 0,5,5\r\n\r\nOK\r\n",
     [("prompt", ""), ("info", "+CIPSEND: 0,5,5"), ("accepted", "OK"), ("final", "OK")]),
    ("an error behind what else is the result", BARE, b"\r\n>\r\n+CIPSEND: 0,4\r\n\r\nERROR\r\n",
     [("prompt", ""), ("info", "+CIPSEND: 0,4"), ("final", "ERROR")]),
    ("answer without any OK", ADDRESS, b"\r\n0, CLOSED\r\n\r\n10.64.0.17\r\n",
     [("urc", "0, CLOSED"), ("info", "10.64.0.17"), ("final", "OK")]),
    ("result of its own", {"echo": "AT+CIPSHUT", "ends": ("SHUT OK",)}, b"\r\n+PDP: DEACT\r\n\r\nSHUT OK\r\n",
     [("urc", "+PDP: DEACT"), ("final", "SHUT OK")]),
    ("result with its connection before it", {"echo": "AT+CIPCLOSE=1,1", "ends": ("CLOSE OK",)},
     b"\r\n0, CLOSED\r\n\r\n1, CLOSE OK\r\n", [("urc", "0, CLOSED"), ("final", "1, CLOSE OK")]),
    ("cells without a prefix of their own", {"echo": "AT+CNETSCAN", "info": ("Operator:",)},
     b'\r\nOperator:"EE",MCC:234,MNC:30,Rxlev:20,Cellid:2A30,Arfcn:40\r\n\r\nOK\r\n',
     [("info", 'Operator:"EE",MCC:234,MNC:30,Rxlev:20,Cellid:2A30,Arfcn:40'), ("final", "OK")]),
    ("old results before the first info line", {"echo": "AT+CMEE?", "info": ("+CMEE:",), "info_first": True},
     b"\r\nOK\r\n\r\nERROR\r\n\r\n+CMEE: 1\r\n\r\nOK\r\n",
     [("unexpected", "OK"), ("unexpected", "ERROR"), ("info", "+CMEE: 1"), ("final", "OK")]),
    ("noise", None, b"\xff\xfe\x80\r\n\x00\r\n", [("unexpected", "\xff\xfe\x80"), ("unexpected", "\x00")]),
]  # fmt: skip


@pytest.mark.parametrize("name, expectation, data, expected", DIALOGUES, ids=[row[0] for row in DIALOGUES])
def test_each_line_is_classified_once(name, expectation, data, expected):
    assert events_of(data, expectation)[0] == expected


@pytest.mark.parametrize("name, expectation, data, expected", DIALOGUES, ids=[row[0] for row in DIALOGUES])
def test_cutting_changes_nothing(name, expectation, data, expected):
    """Byte by byte, and split in two at every place."""
    whole = events_of(data, expectation)
    assert events_of(data, expectation, [data[i : i + 1] for i in range(len(data))]) == whole
    for cut in range(len(data) + 1):
        assert events_of(data, expectation, [data[:cut], data[cut:]]) == whole, cut


def test_payload_arrives_untouched():
    data = b"\r\n+CIPRXGET: 2,0,%d,0\r\n" % len(NASTY) + NASTY + b"\r\nOK\r\n"
    for cut in range(len(data) + 1):
        _, payload = events_of(data, RXGET, [data[:cut], data[cut:]], size=len(NASTY))
        assert payload == NASTY, cut


def test_a_line_that_does_not_fit_is_dropped_and_counted():
    for pieces in ([b"x" * 33 + b"\r\nRDY\r\n"], [b"x"] * 33 + [b"\r\nRDY\r\n"], [b"x" * 20, b"x" * 20, b"\nRDY\r\n"]):
        subject = tokenizer(line_limit_bytes=32)
        events = []
        for piece in pieces:
            events += subject.feed(piece)
        assert events == [("broken", "line too long"), ("urc", "RDY")]
        assert subject.overlong_lines == 1


def test_a_line_that_just_fits_is_kept():
    subject = tokenizer(line_limit_bytes=32)
    assert subject.feed(b"y" * 31 + b"\r\n") == [("unexpected", "y" * 31)]


def test_giving_up_forgets_a_payload_under_way():
    """The remaining bytes are then parsed as lines: late, and without a command."""
    subject = tokenizer()
    subject.expect(payload=bytearray(64), **RXGET)
    subject.feed(b"\r\n+CIPRXGET: 2,0,10,0\r\nABC")
    subject.expect_nothing()
    assert subject.feed(b"DEFGHIJ\r\nOK\r\n\r\nRDY\r\n") == [
        ("unexpected", "DEFGHIJ"),
        ("unexpected", "OK"),
        ("urc", "RDY"),
    ]


def test_stray_bytes_before_a_prompt_are_kept_for_the_line_that_may_come_instead():
    for said, events in (
        (b"\x00\xff> ", [("prompt", "")]),
        (b"\x00\xff+CSQ: 17,0\r\n", [("info", "+CSQ: 17,0")]),
        (b"\xff\x00what\r\n", [("unexpected", "\xff\x00what")]),
    ):
        for cut in range(len(said) + 1):
            subject = tokenizer()
            subject.expect("AT+CSQ", info=("+CSQ:",), prompt="> ")
            assert subject.feed(said[:cut]) + subject.feed(said[cut:]) == events
            assert subject.stray_bytes == (0 if events[0][0] == "unexpected" else 2)


def test_stray_bytes_are_counted_where_they_are_taken_off():
    subject = tokenizer()
    subject.expect(**CSQ)
    subject.feed(b"\x00AT+CSQ\r\n\xff\xff+CSQ: 17,0\r\n\x00what\r\n\x00OK\r\n")
    assert subject.stray_bytes == 4
