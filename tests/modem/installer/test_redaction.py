"""Is everything that identifies a person removed, in any form, and nothing else?"""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hil_tests.sim.modem.recording import Received, Sent, parsed
from modem.installer.recorder import Recorder
from modem.installer.redaction import RECEIVED, SENT, Chunk, redacted


def received(*exchanges: tuple[str, str]) -> str:
    """Return what redaction leaves of the answers of a dialogue."""
    dialogue = []
    for command, answer in exchanges:
        dialogue += [Chunk(0, SENT, f"{command}\r".encode()), Chunk(1, RECEIVED, answer.encode("latin-1"))]
    return b"".join(chunk.data for chunk in redacted(dialogue) if chunk.direction == RECEIVED).decode("latin-1")


def framed(*lines: str) -> str:
    return "".join(f"\r\n{line}\r\n" for line in lines)


@pytest.mark.parametrize(
    ("command", "answer", "left"),
    [
        ("AT+CGSN", "867856030004217", "000000000004217"),
        ("AT+CIMI", "+CIMI: 901405100004217", "+CIMI: 000000000004217"),
        ("AT+QCCID", "+QCCID: 8944501012199904217F", "+QCCID: 0000000000000004217F"),
        ("AT+CCID", '+CCID: "8944501012199904217F"', '+CCID: "0000000000000004217F"'),
        ("AT+CCID", "898602D6101850017642", "000000D0000000000000"),
        ("ATI", "Revision: SIM7600M22_V2.0\r\nIMEI: 867856030004217", "Revision: SIM7600M22_V2.0\r\nIMEI: 000000000004217"),
        ("ATI", "86-785603-000421-7", "00-000000-000000-7"),
        ("AT+CGSN", "8678560\x003\xff0004217", "0000000\x000\xff0000000"),
        ("AT+CIMI", '90140510\r\n+CREG: 5,"01F4","2345"\r\n0004217', '00000000\r\n+CREG: 5,"01F4","2345"\r\n0000000'),
        ("AT+CRSM=176,12258,0,0,10", '+CRSM: 144,0,"98445010219199401271"', '+CRSM: 144,0,"00000000000000001271"'),
        ("AT+CNUM", '+CNUM: "Own","07700900123",129', '+CNUM: "xxx","00000000000",129'),
        ("AT+CNUM", '+CNUM: "","002B003400340037",145', '+CNUM: "","0000000000000000",145'),
        ("AT", "+447700900123", "+000000000000"),
        ("AT+CPIN=1234", "AT+CPIN=1234", "AT+CPIN=0000"),
        ("AT+CLCK", 'AT+CLCK="SC",1,"1234"', 'AT+CLCK="SC",1,"0000"'),
        ("AT+CPWD", 'AT+CPWD="SC","1234","4321"', 'AT+CPWD="SC","0000","0000"'),
        ("AT+CSTT?", '+CSTT: "internet","user","hunter2"', '+CSTT: "internet","xxxx","xxxxxx0"'),
        ("AT+QICSGP=1", '+QICSGP: 1,"internet","user","hunter2",1', '+QICSGP: 1,"internet","xxxx","xxxxxx0",0'),
        ("AT+CGAUTH?", '+CGAUTH: 1,2,"user","hunter2"', '+CGAUTH: 1,2,"xxxx","xxxxxx0"'),
        ("AT+CGAUTH", 'AT+CGAUTH=1,,"user","a,b"', 'AT+CGAUTH=1,,"xxxx","x,x"'),
        ("AT+SAPBR", 'AT+SAPBR=3,1,"PWD","hunter2"', 'AT+SAPBR=3,1,"PWD","xxxxxx0"'),
        ("AT+SAPBR=4,1", "APN: internet\r\n\r\nPWD: hunter2", "APN: internet\r\n\r\nPWD: xxxxxx0"),
        ("AT+XNEW", 'AT+XNEW=1,"internet","user","hunter2"', 'AT+XNEW=1,"internet","xxxx","xxxxxx0"'),
        ("AT+CMGR=1", '+CMGR: "REC READ","+4477"\r\nMeet me\r\nat 5', '+CMGR: "xxx xxxx","+0000"\r\nxxxx xx\r\nxx 0'),
        ("AT", '+CMT: "07700900123"\r\nCode 12\r\n\r\nOK', '+CMT: "00000000000"\r\nxxxx 00\r\n\r\nOK'),
        ("AT+CUSD", '+CUSD: 0,"Balance\r\n5.20",15', '+CUSD: 0,"xxxxxxx\r\n0.00",00'),
        ("ATD", "ATD07700900123;", "ATD00000000000;"),
    ],
)  # fmt: skip
def test_what_is_personal_is_replaced_and_its_shape_kept(command: str, answer: str, left: str) -> None:
    assert received((command, framed(answer))) == framed(left)


@pytest.mark.parametrize(
    "line",
    [
        "+CSQ: 17,0",
        '+COPS: (2,"vodafone UK","voda UK","23415"),(1,"ATD AT&T 12345","x","310410",7),,(0,1,2,3,4),(0,1,2)',
        '+COPS: 0,0,"0076006F006400610066006F006E0065"',
        '+CREG: 2,5,"01F4","01234567",7',
        '+CCLK: "26/11/26,14:40:21+00"',
        "+CPSI: LTE,Online,228-02,0x9CA4,20964868,46,EUTRAN-BAND20,6200,3,3,-178,-1089,-742,8",
        '+QCSQ: "LTE",-69,-96,185,-11',
        '+CRSM: 144,0,"62F210FFFFFFFFFFFFFFFFFF"',
        'Operator:"vodafone",MCC:234,MNC:15,Rxlev:31,Cellid:77,Arfcn:40',
        "Revision:1418B05SIM800L24",
        "EC21EFAR06A03M4G",
        "+CPIN: SIM PIN",
        "+CLCK: 1",
        '+CGDCONT: 1,"IP","internet","0.0.0.0",0,0',
        "ATD*99***1#",
        "+CME ERROR: 148",
    ],
)
def test_what_is_not_personal_stays(line: str) -> None:
    assert received(("AT+CSQ", framed(line)), ("ATI", framed(line))) == 2 * framed(line)


