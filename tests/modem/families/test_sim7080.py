"""Does the driver of SIM7070, SIM7080 and SIM7090 follow the dialogue of CNACT and CAOPEN, and does a stream work over it?"""

import errno

import pytest

from modem import startup
from modem.errors import CommandError, ProtocolError
from modem.families import driver, sim7080, sim7080_setup
from modem.stream import Stream
from tests.modem.far_end import NASTY, errno_of
from tests.modem.scripted import OK, PAYLOAD, line, scripted

START = 'AT+CAOPEN=0,0,"TCP","broker.example",1883'
GET = "AT+CARECV=0,1459"
CLOSE = "AT+CACLOSE=0"
ACK = "AT+CAACK=0"
ERROR = line("ERROR")


class FarEnd:
    def __init__(self):
        self.waiting = b""
        self.sent = self.acknowledged = 0
        self.full = 0  # how many times the modem's buffer is full

    def get(self, port):
        taken, self.waiting = self.waiting[:1459], self.waiting[1459:]
        if not taken:
            return line("+CARECV: 0") + OK
        return b"\r\n+CARECV: %d," % len(taken) + taken + b"\r\n\r\nOK\r\n"

    def take(self, port):
        if self.full:
            self.full -= 1
            return ERROR
        self.sent += len(port.payloads[-1])
        return OK

    def ack(self, port):
        return line("+CAACK: %d,%d" % (self.sent, self.sent - self.acknowledged)) + OK


def ready(changes=()):
    far_end = FarEnd()
    answers = {
        START: line("+CAOPEN: 0,0") + OK,
        GET: far_end.get,
        PAYLOAD: far_end.take,
        ACK: far_end.ack,
        CLOSE: ERROR,
    }
    answers.update(changes)
    modem, port, clock = scripted(answers, sim7080.FAMILY)
    port.prompt = b"\r\n>"
    return Stream(modem, clock), port, clock, far_end


def connected(changes=()):
    stream, port, clock, far_end = ready(changes)
    stream.connect("broker.example", 1883)
    return stream, port, clock, far_end


# Context

ACTIVE = line('+CNACT: 0,1,"10.94.36.44"') + line('+CNACT: 1,0,"0.0.0.0"') + OK
INACTIVE = line('+CNACT: 0,0,"0.0.0.0"') + line('+CNACT: 1,0,"0.0.0.0"') + OK
CONTEXT = {
    "AT+CNACT?": [INACTIVE, ACTIVE],
    "AT+CGATT?": line("+CGATT: 1") + OK,
    'AT+CNCFG=0,1,"internet"': OK,
    "AT+CNACT=0,1": OK + line("+APP PDP: 0,ACTIVE"),
    "AT+CNACT=0,0": OK + line("+APP PDP: 0,DEACTIVE"),
}


def context(changes=()):
    answers = {text: list(answer) if isinstance(answer, list) else answer for text, answer in CONTEXT.items()}
    answers.update(changes)
    return scripted(answers, sim7080.FAMILY)


def test_a_context_is_opened():
    modem, port, _ = context()
    assert startup.open_pdp_context(modem, "internet") == "10.94.36.44"
    assert port.sent == ["AT+CNACT?", "AT+CGATT?", 'AT+CNCFG=0,1,"internet"', "AT+CNACT=0,1", "AT+CNACT?"]
    assert modem.unexpected_lines == 0


def test_an_open_context_is_kept():
    modem, port, _ = context({"AT+CNACT?": ACTIVE})
    assert startup.open_pdp_context(modem, "internet") == "10.94.36.44"
    assert port.sent == ["AT+CNACT?"]


def test_a_context_is_open_if_its_state_says_so_though_its_line_was_lost():
    modem, _, clock = context({"AT+CNACT=0,1": OK})
    assert startup.open_pdp_context(modem, "internet") == "10.94.36.44"
    assert clock.ms <= sim7080_setup.SWITCH_POLL_MS


@pytest.mark.parametrize(
    "answer, most_ms",
    [(OK + line("+APP PDP: 0,DEACTIVE"), 0), (ERROR, 0), (OK, sim7080_setup.SWITCH_TIMEOUT_MS)],
    ids=["refused later", "refused at once", "nothing comes of it"],
)
def test_a_network_without_data_service_is_a_command_error(answer, most_ms):
    modem, _, clock = context({"AT+CNACT?": INACTIVE, "AT+CNACT=0,1": answer})
    with pytest.raises(CommandError):
        startup.open_pdp_context(modem, "internet")
    assert clock.ms <= most_ms


def test_a_login_goes_with_the_apn_and_is_not_in_the_trace():
    modem, port, _ = context({'AT+CNCFG=0,1,"internet","me","secret",1': OK})
    startup.open_pdp_context(modem, "internet", "me", "secret")
    assert 'AT+CNCFG=0,1,"internet","me","secret",1' in port.sent
    trace = "\n".join(modem.trace.lines())
    assert "secret" not in trace and '"me"' not in trace and "internet" in trace


