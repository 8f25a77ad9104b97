"""Does the model number choose the modem's family, and are the family's tables then in use?"""

import pytest

from modem.errors import ProtocolError
from modem.families import driver, m95, quectel, registry, sim800, sim7000, sim7080, sim7600
from tests.modem.scripted import OK, line, scripted

M95_URC = "UNDER_VOLTAGE WARNING"  # only in the tables of the M95, and without the form of other URCs


def identified(answers):
    modem, port, _ = scripted(answers)
    return registry.identify(modem), modem, port


CHOSEN = [
    ("SIMCOM_SIM800L", sim800), ("SIM800C", sim800), ("SIM808", sim800), ("SIM868", sim800), ("SIMCOM_SIM868", sim800),
    ("SIM900", sim800), ("SIMCOM_SIM900A", sim800), ("SIM908", sim800),
    ("SIMCOM_SIM7000E", sim7000), ("SIM7000G", sim7000),
    ("SIMCOM_SIM7070", sim7080), ("SIM7070G", sim7080), ("SIMCOM_SIM7080", sim7080), ("SIM7080G", sim7080),
    ("SIM7090G", sim7080),
    ("SIMCOM_SIM7600E-H", sim7600), ("SIM7500E", sim7600), ("A7670E-FASE", sim7600), ("A7670E-LASC", sim7600),
    ("A7672E", sim7600), ("A7608E-H", sim7600), ("A7600C1-LNXY", sim7600), ("A7602E-H", sim7600),
    ("A7682E", sim7600), ("sim7080g", sim7080),
    ("EC20", quectel), ("EC200U", quectel), ("EC21", quectel), ("EC25", quectel), ("EG25-G", quectel), ("EG91", quectel),
    ("EG95", quectel), ("EG915U", quectel), ("BG96", quectel), ("BG95-M3", quectel), ("BG77", quectel), ("BG600L-M3", quectel),
    ("Quectel_M95", m95), ("M95", m95), ("M66", m95), ("MC60", m95), ("MC20", m95), ("Quectel_M26", m95), ("M35", m95),
]  # fmt: skip


@pytest.mark.parametrize("model, family", CHOSEN, ids=[row[0] for row in CHOSEN])
def test_model_numbers_choose_their_family(model, family):
    """Alone, after the command's name, in quotes, after stray bytes, and among other lines of the answer."""
    for answer in (
        line(model),
        line("+CGMM: " + model),
        line('+CGMM: "%s"' % model),
        b"\r\n\x00" + model.encode() + b"\r\n",
        b"\r\n\xff\xff" + model.encode() + b"\r\n",
        line("+CREG: 1") + line("Call Ready") + line(model),
        line("AT+CGMM") + line(model) + line("*PSUTTZ: 26,11,26,12,0,0"),
    ):
        found, modem, port = identified({"AT+CGMM": answer + OK})
        assert (found, modem.family) == (model, family.FAMILY), answer
        assert port.sent == ["AT+CGMM"]


PRODUCTS = [  # answers to ATI, captured or from the manual
    ("SIM800 R14.18", sim800),
    ("SIM7070 R1951.03", sim7080),
    ("SIM7000E R1351", sim7000),
    ("Quectel\nEC25\nRevision: EC25EFAR06A01M4G", quectel),
    ("Quectel\nBG96\nRevision: BG96MAR02A07M1G", quectel),
    ("Quectel_Ltd\nQuectel_M95\nRevision: M95FAR02A08", m95),
    ("Quectel_Ltd\nQuectel_M66\nRevision: MTK 0828", m95),
    ("Manufacturer: SIMCOM INCORPORATED\nModel: A7670E-FASE\nRevision: A7670M7_V1.11.1", sim7600),
    ("Manufacturer: SIMCOM INCORPORATED\nModel: SIMCOM_SIM7600E-H\nRevision: SIM7600M22_V2.0", sim7600),
]


