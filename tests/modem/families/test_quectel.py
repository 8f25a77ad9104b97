"""Does the driver of Quectel's modems follow the dialogue of their manuals, and does a stream work over it?"""

import errno

import pytest

from modem import startup
from modem.errors import CommandError
from modem.families import driver, quectel, quectel_setup
from modem.stream import Stream
from tests.modem.far_end import NASTY, errno_of
from tests.modem.scripted import OK, PAYLOAD, line, scripted

START = 'AT+QIOPEN=1,0,"TCP","broker.example",1883,0,0'
GET = "AT+QIRD=0,1460"
CLOSE = "AT+QICLOSE=0"
ACK = "AT+QISEND=0,0"


class FarEnd:
    def __init__(self):
        self.waiting = b""
        self.sent = self.acknowledged = 0
        self.full = 0  # how many times the modem's buffer is full

    def get(self, port):
        taken, self.waiting = self.waiting[:1460], self.waiting[1460:]
        if not taken:
            return line("+QIRD: 0") + OK
        return line("+QIRD: %d" % len(taken)) + taken + b"\r\nOK\r\n"

    def take(self, port):
        if self.full:
            self.full -= 1
            return line("SEND FAIL")
        self.sent += len(port.payloads[-1])
        return line("SEND OK")

    def ack(self, port):
        return line("+QISEND: %d,%d,%d" % (self.sent, self.acknowledged, self.sent - self.acknowledged)) + OK


def ready(changes=()):
    far_end = FarEnd()
    answers = {
        START: OK + line("+QIOPEN: 0,0"),
        GET: far_end.get,
        PAYLOAD: far_end.take,
        ACK: far_end.ack,
        CLOSE: OK,
    }
    answers.update(changes)
    modem, port, clock = scripted(answers, quectel.FAMILY)
    return Stream(modem, clock), port, clock, far_end


def connected(changes=()):
    stream, port, clock, far_end = ready(changes)
    stream.connect("broker.example", 1883)
    return stream, port, clock, far_end


# Context

ACTIVE = line('+QIACT: 1,1,1,"10.72.134.66"') + OK
CONTEXT = {
    "AT+QIACT?": [OK, ACTIVE],
    "AT+CGATT?": line("+CGATT: 1") + OK,
    'AT+QICSGP=1,1,"internet","","",0': OK,
    "AT+QIACT=1": OK,
    "AT+QIDEACT=1": OK,
}


def context(changes=()):
    answers = {text: list(answer) if isinstance(answer, list) else answer for text, answer in CONTEXT.items()}
    answers.update(changes)
    return scripted(answers, quectel.FAMILY)


def test_a_context_is_opened():
    modem, port, _ = context()
    assert startup.open_pdp_context(modem, "internet") == "10.72.134.66"
    assert port.sent == [
        "AT+QIACT?",
        "AT+QIDEACT=1",
        "AT+CGATT?",
        'AT+QICSGP=1,1,"internet","","",0',
        "AT+QIACT=1",
        "AT+QIACT?",
    ]


def test_a_context_that_the_network_closed_is_deactivated_before_it_is_opened_again():
    """Before, AT+QIACT returns ERROR. A modem without a context to deactivate may refuse AT+QIDEACT."""
    for deactivated in (OK, line("ERROR")):
        modem, port, _ = context({"AT+QIDEACT=1": deactivated})
        startup.open_pdp_context(modem, "internet")
        assert port.sent.index("AT+QIDEACT=1") < port.sent.index("AT+QIACT=1")


def test_an_open_context_is_kept():
    modem, port, _ = context({"AT+QIACT?": ACTIVE})
    assert startup.open_pdp_context(modem, "internet") == "10.72.134.66"
    assert port.sent == ["AT+QIACT?"]


def test_a_network_without_data_service_is_a_command_error():
    modem, _, _ = context({"AT+QIACT=1": line("ERROR")})
    with pytest.raises(CommandError):
        startup.open_pdp_context(modem, "internet")


def test_a_login_goes_with_the_apn_and_is_not_in_the_trace():
    modem, port, _ = context({'AT+QICSGP=1,1,"internet","me","secret",1': OK})
    startup.open_pdp_context(modem, "internet", "me", "secret")
    assert 'AT+QICSGP=1,1,"internet","me","secret",1' in port.sent
    trace = "\n".join(modem.trace.lines())
    assert "secret" not in trace and '"me"' not in trace and "internet" in trace


@pytest.mark.parametrize(
    "text, address",
    [
        ("", ""),
        ('+QIACT: 1,0,1,"0.0.0.0"', ""),
        ('+QIACT: 2,1,1,"10.0.0.2"', ""),
        ('+QIACT: 2,1,1,"10.0.0.2"\n+QIACT: 1,1,1,"10.0.0.1"', "10.0.0.1"),
        ("+QIACT: 1,1", ""),
    ],
)
def test_the_address_is_that_of_our_context(text, address):
    assert quectel_setup.address_of(text) == address


