"""Does each answer go to its own command, whatever comes between, late, or not at all?"""

import pytest

from modem import replies
from modem.client import ANSWER_LIMIT_CHARS, QUERY_ATTEMPTS
from modem.errors import CommandError, CommandTimeout, ModemHung, ModemRestarted, ProtocolError
from modem.families import sim800_setup, sim7600
from tests.modem.scripted import OK, PAYLOAD, SILENCE, line, scripted

CSQ_17 = line("+CSQ: 17,0") + OK
CSQ_3 = line("+CSQ: 3,0") + OK


def test_an_answer_without_its_result():
    modem, port, _ = scripted({"AT+CSQ": CSQ_17})
    assert modem.command("AT+CSQ") == "+CSQ: 17,0"
    assert port.sent == ["AT+CSQ"]


def test_info_lines_are_joined():
    modem, _, _ = scripted({"AT+COPS=?": line("+COPS: (2,") + line("(1,") + OK})
    assert modem.command("AT+COPS=?") == "+COPS: (2,\n(1,"


def test_a_refusal_carries_its_code_and_name():
    modem, _, _ = scripted({"AT+CGATT=1": line("+CME ERROR: 107")})
    with pytest.raises(CommandError) as caught:
        modem.command("AT+CGATT=1")
    assert (caught.value.final, caught.value.code, caught.value.name) == (
        "+CME ERROR: 107",
        107,
        "GPRS services not allowed",
    )
    with pytest.raises(CommandError):
        modem.command("AT+NOSUCH")


def test_what_is_no_command_line_is_not_sent():
    modem, port, _ = scripted({})
    for text in ("", "ATH\r", "+CSQ", "AT+CSQ\nAT+CFUN=0"):
        with pytest.raises(ValueError):
            modem.command(text)
    assert port.sent == []


def test_a_command_within_a_command_is_refused():
    modem, port, _ = scripted({"AT+CSQ": line("+CREG: 1") + CSQ_17})
    seen = []

    def callback(text):
        with pytest.raises(RuntimeError):
            modem.command("AT+CSQ")
        seen.append(text)

    modem.subscribe("+CREG:", callback)
    assert modem.signal_quality() == 17
    assert seen == ["+CREG: 1"]


def test_unsolicited_lines_reach_who_asked_for_them():
    modem, port, _ = scripted({"AT+CSQ": line("+CREG: 1") + line("+CSQ: 17,0") + line("0, CLOSED") + OK})
    registrations, closed = [], []
    subscription = modem.subscribe("+CREG:", registrations.append)
    modem.subscribe("0,", closed.append)
    assert modem.signal_quality() == 17
    port.says("+CREG: 2")
    assert modem.wait(1000)
    assert (registrations, closed) == (["+CREG: 1", "+CREG: 2"], ["0, CLOSED"])
    modem.unsubscribe(subscription)
    port.says("+CREG: 5")
    modem.poll()
    assert len(registrations) == 2


def test_a_late_answer_is_nobody_elses():
    """The first AT+CSQ is answered after it was given up, just as the second is being sent."""
    late = [(4000, CSQ_3)]
    modem, port, clock = scripted({"AT+CSQ": [late, CSQ_17]})
    with pytest.raises(CommandTimeout):
        modem.command("AT+CSQ")
    assert modem.command("AT+CSQ") == "+CSQ: 17,0"
    assert (modem.timeouts, modem.resyncs) == (1, 1)


@pytest.mark.parametrize("late_by_ms", range(1, 7900, 158))
def test_however_late_it_is_nobody_elses(late_by_ms):
    """Modems answer in order: later commands are answered after the late answer."""

    def in_order(answer):
        return lambda port: [(max(0, 3000 + late_by_ms - port.clock.ms), line(answer) + OK)]

    modem, _, _ = scripted(
        {
            "AT+CSQ": [[(3000 + late_by_ms, CSQ_3)], CSQ_17],
            "AT+CMEE?": in_order("+CMEE: 1"),
            "AT+IPR?": in_order("+IPR: 115200"),
            "AT+IFC?": in_order("+IFC: 0,0"),
            "AT+CSCS?": in_order('+CSCS: "IRA"'),
        }
    )
    with pytest.raises(CommandTimeout):
        modem.command("AT+CSQ")
    assert modem.command("AT+CSQ") == "+CSQ: 17,0"


