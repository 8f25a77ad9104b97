"""Does the driver of Quectel's GPRS modems follow the older AT+QIxxx dialogue, and does a stream work over it?"""

import errno

import pytest

from modem import startup
from modem.errors import CommandError, ProtocolError
from modem.families import m95, m95_setup
from modem.stream import Stream
from tests.modem.far_end import NASTY, errno_of
from tests.modem.scripted import OK, PAYLOAD, line, scripted

START = 'AT+QIOPEN=0,"TCP","broker.example",1883'
GET = "AT+QIRD=0,1,0,1460"
CLOSE = "AT+QICLOSE=0"
ACK = "AT+QISACK=0"
ERROR = line("ERROR")
NOT_ALLOWED = line("+CME ERROR: 3")


class FarEnd:
    def __init__(self):
        self.waiting = b""
        self.sent = self.acknowledged = 0
        self.full = 0  # how many times the modem's buffer is full

    def get(self, port):
        taken, self.waiting = self.waiting[:1460], self.waiting[1460:]
        if not taken:
            return OK
        return line("+QIRD: 203.0.113.7:1883,TCP,%d" % len(taken)) + taken + b"\r\nOK\r\n"

    def take(self, port):
        if self.full:
            self.full -= 1
            return line("SEND FAIL")
        self.sent += len(port.payloads[-1])
        return line("SEND OK")

    def ack(self, port):
        return line("+QISACK: %d, %d, %d" % (self.sent, self.acknowledged, self.sent - self.acknowledged)) + OK


def ready(changes=()):
    far_end = FarEnd()
    answers = {
        START: OK + line("0, CONNECT OK"),
        GET: far_end.get,
        PAYLOAD: far_end.take,
        ACK: far_end.ack,
        CLOSE: NOT_ALLOWED,
    }
    answers.update(changes)
    modem, port, clock = scripted(answers, m95.FAMILY)
    return Stream(modem, clock), port, clock, far_end


def connected(changes=()):
    stream, port, clock, far_end = ready(changes)
    stream.connect("broker.example", 1883)
    return stream, port, clock, far_end


# Context

ADDRESS = line("10.64.0.17")
SETTINGS = ["AT+QINDI=1", "AT+QISDE=0", "AT+QIDNSIP=1", "AT+QIMUX?"]
OPENING = [
    "AT+QIDEACT",
    "AT+CGATT?",
    "AT+QIFGCNT=0",
    "AT+QIMUX=1",
    'AT+QICSGP=1,"internet"',
    "AT+QIREGAPP",
    "AT+QIACT",
    "AT+QILOCIP",
]


def context(changes=()):
    answers = dict([(text, OK) for text in SETTINGS + OPENING])
    answers.update(
        {
            "AT+QIMUX?": line("+QIMUX: 0") + OK,
            "AT+CGATT?": line("+CGATT: 1") + OK,
            "AT+QIDEACT": line("DEACT OK"),
            "AT+QILOCIP": ADDRESS,
        }
    )
    answers.update(changes)
    return scripted(answers, m95.FAMILY)


def test_a_context_is_opened():
    modem, port, _ = context()
    assert startup.open_pdp_context(modem, "internet") == "10.64.0.17"
    assert port.sent == SETTINGS + OPENING
    assert modem.unexpected_lines == 0


def test_an_open_context_is_kept():
    modem, port, _ = context({"AT+QIMUX?": line("+QIMUX: 1") + OK})
    assert startup.open_pdp_context(modem, "internet") == "10.64.0.17"
    assert port.sent == SETTINGS + ["AT+QILOCIP"]


def test_a_context_that_is_not_open_is_opened_afresh_whether_or_not_it_can_be_closed():
    for deactivated in (line("DEACT OK"), ERROR):
        modem, port, _ = context(
            {
                "AT+QIMUX?": line("+QIMUX: 1") + OK,
                "AT+QILOCIP": [NOT_ALLOWED, ADDRESS],
                "AT+QIDEACT": deactivated,
            }
        )
        assert startup.open_pdp_context(modem, "internet") == "10.64.0.17"
        assert port.sent == SETTINGS + ["AT+QILOCIP"] + OPENING


@pytest.mark.parametrize("refused", ["AT+QIREGAPP", "AT+QIACT", "AT+QILOCIP"])
def test_a_network_without_data_service_is_a_command_error(refused):
    modem, _, _ = context({refused: ERROR})
    with pytest.raises(CommandError):
        startup.open_pdp_context(modem, "internet")


@pytest.mark.parametrize("user, password", [("me", ""), ("", "secret")])
def test_half_a_login_goes_with_the_apn_too(user, password):
    told = 'AT+QICSGP=1,"internet","%s","%s"' % (user, password)
    modem, port, _ = context({told: OK})
    startup.open_pdp_context(modem, "internet", user, password)
    assert told in port.sent


def test_a_login_goes_with_the_apn_and_is_not_in_the_trace():
    modem, port, _ = context({'AT+QICSGP=1,"internet","me","secret"': OK})
    startup.open_pdp_context(modem, "internet", "me", "secret")
    assert 'AT+QICSGP=1,"internet","me","secret"' in port.sent
    trace = "\n".join(modem.trace.lines())
    assert "secret" not in trace and '"me"' not in trace and "internet" in trace


