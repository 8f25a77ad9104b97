"""Does a charge point use the tables of its modem?"""

import pytest

from firmware.lazy_import import LazyImport
from firmware.link.bearer import Bearer
from modem.errors import ModemHung
from modem.families import m95, quectel, sim800, sim7000, sim7080, sim7600
from tests.modem.scripted import OK, Clock, Port, line

ANSWERS = {
    "AT": OK,
    "ATE0": OK,
    "AT+CMEE=1": OK,
    "AT+CFUN?": line("+CFUN: 1") + OK,
    "AT+CGREG=2": OK,
    "AT+CEREG=2": OK,
    "AT+CTZU?": line("+CTZU: 1") + OK,
    "AT+CMEE?": line("+CMEE: 1") + OK,
    "AT+CLTS?": line("+CLTS: 1") + OK,
    "AT+IPR?": line("+IPR: 115200") + OK,
}


class Power:
    def supply(self, on):
        pass

    def key(self, pressed):
        pass


class StubBoard:
    has_guard = True
    modem_power = Power()

    def __init__(self, modem_port, flash, modem_family=None):
        self.modem_family = modem_family
        self.modem_port = modem_port
        self.flash = flash


class Messages:
    """The outbox, and a journal that nothing reads."""

    def __init__(self):
        self.noted = []

    def put(self, *_):
        pass

    def note(self, kind, details):
        self.noted.append((kind, details))


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("SIMCOM_SIM800L", sim800),
        ("SIMCOM_SIM7000E", sim7000),
        ("SIMCOM_SIM7080", sim7080),
        ("SIMCOM_SIM7600E-H", sim7600),
        ("A7670E-LASC", sim7600),
        ("BG95-M3", quectel),
        ("Quectel_M95", m95),
        ("SL8082T", sim800),
    ],
)
def test_the_model_number_chooses_the_family(model, family):
    clock = Clock()
    port = Port(clock, dict(ANSWERS, **{"AT+CGMM": line(model) + OK}))
    bearer = Bearer(StubBoard(port, "none-such"), clock, Messages(), lambda *_: None)
    bearer.start()
    assert bearer.modem.family is family.FAMILY
    assert bearer.modem.model == model
    assert port.sent.index("AT+CGMM") < port.sent.index("ATE0"), "what is configured is the family's"


def test_a_modem_that_did_not_answer_at_the_start_is_asked_later():
    registered = {
        "AT+CGMM": line("A7670E-LASC") + OK,
        "AT+CPIN?": line("+CPIN: READY") + OK,
        "AT+COPS?": line('+COPS: 0,2,"23415"') + OK,
        "AT+CGREG?": line("+CGREG: 2,5") + OK,
        "AT+CIPRXGET=1": OK,
        "AT+NETOPEN?": line("+NETOPEN: 1") + OK,
        "AT+IPADDR": line("+IPADDR: 10.0.0.1") + OK,
        "AT+CEREG?": line("+CEREG: 2,5") + OK,
        "AT+CSQ": line("+CSQ: 17,99") + OK,
        "AT+CCLK?": line('+CCLK: "26/11/26,12:00:00+00"') + OK,
    }
    clock = Clock()
    port = Port(clock, dict(ANSWERS, **registered))
    port.hears_from_ms = None
    journal = Messages()
    bearer = Bearer(StubBoard(port, "none-such"), clock, journal, lambda *_: None)
    with pytest.raises(ModemHung):
        bearer.start()
    port.hears_from_ms = 0
    bearer.start()
    with LazyImport():
        from modem import network_control

        network_control.carry_out(bearer.modem, Power(), "reshut")  # what recovery may do before
    bearer.register()
    bearer.open("internet")
    assert bearer.modem.family is sim7600.FAMILY
    assert port.sent.index("AT+CGMM") < port.sent.index("AT+CEREG=2") < port.sent.index("AT+CPIN?")
    assert "AT+NETOPEN?" in port.sent
    bearer.register()
    assert journal.noted == [("modem", {"model": "A7670E-LASC", "family": "sim7600"})], "once a boot"


def test_a_modem_that_restarted_between_two_commands_is_configured_again():
    """It echoes again: on a SIM7600, the echo of a payload spoiled every answer to a payload."""
    registered = {
        "AT+CGMM": line("SIMCOM_SIM7600E-H") + OK,
        "AT+CPIN?": line("+CPIN: READY") + OK,
        "AT+COPS?": line('+COPS: 0,2,"23415"') + OK,
        "AT+CEREG?": line("+CEREG: 2,5") + OK,
        "AT+CSQ": line("+CSQ: 17,99") + OK,
        "AT+CCLK?": line('+CCLK: "26/11/26,12:00:00+00"') + OK,
    }
    clock = Clock()
    port = Port(clock, dict(ANSWERS, **registered))
    bearer = Bearer(StubBoard(port, "none-such"), clock, Messages(), lambda *_: None)
    bearer.start()
    bearer.register()
    assert port.sent.count("ATE0") == 1
    port.says("RDY")
    bearer.modem.poll()
    bearer.register()
    assert port.sent.count("ATE0") == 2
    assert "ATE0" in port.sent[port.sent.index("AT+CPIN?") :]
    bearer.register()
    assert port.sent.count("ATE0") == 2


def test_a_board_that_names_its_family_keeps_it_whatever_the_model():
    clock = Clock()
    port = Port(clock, dict(ANSWERS, **{"AT+CGMM": line("A7670E-LASC") + OK}))
    bearer = Bearer(StubBoard(port, "none-such", "sim7000"), clock, Messages(), lambda *_: None)
    bearer.start()
    assert bearer.modem.family is sim7000.FAMILY
    assert bearer.modem.model == "A7670E-LASC"