@pytest.mark.parametrize(
    "before, refused, sent",
    [
        (3, False, ["AT+CTZU?"]),
        (0, False, ["AT+CTZU?", "AT+CTZU=3"]),
        (0, True, ["AT+CTZU?", "AT+CTZU=3", "AT+CTZU?", "AT+CTZU=1"]),
        (1, True, ["AT+CTZU?", "AT+CTZU=3", "AT+CTZU?"]),
    ],
)
def test_the_clock_is_the_local_one_where_there_is_such(before, refused, sent):
    modem, port, _ = context(
        {"AT+CTZU?": line("+CTZU: %d" % before) + OK, "AT+CTZU=3": line("ERROR") if refused else OK, "AT+CTZU=1": OK}
    )
    startup.setup(modem).configure(modem)
    assert port.sent == sent


def test_a_context_is_closed_in_any_state():
    modem, port, _ = context()
    startup.setup(modem).close_context(modem)
    assert port.sent == ["AT+QIDEACT=1"]


# Connection


def test_connecting_sending_receiving_and_closing():
    stream, port, _, far_end = connected()
    assert stream.answered
    assert stream.write(NASTY) == len(NASTY)
    assert port.payloads == [NASTY]
    far_end.waiting = NASTY * 40
    port.says('+QIURC: "recv",0')
    assert stream.read(len(NASTY) * 40) == NASTY * 40
    stream.close()
    assert port.sent[0] == START and port.sent[-1] == CLOSE


REFUSALS = [
    ("nobody listens", OK + line("+QIOPEN: 0,566"), errno.ECONNREFUSED, True),
    ("no name", OK + line("+QIOPEN: 0,565"), errno.ECONNREFUSED, False),
    ("no such command", line("ERROR"), errno.ECONNREFUSED, False),
    ("data service lost", OK + line('+QIURC: "pdpdeact",1'), errno.ECONNABORTED, False),
    ("the modem restarts", OK + line("RDY"), errno.ECONNABORTED, False),
    ("nothing comes of it", OK, errno.ETIMEDOUT, False),
]


@pytest.mark.parametrize("name, answer, code, answered", REFUSALS, ids=[row[0] for row in REFUSALS])
def test_why_a_connection_cannot_be_opened(name, answer, code, answered):
    stream, _, _, _ = ready({START: answer})
    assert errno_of(stream.connect, "broker.example", 1883) == code
    assert stream.answered == answered


def test_a_link_in_use_is_closed_first():
    stream, port, _, _ = ready({START: [OK + line("+QIOPEN: 0,563"), OK + line("+QIOPEN: 0,0")]})
    stream.connect("broker.example", 1883)
    assert port.sent == [START, CLOSE, START]


def test_an_empty_buffer_is_not_a_closed_connection():
    stream, _, clock, far_end = connected()
    stream.settimeout(5)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert clock.ms <= 5_000
    far_end.waiting = b"late"
    assert stream.read(4) == b"late"  # the announcement was lost: polled


def test_a_buffer_that_is_read_in_full_is_read_again():
    stream, port, _, far_end = connected()
    far_end.waiting = bytes(1460 * 2)
    port.says('+QIURC: "recv",0')
    assert len(stream.read(1460 * 2)) == 1460 * 2
    assert port.sent.count(GET) == 2


def test_a_closed_connection_ends_after_its_data():
    stream, port, _, far_end = connected()
    far_end.waiting = b"bye"
    port.says('+QIURC: "closed",0')
    assert stream.read(10) == b"bye"
    assert stream.read(1) == b""
    assert errno_of(stream.write, b"x") == errno.ECONNRESET


def test_the_end_of_another_link_is_not_ours():
    stream, port, _, far_end = connected()
    port.says('+QIURC: "closed",1')
    far_end.waiting = b"on"
    assert stream.read(2) == b"on"


@pytest.mark.parametrize(
    "line_, event",
    [
        ('+QIURC: "recv",3', (driver.DATA, "3")),
        ('+QIURC: "closed",3', (driver.CLOSED, "3")),
        ('+QIURC: "dnsgip",3', None),
        ('+QUSIM: "recv",3', None),
        ('+QUSIM: "closed",3', None),
        ("+QIOPEN: 3,0", (driver.OPENED, "3")),
        ("+QIOPEN: 3,561", (driver.UNREACHED, "3")),
    ],
)
def test_what_a_line_says_of_which_link(line_, event):
    assert quectel.FAMILY.link_event(line_) == event


def test_a_full_buffer_takes_the_payload_later():
    stream, port, _, far_end = connected()
    far_end.full = 2
    assert stream.write(b"hello") == 5
    assert port.payloads == [b"hello"] * 3


@pytest.mark.parametrize("closes, code", [(b"", errno.EIO), (line('+QIURC: "closed",0'), errno.ECONNRESET)])
def test_what_cannot_be_sent(closes, code):
    stream, _, _, _ = connected({PAYLOAD: closes + line("ERROR")})
    assert errno_of(stream.write, b"hello") == code


def test_a_dead_path_is_found_by_the_counts():
    stream, _, clock, far_end = connected()
    stream.write(b"hello")
    stream.settimeout(200)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert clock.ms < 100_000


# Signal


@pytest.mark.parametrize("csq, expected", [("+CSQ: 17,99", 17), ("+CSQ: 99,99", 17)])
def test_csq_is_taken_from_the_cell_if_unknown(csq, expected):
    answers = {"AT+CSQ": line(csq) + OK, "AT+QCSQ": line('+QCSQ: "CAT-M1",-79,-92,142,-9') + OK}
    modem, _, _ = scripted(answers, quectel.FAMILY)
    assert modem.signal_quality() == expected
    assert startup.setup(modem).reference_signal(modem) == (-92, -9)
