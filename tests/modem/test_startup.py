"""Does a modem start from whatever state it was left in, as fast as possible and with the required delays?"""

import pytest

from modem import startup
from modem.errors import ModemHung, NotRegistered, SimError
from tests.modem.scripted import OK, line, scripted

READY = {
    "ATE0": OK,
    "AT+CMEE=1": OK,
    "AT+CFUN?": line("+CFUN: 1") + OK,
    "AT+CGREG=2": OK,
    "AT+CLTS?": line("+CLTS: 1") + OK,
    "AT+IPR?": line("+IPR: 115200") + OK,
    "AT+CPIN?": line("+CPIN: READY") + OK,
    "AT+COPS?": line("+COPS: 0") + OK,
    "AT+CGREG?": line('+CGREG: 2,5,"01F4","2A3B"') + OK,
    "AT+CIPMUX?": line("+CIPMUX: 0") + OK,
    "AT+CIPSTATUS": OK + line("STATE: IP INITIAL"),
    "AT+CGATT?": line("+CGATT: 1") + OK,
    "AT+CIPMUX=1": OK,
    "AT+CIPQSEND=1": OK,
    "AT+CIPRXGET=1": OK,
    'AT+CSTT="internet","",""': OK,
    "AT+CIICR": OK,
    "AT+CIFSR": line("10.64.0.17"),
    "AT+CIPSHUT": line("SHUT OK"),
    "AT+COPS=0": OK,
    "AT&W": OK,
}
LINKS = b"".join([line('C: %d,,"","","","INITIAL"' % link) for link in range(6)])
OPENING = [
    "AT+CIPMUX=1",
    "AT+CIPQSEND=1",
    "AT+CIPRXGET=1",
    'AT+CSTT="internet","",""',
    "AT+CIICR",
    "AT+CIFSR",
]


def ready(changes=()):
    answers = dict(READY)
    answers.update(changes)
    return scripted(answers)


class Power:
    """Supply and PWRKEY. The modem accepts commands from `boot_ms` after the key is released, and then sends RDY if
    `says_ready`."""

    def __init__(self, port, clock, boot_ms=3000, says_ready=True):
        self.port = port
        self.clock = clock
        self.boot_ms = boot_ms
        self.says_ready = says_ready
        self.history = []
        port.hears_from_ms = None

    def supply(self, on):
        self.history.append((self.clock.ms, "supply", on))
        if not on:
            self.port.hears_from_ms = None

    def key(self, pressed):
        if self.history[-1:] and self.history[-1][1:] == ("key", True) and not pressed:
            self.port.hears_from_ms = self.clock.ms + self.boot_ms
            if self.says_ready:
                self.port.says("RDY", self.boot_ms)
        self.history.append((self.clock.ms, "key", pressed))


# Power and speed


def test_power_on_takes_no_longer_than_the_modem():
    modem, port, clock = ready()
    power = Power(port, clock)
    startup.power_on(modem, power)
    assert power.history == [(0, "supply", True), (100, "key", True), (1200, "key", False)]
    assert clock.ms == 1200 + 3000


def test_a_modem_that_says_no_word_as_it_boots_is_asked_until_it_answers():
    """With an automatic baud rate, there is no RDY."""
    modem, port, clock = ready()
    startup.power_on(modem, Power(port, clock, says_ready=False))
    assert clock.ms <= 1200 + 3000 + 2 * startup.BOOT_PROBE_MS * 4


def test_power_cycle_leaves_the_modem_no_doubt():
    modem, port, clock = ready()
    power = Power(port, clock)
    startup.power_cycle(modem, power)
    assert power.history == [
        (0, "key", False),
        (0, "supply", False),
        (2000, "supply", True),
        (2100, "key", True),
        (3200, "key", False),
    ]


def test_a_modem_that_does_not_come_up_is_hung_at_any_speed():
    modem, port, clock = ready()
    port.hears_from_ms = None
    with pytest.raises(ModemHung):
        startup.synchronise(modem)
    assert clock.ms <= 25_000
    assert port.bauds == [9_600, 57_600, 19_200, 115_200]


def test_a_modem_at_another_speed_is_set_to_ours():
    modem, port, clock = ready({"AT+IPR=115200": OK})
    port.hears_from_ms = None
    original = port.set_baud

    def set_baud(baud):
        original(baud)
        port.hears_from_ms = 0 if baud in (57_600, 115_200) else None

    port.set_baud = set_baud
    startup.synchronise(modem)
    assert port.bauds == [9_600, 57_600, 115_200]
    assert "AT+IPR=115200" in port.sent


def test_whether_it_answers_is_found_out_quickly():
    modem, port, clock = ready()
    assert startup.answers(modem)
    port.hears_from_ms = None
    assert not startup.answers(modem)
    assert clock.ms <= 1200


# Configuration


