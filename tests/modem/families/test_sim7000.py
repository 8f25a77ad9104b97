"""Where does the SIM7000 differ from the SIM800?"""

import pytest

from modem import startup
from modem.families import sim7000
from tests.modem.scripted import OK, line, scripted

ROWS = [line('C: %d,,"","","","INITIAL"' % link) for link in range(8)]


def test_registration_is_that_of_lte_m_or_of_gprs():
    for eps, gprs, stat in (("1", "0", 1), ("0", "5", 5), ("2", "2", 2)):
        modem, _, _ = scripted(
            {"AT+CEREG?": line("+CEREG: 0," + eps) + OK, "AT+CGREG?": line("+CGREG: 0," + gprs) + OK}, sim7000.FAMILY
        )
        assert modem.registration().stat == stat


def test_the_state_of_eight_links_ends_with_the_last_row():
    answers = {
        "AT+CIPMUX?": line("+CIPMUX: 1") + OK,
        "AT+CIPSTATUS": OK + line("STATE: IP PROCESSING") + b"".join(ROWS),
        "AT+CIFSR": line("10.64.0.17"),
    }
    modem, _, _ = scripted(answers, sim7000.FAMILY)
    assert startup.open_pdp_context(modem, "internet") == "10.64.0.17"
    assert modem.unexpected_lines == 0


def test_a_scan_is_the_standards_and_measures_nothing():
    listed = line('+COPS: (2,"EE","EE","23430",7),(3,"O2","O2","23410",7),,(0-4),(0-2)') + OK
    modem, port, _ = scripted({"AT+COPS=?": listed}, sim7000.FAMILY)
    assert startup.setup(modem).scan(modem) == [("23430", "EE", None, False), ("23410", "O2", None, True)]
    assert port.sent == ["AT+COPS=?"]


@pytest.mark.parametrize(
    "text, reference",
    [
        (
            "+CPSI: LTE CAT-M1,Online,505-01,0x2036,134523149,238,EUTRAN-BAND28,9410,5,5,-20,-116,-82,6",
            (-116, -20),
        ),
        ("+CPSI: GSM,Online,460-00,0x1816,63905,81 EGSM 900,-64,0,34-34", None),
    ],
)
def test_the_reference_signal_of_the_cell(text, reference):
    modem, _, _ = scripted({"AT+CPSI?": line(text) + OK}, sim7000.FAMILY)
    assert startup.setup(modem).reference_signal(modem) == reference