# Connection


def test_connecting_sending_receiving_and_closing():
    stream, port, _, far_end = connected()
    assert stream.answered
    assert stream.write(NASTY) == len(NASTY)
    assert port.payloads == [NASTY]
    far_end.waiting = NASTY * 40
    port.says("+QIRDI: 0,1,0")
    assert stream.read(len(NASTY) * 40) == NASTY * 40
    port.answers[CLOSE] = line("0, CLOSE OK")
    stream.close()
    assert port.sent[:2] == [CLOSE, START] and port.sent[-1] == CLOSE
    stream.connect("broker.example", 1883)


REFUSALS = [
    ("refused, or no name", OK + line("0, CONNECT FAIL"), errno.ECONNREFUSED, True),
    ("no such command", ERROR, errno.ECONNREFUSED, False),
    ("not allowed", NOT_ALLOWED, errno.ECONNREFUSED, False),
    ("closed before it was open", OK + line("0, CLOSED"), errno.ECONNREFUSED, False),
    ("data service lost", OK + line("+PDP DEACT"), errno.ECONNABORTED, False),
    ("data service lost, with a colon", OK + line("+PDP: DEACT"), errno.ECONNABORTED, False),
    ("the modem restarts", OK + line("RDY"), errno.ECONNABORTED, False),
    ("nothing comes of it", OK, errno.ETIMEDOUT, False),
]


@pytest.mark.parametrize("name, answer, code, answered", REFUSALS, ids=[row[0] for row in REFUSALS])
def test_why_a_connection_cannot_be_opened(name, answer, code, answered):
    stream, _, _, _ = ready({START: answer})
    assert errno_of(stream.connect, "broker.example", 1883) == code
    assert stream.answered == answered


@pytest.mark.parametrize("mark", ["0, CONNECT OK", "0,CONNECT OK"])
def test_a_link_in_use_is_closed_first(mark):
    stream, port, _, _ = ready({CLOSE: line("0, CLOSE OK"), START: OK + line(mark)})
    stream.connect("broker.example", 1883)
    assert port.sent == [CLOSE, START]


def test_a_link_that_is_in_use_all_the_same_is_closed_again():
    stream, port, _, _ = ready({START: [OK + line("0, ALREADY CONNECT"), OK + line("0, CONNECT OK")]})
    port.answers[CLOSE] = line("0, CLOSE OK")
    stream.connect("broker.example", 1883)
    assert port.sent.count(START) == 2


def test_an_empty_buffer_is_not_a_closed_connection():
    stream, _, clock, far_end = connected()
    stream.settimeout(5)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert clock.ms <= 5_000
    far_end.waiting = b"late"
    assert stream.read(4) == b"late"  # the announcement was lost: polled


@pytest.mark.parametrize("announced", ["+QIRDI: 0,1,0", "+QIRDI: 0, 1, 0", "+QIRDI: 0,1,0,1,1332,1332"])
def test_data_are_announced_in_short_and_in_long(announced):
    stream, port, clock, far_end = connected()
    stream.settimeout(5)
    far_end.waiting = bytes(1460 * 2)
    port.says(announced, 100)
    assert len(stream.read(1460 * 2)) == 1460 * 2
    assert clock.ms == 100
    assert port.sent.count(GET) == 2


def test_a_closed_connection_ends_after_its_data():
    stream, port, _, far_end = connected()
    far_end.waiting = b"bye"
    port.says("0, CLOSED")
    assert stream.read(10) == b"bye"
    assert stream.read(1) == b""
    assert errno_of(stream.write, b"x") == errno.ECONNRESET


def test_a_connection_that_the_modem_does_not_know_is_closed():
    stream, _, _, _ = connected({GET: NOT_ALLOWED})
    assert stream.read(1) == b""


def test_the_ends_of_other_links_are_not_ours():
    stream, port, _, far_end = connected()
    for text in ("1, CLOSED", "+QIRDI: 0,1,1", "+QIRDI: 0", "1, CONNECT FAIL"):
        port.says(text)
    far_end.waiting = b"on"
    assert stream.read(2) == b"on"


@pytest.mark.parametrize(
    "answer",
    [
        b"\r\n+QIRD: 203.0.113.7:1883,TCP,5\r\nhell\r\nOK\r\n",
        b"\r\n+QIRD: 203.0.113.7:1883,TCP,\r\nhello\r\nOK\r\n",
        b"\r\n+QIRD: 203.0.113.7:1883,UDP,5\r\nhello\r\nOK\r\n",
        b"\r\n+QIRD: 203.0.113.7:1883,TCP,1461\r\nhello\r\nOK\r\n",
        b"\r\n+QIRD: ,TCP,5,7\r\nhello\r\nOK\r\n",
    ],
)
def test_payload_of_an_uncertain_size_is_an_error_and_not_data(answer):
    stream, _, _, _ = connected({GET: answer})
    assert errno_of(stream.read, 1) == errno.EIO