@pytest.mark.parametrize("late", [OK, line("ERROR"), line("+CME ERROR: 3"), line("DATA ACCEPT:0,5")])
def test_a_late_result_alone_is_nobody_elses(late):
    modem, _, _ = scripted({"AT+CSTT=": [[(3500, late)], OK], "AT+CSQ": CSQ_17})
    with pytest.raises(CommandTimeout):
        modem.command("AT+CSTT=")
    assert modem.command("AT+CSQ") == "+CSQ: 17,0"


def test_a_query_is_asked_again_when_its_answer_is_torn():
    torn = line("+CSQ: 1") + line("+CREG: 5") + line("7,0") + OK
    modem, port, _ = scripted({"AT+CSQ": [torn, SILENCE, CSQ_17]})
    assert modem.signal_quality() == 17
    assert modem.unexpected_lines > 0


def test_a_torn_answer_whose_result_came_costs_no_time():
    torn = b"\r\n+CS\r\nRING\r\nQ: 17,0\r\n" + OK
    modem, port, clock = scripted({"AT+CSQ": [torn, CSQ_17]})
    assert modem.signal_quality() == 17
    assert (modem.resyncs, clock.ms) == (0, 0)


def test_a_result_that_a_urc_cut_in_two_costs_no_time():
    modem, port, clock = scripted({"AT+CGREG=2": b"\r\nO" + line("+CREG: 0") + b"K\r\n"})
    modem.command("AT+CGREG=2")
    assert (clock.ms, modem.resyncs, port.sent) == (0, 0, ["AT+CGREG=2"])


@pytest.mark.parametrize("halves", [("ER", "ROR"), ("+CME E", "RROR: 30")])
def test_a_refusal_that_a_urc_cut_in_two_is_one(halves):
    first, second = halves
    torn = b"\r\n" + first.encode() + line("+CREG: 0") + second.encode() + b"\r\n"
    modem, _, clock = scripted({"AT+CGREG=2": torn})
    with pytest.raises(CommandError) as caught:
        modem.command("AT+CGREG=2")
    assert caught.value.final == first + second
    assert clock.ms == 0


def test_pieces_that_make_no_result_are_waited_with():
    modem, _, clock = scripted({"AT+CGREG=2": [line("O") + line("X") + line("K"), OK]})
    with pytest.raises(CommandTimeout):
        modem.command("AT+CGREG=2")
    assert clock.ms == 3000


def test_a_result_within_a_payload_whose_header_was_torn_leaves_us_out_of_step():
    payload = b"OK\r\nOK\r\n"
    torn = b"\r\n+CIPRX\r\nRING\r\nGET: 2,0,%d,0\r\n" % len(payload) + payload + OK
    modem, port, _ = scripted({"AT+CIPRXGET=2,0,1460": torn, "AT+CSQ": CSQ_17})
    with pytest.raises(ProtocolError):
        modem.receive_payload("AT+CIPRXGET=2,0,1460", "+CIPRXGET: 2,0,", bytearray(1460))
    assert modem.signal_quality() == 17
    assert modem.resyncs == 1


def test_a_query_is_not_asked_for_ever():
    modem, port, _ = scripted({"AT+CSQ": line("+CSQ: 1") + OK})
    with pytest.raises(ProtocolError):
        modem.query("AT+CSQ", replies.signal_quality)
    assert port.sent.count("AT+CSQ") == QUERY_ATTEMPTS


def test_a_setting_is_sent_again_when_its_result_is_lost():
    modem, port, _ = scripted({"ATE0": [line("O"), OK]})
    modem.ensure("ATE0")
    assert port.sent.count("ATE0") == 2


def test_a_modem_that_answers_nothing_is_hung():
    modem, port, clock = scripted({"AT+CSQ": CSQ_17})
    port.hears_from_ms = None
    with pytest.raises(CommandTimeout):
        modem.command("AT+CSQ")
    since = clock.ms
    with pytest.raises(ModemHung):
        modem.command("AT+CSQ")
    assert clock.ms - since <= 4 * 2000
    port.hears_from_ms = 0
    assert modem.signal_quality() == 17


