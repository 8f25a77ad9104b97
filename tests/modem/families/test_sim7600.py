"""Does the driver of the LTE modems follow the dialogue of the A76XX application note, and does a stream work over it?"""

import errno

import pytest

from modem import startup
from modem.errors import CommandError
from modem.families import sim7600
from modem.stream import Stream
from tests.modem.far_end import NASTY, errno_of
from tests.modem.scripted import OK, PAYLOAD, line, scripted

START = 'AT+CIPOPEN=0,"TCP","broker.example",1883'
GET = "AT+CIPRXGET=2,0,1460"
COUNT = "AT+CIPRXGET=4,0"
CLOSE = "AT+CIPCLOSE=0"
ACK = "AT+CIPACK=0"
NO_DATA = line("+IP ERROR: No data") + line("ERROR")
CLOSED = OK + line("+CIPCLOSE: 0,0")


class FarEnd:
    def __init__(self):
        self.waiting = b""
        self.sent = self.acknowledged = 0
        self.takes = 1460

    def get(self, port):
        if not self.waiting:
            return NO_DATA
        taken, self.waiting = self.waiting[:1460], self.waiting[1460:]
        return line("+CIPRXGET: 2,0,%d,%d" % (len(taken), len(self.waiting))) + taken + b"\r\nOK\r\n"

    def count(self, port):
        return line("+CIPRXGET: 4,0,%d" % len(self.waiting)) + OK

    def take(self, port):
        size = len(port.payloads[-1])
        taken = min(self.takes, size)
        self.sent += taken
        return OK + line("+CIPSEND: 0,%d,%d" % (size, taken))

    def ack(self, port):
        return line("+CIPACK: %d,%d,0" % (self.sent, self.acknowledged)) + OK


def ready(changes=()):
    far_end = FarEnd()
    answers = {
        START: OK + line("+CIPOPEN: 0,0"),
        GET: far_end.get,
        COUNT: far_end.count,
        PAYLOAD: far_end.take,
        ACK: far_end.ack,
        CLOSE: CLOSED,
    }
    answers.update(changes)
    modem, port, clock = scripted(answers, sim7600.FAMILY)
    port.prompt = b"\r\n>"
    return Stream(modem, clock), port, clock, far_end


def connected(changes=()):
    stream, port, clock, far_end = ready(changes)
    stream.connect("broker.example", 1883)
    return stream, port, clock, far_end


# Context

CONTEXT = {
    "AT+CIPRXGET=1": OK,
    "AT+NETOPEN?": line("+NETOPEN: 0") + OK,
    "AT+CGATT?": line("+CGATT: 1") + OK,
    'AT+CGDCONT=1,"IP","internet"': OK,
    "AT+NETOPEN": OK + line("+NETOPEN: 0"),
    "AT+IPADDR": line("+IPADDR: 10.148.0.17") + OK,
    "AT+NETCLOSE": OK + line("+NETCLOSE: 0"),
}


def context(changes=()):
    answers = dict(CONTEXT)
    answers.update(changes)
    return scripted(answers, sim7600.FAMILY)


def test_a_context_is_opened():
    modem, port, _ = context()
    assert startup.open_pdp_context(modem, "internet") == "10.148.0.17"
    assert port.sent == [
        "AT+CIPRXGET=1",
        "AT+NETOPEN?",
        "AT+CGATT?",
        'AT+CGDCONT=1,"IP","internet"',
        "AT+NETOPEN",
        "AT+IPADDR",
    ]
    assert modem.unexpected_lines == 0


@pytest.mark.parametrize("state", ["+NETOPEN: 1", "+NETOPEN: 1,0"])
def test_an_open_context_is_kept(state):
    modem, port, _ = context({"AT+NETOPEN?": line(state) + OK})
    assert startup.open_pdp_context(modem, "internet") == "10.148.0.17"
    assert port.sent == ["AT+CIPRXGET=1", "AT+NETOPEN?", "AT+IPADDR"]


