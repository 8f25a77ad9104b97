"""Does a modem whose family is not known yet get its driver when it starts?"""

import pytest

from modem import startup
from modem.families import driver, registry
from tests.modem.scripted import OK, line, scripted
from tests.modem.test_startup import READY


@pytest.mark.parametrize(
    "answer, model", [("SIMCOM_SIM800L", "SIMCOM_SIM800L"), ("SIM800" + "x" * 40, "SIM800" + "x" * 34)]
)
def test_a_modem_of_an_unknown_family_is_asked_which_it_is(answer, model):
    modem, _, _ = scripted(dict(READY, **{"AT+CGMM": line(answer) + OK}), driver.FAMILY)
    startup.configure(modem)
    assert (modem.model, modem.family.NAME) == (model, "sim800") and registry.identify(modem) == answer


def test_a_modem_that_does_not_tell_its_model_has_none():
    modem, _, _ = scripted(READY, driver.FAMILY)
    startup.configure(modem)
    assert modem.model is None and modem.family.NAME == "sim800"