@pytest.mark.parametrize(
    "text, address",
    [
        ("", ""),
        ('+CNACT: 0,0,"0.0.0.0"', ""),
        ('+CNACT: 0,1,"0.0.0.0"', ""),  # active, but without an address
        ('+CNACT: 0,2,"10.0.0.9"', ""),  # in operation
        ('+CNACT: 1,1,"10.0.0.2"', ""),
        ('+CNACT: 1,1,"10.0.0.2"\n+CNACT: 0,1,"10.0.0.1"', "10.0.0.1"),
        ("+CNACT: 0,1", ""),
    ],
)
def test_the_address_is_that_of_our_context(text, address):
    assert sim7080_setup.address_of(text) == address


def test_a_context_is_closed_in_any_state():
    modem, port, _ = context({"AT+CNACT?": ACTIVE})
    startup.setup(modem).close_context(modem)
    assert port.sent == ["AT+CNACT?", "AT+CNACT=0,0"]
    modem, port, _ = context({"AT+CNACT?": INACTIVE})
    startup.setup(modem).close_context(modem)
    assert port.sent == ["AT+CNACT?"]


# Connection


def test_connecting_sending_receiving_and_closing():
    stream, port, _, far_end = connected()
    assert stream.answered
    assert stream.write(NASTY) == len(NASTY)
    assert port.payloads == [NASTY]
    far_end.waiting = NASTY * 40
    port.says("+CADATAIND: 0")
    assert stream.read(len(NASTY) * 40) == NASTY * 40
    stream.close()
    assert port.sent[:2] == [CLOSE, START] and port.sent[-1] == CLOSE
    stream.connect("broker.example", 1883)


REFUSALS = [
    ("nobody listens", line("+CAOPEN: 0,23") + OK, errno.ECONNREFUSED, True),
    ("no name", line("+CAOPEN: 0,20") + OK, errno.ECONNREFUSED, False),
    ("nobody answers", line("+CAOPEN: 0,27") + OK, errno.ECONNREFUSED, False),
    ("network not active", line("+CAOPEN: 0,21") + ERROR, errno.ECONNREFUSED, False),
    ("the result is behind OK", OK + line("+CAOPEN: 0,23"), errno.ECONNREFUSED, True),
    ("no such command", ERROR, errno.ECONNREFUSED, False),
    ("closed before it was open", OK + line("+CASTATE: 0,0"), errno.ECONNREFUSED, False),
    ("data service lost", OK + line("+APP PDP: 0,DEACTIVE"), errno.ECONNABORTED, False),
    ("the modem restarts", OK + line("RDY"), errno.ECONNABORTED, False),
    ("nothing comes of it", OK, errno.ETIMEDOUT, False),
]


@pytest.mark.parametrize("name, answer, code, answered", REFUSALS, ids=[row[0] for row in REFUSALS])
def test_why_a_connection_cannot_be_opened(name, answer, code, answered):
    stream, _, _, _ = ready({START: answer})
    assert errno_of(stream.connect, "broker.example", 1883) == code
    assert stream.answered == answered


def test_a_result_behind_ok_opens_the_connection_too():
    stream, _, _, far_end = connected({START: OK + line("+CAOPEN: 0,0")})
    far_end.waiting = b"on"
    assert stream.read(2) == b"on"


def test_a_link_in_use_is_closed_first():
    """A link is in use until AT+CACLOSE, also after the other side or a restart of the processor ended its connection."""
    stream, port, _, _ = ready({CLOSE: OK})
    stream.connect("broker.example", 1883)
    assert port.sent == [CLOSE, START]


def test_an_empty_buffer_is_not_a_closed_connection():
    stream, _, clock, far_end = connected()
    stream.settimeout(5)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert clock.ms <= 5_000
    far_end.waiting = b"late"
    assert stream.read(4) == b"late"  # the announcement was lost: polled


def test_a_buffer_that_is_read_in_full_is_read_again():
    stream, port, _, far_end = connected()
    far_end.waiting = bytes(1459 * 2)
    port.says("+CADATAIND: 0")
    assert len(stream.read(1459 * 2)) == 1459 * 2
    assert port.sent.count(GET) == 2


def test_a_closed_connection_ends_after_its_data():
    stream, port, _, far_end = connected()
    far_end.waiting = b"bye"
    port.says("+CASTATE: 0,0")
    assert stream.read(10) == b"bye"
    assert stream.read(1) == b""
    assert errno_of(stream.write, b"x") == errno.ECONNRESET


def test_a_connection_that_the_modem_does_not_know_is_closed():
    stream, _, _, _ = connected({GET: ERROR})
    assert stream.read(1) == b""


def test_of_the_states_of_a_connection_only_its_end_is_an_event():
    assert sim7080.FAMILY.link_event("+CASTATE: 0,0") == (driver.CLOSED, "0")
    assert sim7080.FAMILY.link_event("+CASTATE: 0,1") is None
    assert sim7080.FAMILY.link_event("+CASEND: 0,0") is None