@pytest.mark.parametrize("text, family", PRODUCTS, ids=[row[0][:24] for row in PRODUCTS])
def test_a_product_is_asked_for_only_where_the_model_is_not_listed(text, family):
    found, modem, port = identified({"AT+CGMM": line("MODULE") + OK, "ATI": line(text.replace("\n", "\r\n")) + OK})
    assert modem.family == family.FAMILY and found in text
    assert port.sent == ["AT+CGMM", "ATI"]


def test_a_revision_is_asked_for_last():
    answers = {"AT+CGMM": line("MODULE") + OK, "AT+CGMR": line("Revision:1529B05SIM7000E") + OK}
    found, modem, port = identified(answers)
    assert (found, modem.family) == ("Revision:1529B05SIM7000E", sim7000.FAMILY)
    assert port.sent == ["AT+CGMM", "ATI", "AT+CGMR"]
    found, modem, port = identified({"ATI": line("SIM7070 R1951.03") + OK})
    assert (found, modem.family, port.sent) == ("SIM7070 R1951.03", sim7080.FAMILY, ["AT+CGMM", "ATI"])


@pytest.mark.parametrize(
    "model", ["SL8082T", "ME910C1-WW-M10", "SIM7020E", "HM660", "SIM8202G-M2", "UMC60", "LTE CAT-M1"]
)
def test_an_unknown_modem_keeps_the_default_family_and_says_what_it_is(model):
    found, modem, _ = identified({"AT+CGMM": line(model) + OK})
    assert (found, modem.family) == (model, sim800.FAMILY)
    assert registry.family_name(found) is None


def test_a_modem_that_tells_nothing_has_no_name():
    assert identified({})[:1] == (None,)


def test_urcs_are_those_of_the_family_that_was_chosen():
    for model, unexpected in (("SIMCOM_SIM800L", 1), ("M95", 0)):
        _, modem, port = identified({"AT+CGMM": line(model) + OK})
        received = []
        modem.subscribe("UNDER_VOLTAGE", received.append)
        port.says(M95_URC)
        modem.poll()
        assert modem.unexpected_lines == unexpected
        assert received == ([] if unexpected else [M95_URC])


LISTED = sorted(set([name for _, name in registry.MODELS]))


@pytest.mark.parametrize("name", LISTED)
def test_every_listed_family_is_a_driver(name):
    """Its tables have the types of the contract, and it has every hook of the contract."""
    family = registry.load(name)
    assert tables(family) == tables(driver.FAMILY)
    assert name == family.NAME
    for hook in ("signal_quality", "connect", "send", "receive", "sent", "close", "link_event"):
        assert callable(getattr(family, hook)), hook
    for hook in ("configure", "scan", "open_context", "close_context"):
        assert callable(getattr(driver.load(name + "_setup"), hook)), hook


def tables(family):
    """Return name and type of each table of a family that is in the contract."""
    names = sorted([name for name in dir(driver.FAMILY) if name == name.upper() and name[0] != "_"])
    return [(name, type(getattr(family, name)).__name__) for name in names]


def test_a_family_that_is_not_there_is_an_import_error():
    with pytest.raises(ImportError):
        registry.load("sim0")


class OtherSize:
    """A modem whose response tells of five bytes, and brings four or five."""

    def __init__(self, told, count):
        self.told, self.count = told, count

    def receive_payload(self, text, header, buffer):
        return self.told, self.count


TELLS_FIVE = [
    (sim800, "+CIPRXGET: 2,0,5,0"),
    (sim7600, "+CIPRXGET: 2,0,5,0"),
    (quectel, "+QIRD: 5"),
    (sim7080, "+CARECV: 5"),
    (m95, "+QIRD: 10.0.0.1:80,TCP,5"),
]


@pytest.mark.parametrize("family, told", TELLS_FIVE, ids=[row[0].FAMILY.NAME for row in TELLS_FIVE])
def test_payload_of_another_size_than_was_told_is_an_error(family, told):
    assert family.FAMILY.receive(OtherSize(told, 5), 0, bytearray(10))[0] == 5
    with pytest.raises(ProtocolError) as refused:
        family.FAMILY.receive(OtherSize(told, 4), 0, bytearray(10))
    assert refused.value.text == told