def test_a_lost_byte_never_gives_other_data():
    """The result is an error, the end of the stream, or the whole payload if the lost byte does not matter."""
    whole = line("+QIRD: 203.0.113.7:1883,TCP,%d" % len(NASTY)) + NASTY + b"\r\nOK\r\n"
    for place in range(len(whole)):
        stream, _, _, _ = connected({GET: [whole[:place] + whole[place + 1 :], OK]})
        try:
            got = stream.read(len(NASTY))
        except OSError:
            continue
        assert got in (b"", NASTY), place


def test_a_full_buffer_takes_the_payload_later():
    stream, port, _, far_end = connected()
    far_end.full = 2
    assert stream.write(b"hello") == 5
    assert port.payloads == [b"hello"] * 3


@pytest.mark.parametrize("final", ["SEND OK", "0, SEND OK", "0,SEND OK"])
def test_the_result_of_sending_may_carry_the_link(final):
    stream, _, _, _ = connected({PAYLOAD: line(final)})
    assert stream.write(b"hello") == 5


def test_a_failure_that_took_bytes_all_the_same_is_an_error():
    stream, _, _, far_end = connected({PAYLOAD: line("SEND FAIL")})
    far_end.sent = 3
    assert errno_of(stream.write, b"hello") == errno.EIO


@pytest.mark.parametrize("closes, code", [(b"", errno.EIO), (line("0, CLOSED"), errno.ECONNRESET)])
def test_what_cannot_be_sent(closes, code):
    stream, _, _, _ = connected({PAYLOAD: closes + ERROR})
    assert errno_of(stream.write, b"hello") == code


def test_a_dead_path_is_found_by_the_counts():
    stream, _, clock, far_end = connected()
    stream.write(b"hello")
    stream.settimeout(200)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert clock.ms < 100_000


# Scan


# Captured from an M66 (public code, ProcessQENGData). The last neighbours have the manual's form for unknown ones.
ENGINEERING = (
    "+QENG: 1,4\n"
    "+QENG: 0,404,20,3a9a,1429,1,63,-68,147,147,5,5,x,x,x,x,x,x,x\n"
    "+QENG: 1,1,8,-71,32,134,134,404,20,3a9a,142a,2,12,-77,19,110,110,404,20,3a9a,142b,3,9,-85,35,79,79,404,45,3a9a,8c83,"
    "4,5,-95,61,39,39,404,20,3a9a,8b4e,5,x,x,x,x,x,x,x,x,x,6,6,-101,19,15,15,x,x,x,x"
)
LISTED = (
    line('+COPS: (2,"Vodafone IN","VF","40420"),(1,"AirTel","AirTel","40445"),(3,"BSNL","BSNL","40451"),,(0-4),(0-2)')
    + OK
)


def test_the_cells_of_the_engineering_mode():
    assert m95_setup.cells(ENGINEERING) == [
        ("40420", 22),
        ("40420", 21),
        ("40420", 18),
        ("40445", 14),
        ("40420", 9),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+QENG: 0,0",
        "+QENG: 1,1",
        "+QENG: 0,x,x,x,x,x,x,x",
        "+QENG: 0,404,20,3a9a,1429,1,63,x",
        "+QENG: 0,404,20,a,b,1,63,-200",
    ],
)
def test_what_is_no_signal(text):
    assert m95_setup.cells(text) == []


def test_a_line_that_is_no_cell_is_an_error():
    with pytest.raises(ProtocolError):
        m95_setup.cells("+QEN: 0,404,20,3a9a,1429,1,63,-68")


def test_a_scan_gives_each_measured_cell_its_signal():
    answers = {"AT+COPS=?": LISTED, "AT+QENG=1,1": OK, "AT+QENG=0": OK}
    answers["AT+QENG?"] = line(ENGINEERING.replace("\n", "\r\n")) + OK
    modem, port, _ = scripted(answers, m95.FAMILY)
    found = startup.setup(modem).scan(modem)
    assert [row for row in found if row[0] != "40420"] == [
        ("40445", "AirTel", 14, False),
        ("40451", "BSNL", None, True),
    ]
    assert [row[2] for row in found if row[0] == "40420"] == [22, 21, 18, 9]
    assert port.sent == ["AT+COPS=?", "AT+QENG=1,1", "AT+QENG?", "AT+QENG=0"]


def test_a_scan_without_engineering_mode_is_the_standards():
    modem, _, _ = scripted({"AT+COPS=?": LISTED}, m95.FAMILY)
    assert [row[2] for row in startup.setup(modem).scan(modem)] == [None, None, None]


def test_the_network_sets_the_clock():
    modem, port, _ = scripted({"AT+CTZU?": line("+CTZU: 0") + OK, "AT+CTZU=3": OK}, m95.FAMILY)
    startup.setup(modem).configure(modem)
    assert port.sent == ["AT+CTZU?", "AT+CTZU=3"]


def test_signal_and_registration_are_those_of_gsm():
    modem, _, _ = scripted({"AT+CSQ": line("+CSQ: 17,0") + OK, "AT+CGREG?": line("+CGREG: 0,5") + OK}, m95.FAMILY)
    assert modem.signal_quality() == 17
    assert modem.registration().stat == 5