def test_a_restart_ends_a_command_at_once():
    modem, port, clock = scripted({"AT+COPS=?": [(1000, line("RDY"))], "AT+CSQ": CSQ_17})
    modem.needs_setup = False
    with pytest.raises(ModemRestarted):
        modem.command("AT+COPS=?")
    assert (clock.ms, modem.needs_setup) == (1000, True)
    assert modem.signal_quality() == 17


def test_low_voltage_is_counted():
    modem, port, _ = scripted({})
    port.says("UNDER-VOLTAGE WARNNING")
    port.says("OVER-VOLTAGE POWER DOWN")
    modem.poll()
    assert modem.voltage_warnings == 2


def test_a_modem_that_never_stops_talking_keeps_no_command_from_its_deadline():
    modem, port, clock = scripted({"AT+CSQ": SILENCE})
    noise = line("+CREG: 1") * 8
    for ms in range(0, 20_000, 10):
        port.says(noise, ms)
    with pytest.raises(CommandTimeout):
        modem.command("AT+CSQ")
    assert clock.ms <= 3010


def test_an_endless_answer_is_bounded():
    modem, _, _ = scripted({"AT+CNETSCAN": line("Operator:" + "x" * 90) * 200 + OK})
    with pytest.raises(ProtocolError):
        modem.command("AT+CNETSCAN")