def test_an_sms_ends_with_the_next_command() -> None:
    exchanges = ("AT+CMGR=1", framed("+CMGR: 1,,3", "0B91", "OK")), ("AT+CGMM", framed("EC21", "OK"))
    assert received(*exchanges) == framed("+CMGR: 1,,3", "0x00", "OK", "EC21", "OK")


def test_a_command_is_redacted_as_its_echo_is() -> None:
    (chunk,) = redacted([Chunk(0, SENT, b'\rAT+CPIN="1234"\r')])
    assert chunk.data == b'\rAT+CPIN="0000"\r'


# Properties: recordings of a modem that shows a number in any of these forms, on a line that splits and disturbs it.

FORMS = (
    ("AT+CGSN", "{}"),
    ("AT+CGSN=1", "+CGSN: {}"),
    ("AT+GSN", '"{}"'),
    ("AT+CIMI", "+CIMI: {}"),
    ("AT+CCID", '+CCID: "{}"'),
    ("AT+QCCID", "+QCCID: {}F"),
    ("AT+ICCID", "+ICCID:{}"),
    ("ATI", "Manufacturer: X\r\nIMEI: {}\r\n+GCAP: +CGSM"),
    ("AT+CSQ", "late {}, as it comes"),
    ("AT+CGMR", "IMEI{}/S"),
)
URCS = ("", "\r\nRING\r\n", '\r\n+CREG: 5,"01F4","2A3B"\r\n')


class Line:
    """A port with a fixed dialogue."""

    def __init__(self) -> None:
        self.next = b""
        self.ms = 0

    def read(self) -> bytes:
        return self.next

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass


def recording(command: str, answer: bytes, cuts: set[int], gap_ms: int) -> str:
    """Return the recording of one exchange after an ordinary one. The answer arrives in pieces."""
    line = Line()
    recorder = Recorder(line, lambda: line.ms)  # type: ignore[arg-type]  # it has what is used here
    recorder.write(b"AT+CSQ\r")
    line.next = b"\r\n+CSQ: 17,0\r\n\r\nOK\r\n"
    recorder.read()
    recorder.write(command.encode() + b"\r")
    edges = sorted({0, len(answer), *(cut % (len(answer) + 1) for cut in cuts)})
    for start, end in zip(edges, edges[1:], strict=False):
        line.next = answer[start:end]
        recorder.read()
        line.ms += gap_ms
    return "\n".join(recorder.lines())


@given(
    number=st.text("0123456789", min_size=15, max_size=20),
    form=st.sampled_from(FORMS),
    urc=st.sampled_from(URCS),
    place=st.integers(0, 40),
    noise=st.lists(st.tuples(st.integers(0, 60), st.sampled_from([b"\x00", b"\xff", b"\x00\xff\xff"])), max_size=3),
    cuts=st.sets(st.integers(0, 80), max_size=6),
    gap_ms=st.sampled_from([1, 60]),
)
def test_no_number_survives_in_any_form(
    number: str,
    form: tuple[str, str],
    urc: str,
    place: int,
    noise: list[tuple[int, bytes]],
    cuts: set[int],
    gap_ms: int,
) -> None:
    assume(number[:11].strip("0"))
    command, template = form
    text = template.format(number)
    if command in ("AT+CSQ", "AT+CGMR"):
        urc = ""  # nothing shows that a part belongs to a number
    answer = f"\r\n{text[:place]}{urc}{text[place:]}\r\n\r\nOK\r\n".encode()
    for at, stray in noise:
        answer = answer[:at] + stray + answer[at:]
    file = recording(command, answer, cuts, gap_ms)
    everything = b"".join(
        entry.data if isinstance(entry, Received) else entry.command.encode() for entry in parsed(file)
    )
    assert number not in re.sub(r"\D", "", everything.decode("latin-1"))
    assert number not in re.sub(r"\D", "", file)


@given(st.binary(max_size=300), st.sets(st.integers(0, 300), max_size=8), st.sampled_from([1, 60]))
def test_the_file_gives_back_every_byte_of_any_line(answer: bytes, cuts: set[int], gap_ms: int) -> None:
    """Except for what is replaced: lengths and all other bytes are equal."""
    entries = parsed(recording("AT+CSQ", answer, cuts, gap_ms))
    at = max(number for number, entry in enumerate(entries) if isinstance(entry, Sent))
    again = b"".join(entry.data for entry in entries[at + 1 :] if isinstance(entry, Received))
    (_, expected) = redacted([Chunk(0, SENT, b"AT+CSQ\r"), Chunk(0, RECEIVED, answer)])
    assert again == expected.data
    if not re.search(rb"[0-9A-Za-z\x80-\xff]", answer):
        assert again == answer


@given(st.text('AT+CPINMGUSD="0123,:*\r\n\xff', max_size=120), st.text('AT+CGSN=",12\r', max_size=20))
def test_nothing_that_is_said_raises(answer: str, command: str) -> None:
    data = answer.encode("latin-1")
    chunks = redacted([Chunk(0, SENT, command.encode()), Chunk(0, RECEIVED, data)])
    assert [len(chunk.data) for chunk in chunks] == [len(command), len(data)]