def test_nothing_is_written_that_is_already_so():
    modem, port, _ = ready()
    startup.configure(modem)
    assert port.sent == ["AT+CGMM", "ATE0", "AT+CMEE=1", "AT+CFUN?", "AT+CGREG=2", "AT+CLTS?", "AT+IPR?"]
    assert modem.model is None  # the answer does not contain it


def test_a_modem_is_asked_for_its_model_once():
    modem, port, _ = ready({"AT+CGMM": line("SIMCOM_SIM800L") + OK})
    startup.configure(modem)
    startup.configure(modem)
    assert modem.model == "SIMCOM_SIM800L"
    assert port.sent.count("AT+CGMM") == 1


def test_a_saved_flight_mode_is_undone():
    modem, port, _ = ready({"AT+CFUN?": line("+CFUN: 4") + OK, "AT+CFUN=1": OK})
    startup.configure(modem)
    assert "AT+CFUN=1" in port.sent


def test_a_modem_fresh_from_the_factory_learns_speed_and_time():
    modem, port, _ = ready(
        {
            "AT+IPR?": line("+IPR: 0") + OK,
            "AT+IPR=115200": OK,
            "AT+CLTS?": line("+CLTS: 0") + OK,
            "AT+CLTS=1": OK,
        }
    )
    startup.configure(modem)
    assert port.sent.count("AT&W") == 2
    assert "AT+IPR=115200" in port.sent and "AT+CLTS=1" in port.sent


# SIM


def test_the_sim_is_waited_for_and_noticed_at_once():
    busy = line("+CME ERROR: 14")
    modem, port, clock = ready({"AT+CPIN?": [busy, busy, READY["AT+CPIN?"]]})
    port.says("+CFUN: 1", 200)
    port.says("+CPIN: READY", 640)
    startup.wait_for_sim(modem)
    assert clock.ms == 640


def test_a_sim_that_says_no_word_when_it_is_ready_is_asked_every_second():
    busy = line("+CME ERROR: 14")
    modem, _, clock = ready({"AT+CPIN?": [busy, busy, READY["AT+CPIN?"]]})
    startup.wait_for_sim(modem)
    assert clock.ms == 2 * startup.SIM_POLL_MS


@pytest.mark.parametrize("within_ms, asked", [(0, 1), (500, 2), (1000, 2), (2500, 4)])
def test_a_sim_is_waited_for_no_longer_than_was_asked_for(within_ms, asked):
    modem, port, clock = ready({"AT+CPIN?": line("+CME ERROR: 14")})
    with pytest.raises(SimError):
        startup.wait_for_sim(modem, within_ms)
    assert (clock.ms, port.sent.count("AT+CPIN?")) == (within_ms, asked)


@pytest.mark.parametrize("state", ["SIM PIN", "SIM PUK"])
def test_where_only_a_person_can_help_nothing_is_waited_for(state):
    modem, port, clock = ready({"AT+CPIN?": line("+CPIN: " + state) + OK})
    with pytest.raises(SimError) as caught:
        startup.wait_for_sim(modem)
    assert (caught.value.state, clock.ms) == (state, 0)
    assert not [command for command in port.sent if command.startswith("AT+CPIN=")]


def test_no_sim():
    modem, _, clock = ready({"AT+CPIN?": line("+CME ERROR: 10")})
    with pytest.raises(SimError) as caught:
        startup.wait_for_sim(modem)
    assert caught.value.state == "SIM not inserted"
    assert clock.ms == 20_000


# Network


SEARCHING = line("+CGREG: 2,2") + OK


def test_registration_is_noticed_as_it_happens():
    modem, port, clock = ready({"AT+CGREG?": [SEARCHING, READY["AT+CGREG?"]]})
    port.says('+CGREG: 5,"01F4","2A3B"', 1234)
    assert startup.wait_for_network(modem).stat == 5
    assert clock.ms == 1234


def test_a_registration_that_no_urc_tells_is_noticed_within_two_seconds():
    modem, _, clock = ready({"AT+CGREG?": [SEARCHING, SEARCHING, READY["AT+CGREG?"]]})
    startup.wait_for_network(modem)
    assert clock.ms == 2 * startup.NETWORK_POLL_MS


@pytest.mark.parametrize("within_ms, asked", [(0, 1), (500, 2), (2000, 2), (4500, 4)])
def test_a_network_is_waited_for_no_longer_than_was_asked_for(within_ms, asked):
    modem, port, clock = ready({"AT+CGREG?": SEARCHING})
    with pytest.raises(NotRegistered):
        startup.wait_for_network(modem, within_ms)
    assert (clock.ms, port.sent.count("AT+CGREG?")) == (within_ms, asked)


@pytest.mark.parametrize("stat", [1, 5])
def test_home_and_roaming_are_equally_good(stat):
    modem, _, clock = ready({"AT+CGREG?": line("+CGREG: 2,%d" % stat) + OK})
    assert startup.wait_for_network(modem).stat == stat
    assert clock.ms == 0