def test_a_context_that_the_network_has_closed_is_opened_afresh():
    gone = line("+IPADDR: Network not opened") + line("ERROR")
    modem, port, _ = context(
        {
            "AT+NETOPEN?": [line("+NETOPEN: 1") + OK, line("+NETOPEN: 1") + OK, line("+NETOPEN: 0") + OK],
            "AT+IPADDR": [gone, CONTEXT["AT+IPADDR"]],
        }
    )
    assert startup.open_pdp_context(modem, "internet") == "10.148.0.17"
    assert port.sent.index("AT+NETCLOSE") < port.sent.index("AT+NETOPEN")


@pytest.mark.parametrize("answer", [OK + line("+NETOPEN: 1"), line("+NETOPEN: 1") + line("ERROR"), line("ERROR")])
def test_a_network_without_data_service_is_a_command_error(answer):
    modem, _, _ = context({"AT+NETOPEN": answer})
    with pytest.raises(CommandError):
        startup.open_pdp_context(modem, "internet")


def test_a_login_goes_with_the_apn_and_is_not_in_the_trace():
    modem, port, _ = context({'AT+CGAUTH=1,1,"secret","me"': OK})
    startup.open_pdp_context(modem, "internet", "me", "secret")
    assert 'AT+CGAUTH=1,1,"secret","me"' in port.sent
    assert "secret" not in "\n".join(modem.trace.lines())


def test_a_closed_context_is_not_closed_again():
    modem, port, _ = context()
    startup.setup(modem).close_context(modem)
    assert port.sent == ["AT+NETOPEN?"]


# Connection


def test_connecting_sending_receiving_and_closing():
    stream, port, _, far_end = connected()
    assert stream.answered
    assert stream.write(NASTY) == len(NASTY)
    assert port.payloads == [NASTY]
    far_end.waiting = NASTY * 30
    port.says("+CIPRXGET: 1,0")
    assert stream.read(len(NASTY) * 30) == NASTY * 30
    stream.close()
    assert port.sent[0] == START and port.sent[-1] == CLOSE
    stream.connect("broker.example", 1883)