def test_an_answer_that_just_fits_is_whole():
    scan = "Operator:" + "x" * (ANSWER_LIMIT_CHARS // 64 - 9)
    modem, _, _ = scripted({"AT+CNETSCAN": [line(scan) * 64 + OK, line(scan) * 64 + line("Operator:") + OK]})
    assert len(modem.command("AT+CNETSCAN").replace("\n", "")) == ANSWER_LIMIT_CHARS
    with pytest.raises(ProtocolError):
        modem.command("AT+CNETSCAN")


def test_an_unknown_urc_does_not_spoil_an_answer():
    modem, _, _ = scripted({"AT+CSQ": line("+XYZ: 4") + CSQ_17})
    assert modem.signal_quality() == 17


def test_a_setting_is_not_spoilt_by_words_we_do_not_know():
    modem, _, _ = scripted({"AT+CMEE=1": line("Welcome") + OK})
    modem.command("AT+CMEE=1")
    assert modem.unexpected_lines == 1


def test_answers_that_follow_ok():
    rows = b"".join([line('C: %d,,"","","","INITIAL"' % link) for link in range(6)])
    modem, port, _ = scripted({"AT+CIPSTATUS": OK + line("STATE: IP STATUS") + rows, "AT+CIPSHUT": line("SHUT OK")})
    assert sim800_setup.cipstatus(modem.command("AT+CIPSTATUS", expect="C: 5")) == "IP STATUS"
    modem.command("AT+CIPSHUT")
    assert modem.unexpected_lines == 0


def test_a_quiet_line_is_looked_at_once_before_a_command():
    modem, port, _ = scripted({"AT+CSQ": CSQ_17})
    looks = []
    read = port.read
    port.read = lambda: looks.append(list(port.sent)) or read()
    modem.command("AT+CSQ")
    assert looks.count([]) == 1


def test_an_answer_without_ok():
    modem, _, _ = scripted({"AT+CIFSR": line("10.64.0.17")})
    assert modem.command("AT+CIFSR") == "10.64.0.17"


def test_an_answer_without_a_name():
    modem, _, _ = scripted({"AT+GSN": line("867856030000017") + OK})
    assert modem.command("AT+GSN") == "867856030000017"


def test_payload_waits_for_the_prompt():
    modem, port, _ = scripted({PAYLOAD: line("DATA ACCEPT:0,5")})
    assert modem.send_payload("AT+CIPSEND=0,5", b"A\r\nT\r") == "DATA ACCEPT:0,5"
    assert port.payloads == [b"A\r\nT\r"]


def test_payload_is_not_sent_without_a_prompt():
    modem, port, _ = scripted({"AT+CIPSEND=0,5": line("+CME ERROR: 3")})
    with pytest.raises(CommandError):
        modem.send_payload("AT+CIPSEND=0,5", b"12345")
    assert port.payloads == []


def test_a_modem_that_waits_for_the_rest_of_a_payload_is_freed():
    modem, port, _ = scripted({PAYLOAD: line("DATA ACCEPT:0,9"), "AT+CSQ": CSQ_17})
    with pytest.raises(CommandTimeout):
        modem.send_payload("AT+CIPSEND=0,9", b"12345678")  # a byte was lost on the way
    assert modem.signal_quality() == 17


def test_payload_comes_into_the_buffer():
    answer = line("+CIPRXGET: 2,0,6,0")[:-2] + b"\r\n" + b"OK\r\n> " + b"\r\nOK\r\n"
    modem, _, _ = scripted({"AT+CIPRXGET=2,0,10": answer})
    buffer = bytearray(10)
    assert modem.receive_payload("AT+CIPRXGET=2,0,10", "+CIPRXGET: 2,0,", buffer) == ("+CIPRXGET: 2,0,6,0", 6)
    assert buffer == b"OK\r\n> \x00\x00\x00\x00"


def test_missing_payload_is_noticed_and_recovered_from():
    answer = b"\r\n+CIPRXGET: 2,0,6,0\r\nABCDE\r\nOK\r\n"
    modem, _, _ = scripted({"AT+CIPRXGET=2,0,10": answer, "AT+CSQ": CSQ_17})
    with pytest.raises(ProtocolError):
        modem.receive_payload("AT+CIPRXGET=2,0,10", "+CIPRXGET: 2,0,", bytearray(10))
    assert modem.broken == 1
    assert modem.signal_quality() == 17


def test_the_operator_is_asked_for_in_digits():
    modem, port, _ = scripted(
        {"AT+COPS?": [line('+COPS: 0,0,"vodafone UK"') + OK, line('+COPS: 0,2,"23415"') + OK], "AT+COPS=3,2": OK}
    )
    assert modem.operator() == "23415"
    assert modem.operator() == "23415"
    assert port.sent.count("AT+COPS=3,2") == 1


def test_without_a_network_there_is_no_operator():
    modem, port, _ = scripted({"AT+COPS?": line("+COPS: 0") + OK})
    assert modem.operator() is None
    assert port.sent == ["AT+COPS?"]


def test_registration_is_that_of_the_packet_service():
    modem, _, _ = scripted({"AT+CGREG?": line('+CGREG: 1,"00C3","1A2B"') + line('+CGREG: 2,5,"00C4","1A2C"') + OK})
    assert modem.registration() == (5, 0xC4, 0x1A2C, None)


def test_a_modem_whose_prompt_got_lost_is_given_its_payload_and_answers_again():
    """The client missed the prompt, so it does not send the payload for which the modem waits."""
    modem, port, clock = scripted({PAYLOAD: line("DATA ACCEPT:0,300")})
    port.says = _without_prompt(port.says)
    with pytest.raises(CommandTimeout):
        modem.send_payload("AT+CIPSEND=0,300", b"x" * 300)
    modem.resync()
    assert port.payloads == [b"\r" * 300]


def _without_prompt(says):
    return lambda text, delay_ms=0: None if text == b"\r\n> " else says(text, delay_ms)


def test_of_a_family_that_says_several_words_as_it_boots_the_first_is_told():
    modem, port, _ = scripted({"AT+CSQ": b"AT+CSQ\r" + CSQ_17}, sim7600.FAMILY)
    modem.needs_setup, booted = False, []
    modem.subscribe("", booted.append)
    with pytest.raises(ModemRestarted):
        modem.command("AT+CSQ")
    assert booted == ["RDY"] and len(sim7600.FAMILY.BOOTED) > 1


def test_a_modem_that_echoes_again_has_restarted_without_a_word():
    """With automatic speed, a SIM800 sends no RDY. Echo, error reports and registration reports have their defaults again."""
    modem, port, _ = scripted({"AT+CSQ": b"AT+CSQ\r" + line("+CSQ: 20,0") + OK})
    assert modem.command("AT+CSQ") == "+CSQ: 20,0", "before it is configured it may"
    modem.needs_setup = False
    booted = []
    modem.subscribe("RDY", booted.append)
    with pytest.raises(ModemRestarted):
        modem.command("AT+CSQ")
    assert modem.needs_setup and booted