def test_nobody_takes_us():
    modem, _, clock = ready({"AT+CGREG?": line("+CGREG: 2,3") + OK})
    with pytest.raises(NotRegistered) as caught:
        startup.wait_for_network(modem)
    assert (caught.value.stat, clock.ms) == (3, 180_000)


def test_a_saved_choice_of_a_network_that_is_gone_is_taken_back_after_a_minute():
    modem, port, clock = ready(
        {
            "AT+COPS?": line("+COPS: 1") + OK,
            "AT+CGREG?": lambda port: READY["AT+CGREG?"] if "AT+COPS=0" in port.sent else SEARCHING,
        }
    )
    startup.wait_for_network(modem)
    assert 60_000 <= clock.ms <= 62_000


def test_a_saved_choice_is_taken_back_once():
    modem, port, clock = ready({"AT+COPS?": line("+COPS: 1") + OK, "AT+CGREG?": SEARCHING})
    with pytest.raises(NotRegistered):
        startup.wait_for_network(modem)
    assert port.sent.count("AT+COPS=0") == 1 and clock.ms == startup.NETWORK_TIMEOUT_MS


def test_a_saved_choice_that_works_is_left_alone():
    modem, port, _ = ready({"AT+COPS?": line('+COPS: 1,2,"23415"') + OK})
    startup.wait_for_network(modem)
    assert "AT+COPS=0" not in port.sent


def test_a_saved_wish_not_to_register_is_taken_back_at_once():
    modem, port, clock = ready({"AT+COPS?": line("+COPS: 2") + OK, "AT+COPS=0": line("+CME ERROR: 30")})
    startup.wait_for_network(modem)
    assert "AT+COPS=0" in port.sent
    assert clock.ms == 0


# Data service


def test_a_fresh_modem_opens_its_data_service():
    modem, port, _ = ready()
    assert startup.open_pdp_context(modem, "internet") == "10.64.0.17"
    assert port.sent == ["AT+CIPMUX?", "AT+CIPSTATUS", "AT+CGATT?"] + OPENING


@pytest.mark.parametrize("state", ["IP STATUS", "IP PROCESSING"])
def test_an_open_data_service_is_kept(state):
    modem, port, _ = ready(
        {"AT+CIPMUX?": line("+CIPMUX: 1") + OK, "AT+CIPSTATUS": OK + line("STATE: " + state) + LINKS}
    )
    assert startup.open_pdp_context(modem, "internet") == "10.64.0.17"
    assert port.sent == ["AT+CIPMUX?", "AT+CIPSTATUS", "AT+CIFSR"]
    assert modem.unexpected_lines == 0


@pytest.mark.parametrize("state", ["PDP DEACT", "IP START", "IP GPRSACT", "IP CONFIG"])
def test_a_data_service_in_any_other_state_is_opened_afresh(state):
    modem, port, _ = ready(
        {"AT+CIPMUX?": line("+CIPMUX: 1") + OK, "AT+CIPSTATUS": OK + line("STATE: " + state) + LINKS}
    )
    startup.open_pdp_context(modem, "internet")
    assert port.sent == ["AT+CIPMUX?", "AT+CIPSTATUS", "AT+CIPSHUT", "AT+CGATT?"] + OPENING


def test_a_detached_modem_attaches_first():
    modem, port, _ = ready({"AT+CGATT?": line("+CGATT: 0") + OK, "AT+CGATT=1": OK})
    startup.open_pdp_context(modem, "internet")
    assert "AT+CGATT=1" in port.sent


def test_user_and_password_go_with_the_apn():
    modem, port, _ = ready({'AT+CSTT="iot.net","me","secret"': OK})
    startup.open_pdp_context(modem, "iot.net", "me", "secret")
    assert 'AT+CSTT="iot.net","me","secret"' in port.sent


def test_the_longest_apn_and_login_that_every_family_takes():
    longest = "x" * 50
    modem, port, _ = ready({'AT+CSTT="%s","%s","%s"' % (longest, longest, longest): OK})
    assert startup.open_pdp_context(modem, longest, longest, longest) == "10.64.0.17"


@pytest.mark.parametrize("login", [("x" * 51, ""), ("", "x" * 51), ('a"', ""), ("", 'a"')])
def test_a_login_that_the_modem_would_misread(login):
    modem, port, _ = ready()
    with pytest.raises(ValueError):
        startup.open_pdp_context(modem, "internet", *login)
    assert port.sent == []


@pytest.mark.parametrize("apn", ['x","y', "x" * 51])
def test_an_apn_that_the_modem_would_misread(apn):
    modem, port, _ = ready()
    with pytest.raises(ValueError):
        startup.open_pdp_context(modem, apn)
    assert port.sent == []