REFUSALS = [
    ("timeout", OK + line("+CIPOPEN: 0,10"), errno.ECONNREFUSED),
    ("no name", OK + line("+CIPOPEN: 0,11"), errno.ECONNREFUSED),
    ("network not opened", line("+CIPOPEN: 0,2") + line("ERROR"), errno.ECONNREFUSED),
    ("no such command", line("ERROR"), errno.ECONNREFUSED),
    ("closed before it was open", OK + line("+IPCLOSE: 0,1"), errno.ECONNREFUSED),
    ("data service lost", OK + line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"), errno.ECONNABORTED),
    ("SIM7600 restarts", OK + line("RDY"), errno.ECONNABORTED),
    ("A7670 restarts", OK + line("*ATREADY: 1"), errno.ECONNABORTED),
    ("nothing comes of it", OK, errno.ETIMEDOUT),
]


@pytest.mark.parametrize("name, answer, code", REFUSALS, ids=[row[0] for row in REFUSALS])
def test_why_a_connection_cannot_be_opened(name, answer, code):
    stream, _, _, _ = ready({START: answer})
    assert errno_of(stream.connect, "broker.example", 1883) == code
    assert not stream.answered


def test_a_link_in_use_is_closed_first():
    stream, port, _, _ = ready({START: [line("+CIPOPEN: 0,4") + line("ERROR"), OK + line("+CIPOPEN: 0,0")]})
    stream.connect("broker.example", 1883)
    assert port.sent == [START, CLOSE, START]


def test_an_empty_buffer_is_not_a_closed_connection():
    stream, port, clock, far_end = connected()
    stream.settimeout(5)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert clock.ms <= 5_000
    far_end.waiting = b"late"
    assert stream.read(4) == b"late"  # the announcement was lost: polled


def test_data_that_come_between_the_two_questions_are_read():
    stream, port, _, far_end = connected()

    def empty_and_then_not(port):
        far_end.waiting = b"late"
        return NO_DATA

    port.answers[GET] = [empty_and_then_not, far_end.get]
    assert stream.read(4) == b"late"


def test_a_modem_that_counts_data_and_gives_none_is_asked_no_more_than_twice():
    stream, port, _, far_end = connected({GET: NO_DATA, COUNT: line("+CIPRXGET: 4,0,4") + OK})
    assert stream.read(4) == b""
    assert port.sent.count(GET) == 2


def test_a_closed_connection_ends_after_its_data():
    stream, port, _, far_end = connected()
    far_end.waiting = b"bye"
    port.says("+IPCLOSE: 0,1")
    assert stream.read(10) == b"bye"
    assert stream.read(1) == b""
    assert errno_of(stream.write, b"x") == errno.ECONNRESET


def test_a_connection_that_the_modem_does_not_know_is_closed():
    stream, port, _, _ = connected({COUNT: line("+IP ERROR: Connection is not created") + line("ERROR")})
    assert stream.read(1) == b""


def test_data_that_wait_and_cannot_be_read_are_an_error_and_no_endless_loop():
    stream, port, _, _ = connected({GET: line("ERROR"), COUNT: line("+CIPRXGET: 4,0,7") + OK})
    assert stream.read(1) == b""  # as for a connection whose received data are lost
    assert len(port.sent) < 10


def test_our_own_close_does_not_end_the_next_connection():
    stream, port, _, far_end = connected()
    port.says("+IPCLOSE: 0,0")
    far_end.waiting = b"on"
    assert stream.read(2) == b"on"


SENDS = [
    ("connection lost", OK + line("+CIPSEND: 0,5,-1"), errno.EIO),
    ("an error number", line("+CIPSEND: 0,2") + line("ERROR"), errno.EIO),
    ("torn", OK + line("+CIPSEND: 0,5,"), errno.EIO),
    ("of another link", OK + line("+CIPSEND: 1,5,5"), errno.EIO),
]


@pytest.mark.parametrize("name, answer, code", SENDS, ids=[row[0] for row in SENDS])
def test_what_cannot_be_sent(name, answer, code):
    stream, _, _, _ = connected({PAYLOAD: answer})
    assert errno_of(stream.write, b"hello") == code


@pytest.mark.parametrize("result", ["+CIPSEND: 0,2", "+CIPSEND: 0,5,-1"])
def test_what_the_modem_says_it_has_not_sent_is_refused_with_its_words(result):
    modem, _, _ = scripted({PAYLOAD: OK + line(result)}, sim7600.FAMILY)
    with pytest.raises(CommandError) as refused:
        sim7600.FAMILY.send(modem, 0, memoryview(b"hello"), 1_000)
    assert (refused.value.command, refused.value.final) == ("AT+CIPSEND=0,5", result + "\nOK")


def test_a_full_buffer_takes_the_rest_later():
    stream, port, _, far_end = connected()
    far_end.takes = 3
    assert stream.write(b"hello") == 5
    assert port.payloads == [b"hello", b"lo"]


def test_an_error_while_the_connection_is_being_closed_is_a_reset():
    stream, port, _, _ = connected({PAYLOAD: line("+IPCLOSE: 0,1") + line("ERROR")})
    assert errno_of(stream.write, b"hello") == errno.ECONNRESET


# Signal and registration


def test_registration_is_that_of_lte_or_of_what_there_is():
    for eps, gprs, stat in (("1", "0", 1), ("0", "5", 5), ("2", "2", 2)):
        modem, _, _ = scripted(
            {"AT+CEREG?": line("+CEREG: 0," + eps) + OK, "AT+CGREG?": line("+CGREG: 0," + gprs) + OK}, sim7600.FAMILY
        )
        assert modem.registration().stat == stat


CPSI = line("+CPSI: LTE,Online,228-02,0x9CA4,20964868,46,EUTRAN-BAND20,6200,3,3,-178,-1089,-742,8") + OK


@pytest.mark.parametrize(
    "csq, expected", [("+CSQ: 17,99", 17), ("+CSQ: 142,99", 19), ("+CSQ: 99,99", 19), ("+CSQ: 199,99", 19)]
)
def test_csq_is_read_in_both_scales_and_taken_from_the_cell_if_unknown(csq, expected):
    modem, _, _ = scripted({"AT+CSQ": line(csq) + OK, "AT+CPSI?": CPSI}, sim7600.FAMILY)
    assert modem.signal_quality() == expected


def test_the_reference_signal_of_the_cell():
    modem, _, _ = scripted({"AT+CPSI?": CPSI}, sim7600.FAMILY)
    assert startup.setup(modem).reference_signal(modem) == (-109, -18)