def test_the_states_of_other_links_and_contexts_are_not_ours():
    stream, port, _, far_end = connected()
    for text in ("+CASTATE: 1,0", "+CASTATE: 0,1", "+APP PDP: 1,DEACTIVE", "+APP PDP: 0,ACTIVE", "+CAOPEN: 1,27"):
        port.says(text)
    far_end.waiting = b"on"
    assert stream.read(2) == b"on"


@pytest.mark.parametrize(
    "answer",
    [
        b"\r\n+CARECV: 0,5,hello\r\n\r\nOK\r\n",  # with the link first, as in the manual
        b"\r\n+CARECV: 5,hell\r\n\r\nOK\r\n",
        b"\r\n+CARECV: 5hello\r\n\r\nOK\r\n",
        b"\r\n+CARECV: 1461," + bytes(1461) + b"\r\n\r\nOK\r\n",
    ],
)
def test_payload_of_an_uncertain_size_is_an_error_and_not_data(answer):
    stream, _, _, _ = connected({GET: answer})
    assert errno_of(stream.read, 1) == errno.EIO


def test_a_lost_byte_never_gives_other_data():
    """The result is an error, the end of the stream, or the whole payload if the lost byte does not matter."""
    whole = b"\r\n+CARECV: %d," % len(NASTY) + NASTY + b"\r\n\r\nOK\r\n"
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


def test_a_refusal_that_took_bytes_all_the_same_is_an_error():
    stream, port, _, far_end = connected({PAYLOAD: ERROR})
    far_end.sent = 3
    assert errno_of(stream.write, b"hello") == errno.EIO


@pytest.mark.parametrize(
    "changes, code",
    [
        ({PAYLOAD: line("+CASTATE: 0,0") + ERROR}, errno.ECONNRESET),
        ({PAYLOAD: ERROR, ACK: ERROR}, errno.ECONNRESET),  # the modem does not have the link
        ({"AT+CASEND=0,5": ERROR}, errno.ETIMEDOUT),  # it never has room
    ],
)
def test_what_cannot_be_sent(changes, code):
    stream, _, _, _ = connected(changes)
    assert errno_of(stream.write, b"hello") == code


def test_the_line_behind_ok_of_other_firmware_disturbs_nothing():
    stream, port, _, far_end = connected()
    accept = far_end.take
    port.answers[PAYLOAD] = lambda port: accept(port) + line("+CASEND: 0,0,5")
    assert stream.write(b"hello") == 5
    assert stream.write(b"again") == 5


def test_a_dead_path_is_found_by_the_counts():
    stream, _, clock, far_end = connected()
    stream.write(b"hello")
    stream.settimeout(200)
    assert errno_of(stream.read, 1) == errno.ETIMEDOUT
    assert clock.ms < 100_000


@pytest.mark.parametrize("text, counts", [("+CAACK: 5,0", (5, 5)), ("+CAACK: 12000,1459", (12000, 10541))])
def test_the_counts(text, counts):
    assert sim7080.caack(text) == counts


@pytest.mark.parametrize("text", ["+CAACK: 5", "+CAACK: 5,6", "+CAACK: 5,5,0", "+CAACK: ,"])
def test_counts_that_cannot_be(text):
    with pytest.raises(ProtocolError):
        sim7080.caack(text)


# Signal, registration and time

CPSI = line("+CPSI: LTE CAT-M1,Online,505-01,0x2036,134523149,238,EUTRAN-BAND28,9410,5,5,-20,-116,-82,6") + OK


@pytest.mark.parametrize("csq, expected", [("+CSQ: 17,99", 17), ("+CSQ: 99,99", 18)])
def test_csq_is_taken_from_the_cell_if_unknown(csq, expected):
    modem, _, _ = scripted({"AT+CSQ": line(csq) + OK, "AT+CPSI?": CPSI}, sim7080.FAMILY)
    assert modem.signal_quality() == expected
    assert startup.setup(modem).reference_signal(modem) == (-116, -20)


def test_registration_is_that_of_lte_m_or_of_gprs():
    for eps, gprs, stat in (("1", "0", 1), ("0", "5", 5), ("2", "2", 2)):
        modem, _, _ = scripted(
            {"AT+CEREG?": line("+CEREG: 0," + eps) + OK, "AT+CGREG?": line("+CGREG: 0," + gprs) + OK}, sim7080.FAMILY
        )
        assert modem.registration().stat == stat


def test_the_network_sets_the_clock():
    modem, port, _ = scripted({"AT+CLTS?": line("+CLTS: 0") + OK, "AT+CLTS=1": OK, "AT&W": OK}, sim7080.FAMILY)
    startup.setup(modem).configure(modem)
    assert port.sent == ["AT+CLTS?", "AT+CLTS=1", "AT&W"]
