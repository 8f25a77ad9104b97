"""Is a modem's family chosen by the model number that it answers, and are its tables then the ones in use?"""

import pytest

from modem.families import driver, quectel, registry, sim800, sim7000, sim7600
from tests.modem.scripted import OK, line, scripted

LTE_URC = "APP PDP: 0,ACTIVE"  # in the tables of the SIM7000 alone, and of no shape that any URC has


def identified(answers):
    modem, port, _ = scripted(answers)
    return registry.identify(modem), modem, port


def test_model_numbers_choose_their_family():
    for model, family in (
        ("SIMCOM_SIM800L", sim800),
        ("SIMCOM_SIM800C", sim800),
        ("SIMCOM_SIM7000E", sim7000),
        ("SIMCOM_SIM7070", sim7000),
        ("SIMCOM_SIM7080", sim7000),
        ("SIMCOM_SIM7600E-H", sim7600),
        ("A7670E-LASC", sim7600),
        ("EC21", quectel),
        ("BG95-M3", quectel),
    ):
        found, modem, port = identified({"AT+CGMM": line(model) + OK})
        assert (found, modem.family) == (model, family.FAMILY)
        assert port.sent == ["AT+CGMM"]


def test_product_and_revision_are_asked_only_where_the_model_is_not_listed():
    answers = {"AT+CGMM": line("MODULE") + OK, "AT+CGMR": line("Revision:1529B05SIM7000E") + OK}
    found, modem, port = identified(answers)
    assert (found, modem.family) == ("MODULE", sim7000.FAMILY)
    assert port.sent == ["AT+CGMM", "ATI", "AT+CGMR"]
    found, modem, port = identified({"ATI": line("SIM7070 R1951.03") + OK})
    assert (found, modem.family, port.sent) == ("SIM7070 R1951.03", sim7000.FAMILY, ["AT+CGMM", "ATI"])


def test_an_unknown_modem_keeps_the_default_family():
    assert identified({})[:1] == (None,)
    found, modem, _ = identified({"AT+CGMM": line("SL8082T") + OK})
    assert (found, modem.family) == ("SL8082T", sim800.FAMILY)


def test_urcs_are_those_of_the_family_that_was_chosen():
    for model, unexpected in (("SIMCOM_SIM800L", 1), ("SIMCOM_SIM7000E", 0)):
        _, modem, port = identified({"AT+CGMM": line(model) + OK})
        received = []
        modem.subscribe("APP PDP", received.append)
        port.says(LTE_URC)
        modem.poll()
        assert modem.unexpected_lines == unexpected
        assert received == ([] if unexpected else [LTE_URC])


LISTED = sorted(set([name for _, name in registry.MODELS]))


@pytest.mark.parametrize("name", LISTED)
def test_every_listed_family_is_a_driver(name):
    """Its tables have the types of the contract, and every hook that the contract leaves open is there."""
    family = registry.load(name)
    assert tables(family) == tables(driver.FAMILY)
    assert name == family.NAME
    for hook in ("signal_quality", "connect", "send", "receive", "sent", "close", "link_event"):
        assert callable(getattr(family, hook)), hook
    for hook in ("configure", "scan", "open_context", "close_context"):
        assert callable(getattr(driver.load(name + "_setup"), hook)), hook


def tables(family):
    """Name and type of each table of a family that is in the contract."""
    names = sorted([name for name in dir(driver.FAMILY) if name == name.upper() and name[0] != "_"])
    return [(name, type(getattr(family, name)).__name__) for name in names]


def test_a_family_that_is_not_there_is_an_import_error():
    with pytest.raises(ImportError):
        registry.load("sim0")
