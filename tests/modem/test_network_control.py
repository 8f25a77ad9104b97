"""Are decisions carried out, and is the result checked instead of trusting OK?"""

import pytest

from modem import network_control, recovery_ladder
from modem.errors import CommandError
from modem.families import sim7600
from modem.network_history import VisibleNetwork
from modem.signal import NO_READING
from tests.modem.scripted import OK, line, scripted

SCAN = (
    line('Operator:"O2 - UK",MCC:234,MNC:10,Rxlev:27,Cellid:77,Arfcn:40')
    + line('Operator:"vodafone UK",MCC:234,MNC:15,Rxlev:41,Cellid:78,Arfcn:41')
    + line('Operator:"O2 - UK",MCC:234,MNC:10,Rxlev:17,Cellid:79,Arfcn:42')
    + OK
)
SERVED_BY_O2 = {"AT+CGREG?": line("+CGREG: 2,5") + OK, "AT+COPS?": line('+COPS: 4,2,"23410"') + OK}


class Power:
    """Records the changes of the pins, and lets the modem answer again."""

    def __init__(self, port):
        self.port = port
        self.done = []

    def supply(self, on):
        self.done.append(("supply", on))
        self.port.hears_from_ms = 0

    def key(self, pressed):
        self.done.append(("key", pressed))


def configured(answers):
    """Return the answers that `configure` needs, and these."""
    base = {text: OK for text in ("ATE0", "AT+CMEE=1", "AT+CGREG=2", "AT+CIPSHUT", "AT+CFUN=1", "AT+CFUN=4")}
    base["AT+CFUN?"] = line("+CFUN: 1") + OK
    base["AT+CLTS?"] = line("+CLTS: 1") + OK
    base["AT+IPR?"] = line("+IPR: 115200") + OK
    base["AT+CGATT=0"] = base["AT+CGATT=1"] = OK
    base["AT+CIPSHUT"] = line("SHUT OK")
    base.update(answers)
    return base


def test_a_survey_gives_each_network_at_its_best_cell():
    modem, port, _ = scripted({"AT+CIPSHUT": line("SHUT OK"), "AT+CNETSCAN": SCAN})
    assert network_control.survey(modem) == [
        (VisibleNetwork("23415", 22), "vodafone UK", 1),
        (VisibleNetwork("23410", 15), "O2 - UK", 2),
    ]
    assert port.sent[0] == "AT+CIPSHUT"  # a scan in the middle of a connection fails


OTHERS_TALK = [
    "+APP PDP: 0,ACTIVE", "+APP PDP: 0,DEACTIVE", "APP PDP: 0,DEACTIVE", "PSM POWER DOWN", "SMS DONE", "PB DONE",
    "SMS Ready", "Call Ready", "*ATREADY: 1", "APP RDY", "+QIND: PB DONE", "+CPSMSTATUS: DISABLED", "VOICE CALL: BEGIN",
]  # fmt: skip


@pytest.mark.parametrize("talk", OTHERS_TALK)
def test_a_survey_survives_what_modems_of_other_families_say(talk):
    """One such line during the minute of scanning once discarded the scan."""
    rows = [line(row) for row in SCAN.decode().split("\r\n") if row]
    for place in range(len(rows)):
        said = b"".join(rows[:place]) + line(talk) + b"".join(rows[place:])
        modem, port, _ = scripted({"AT+CIPSHUT": line("SHUT OK"), "AT+CNETSCAN": said})
        assert [network.plmn for network, _, _ in network_control.survey(modem)] == ["23415", "23410"]
        assert port.sent.count("AT+CNETSCAN") == 1


@pytest.mark.parametrize("said", ["COMMAND NOT SUPPORT", "TOO MANY PARAMETERS", "ERROR", "+CMS ERROR: 500"])
def test_a_survey_that_is_not_supported_ends_at_once(said):
    """It once waited for the 90 s of a scan."""
    modem, _, clock = scripted({"AT+CIPSHUT": line("SHUT OK"), "AT+CNETSCAN": line(said)})
    with pytest.raises(CommandError, match=said[-5:]):
        network_control.survey(modem)
    assert clock.ms < 1000


SURVEY_ON_LTE = [
    ("choice", '(2,"A","A","23415",7),(3,"B","B","23410",7),(1,"C","C","23430",7)', ["23415", "23430"]),
    ("no choice", '(2,"A","A","23415",7),(3,"B","B","23410",7)', ["23415", "23410"]),
    ("all forbidden", '(3,"A","A","23415",7),(3,"B","B","23410",7)', ["23415", "23410"]),
]


@pytest.mark.parametrize("name, listed, plmns", SURVEY_ON_LTE, ids=[row[0] for row in SURVEY_ON_LTE])
def test_a_survey_without_signal_gives_no_reading_and_forbidden_networks_only_without_a_choice(name, listed, plmns):
    answers = {"AT+NETOPEN?": line("+NETOPEN: 0") + OK, "AT+COPS=?": line("+COPS: %s,,(0-4),(0-2)" % listed) + OK}
    modem, _, _ = scripted(answers, sim7600.FAMILY)
    found = network_control.survey(modem)
    assert sorted([network.plmn for network, _, _ in found]) == sorted(plmns)
    assert {network.csq for network, _, _ in found} == {NO_READING}


def test_a_switch_counts_once_the_network_serves_data():
    modem, port, _ = scripted(dict(SERVED_BY_O2, **{'AT+COPS=4,2,"23410"': OK}))
    assert network_control.switch(modem, "23410")


def test_an_ok_from_another_network_is_not_believed():
    modem, port, clock = scripted(dict(SERVED_BY_O2, **{'AT+COPS=4,2,"23415"': OK, "AT+COPS=0": OK}))
    assert not network_control.switch(modem, "23415")
    assert port.sent[-1] == "AT+COPS=0"
    assert clock.ms < network_control.SETTLE_POLL_MS, "it is not waited for"


def test_a_network_that_refuses_leaves_the_modem_to_itself():
    refused = {'AT+COPS=4,2,"23415"': b"\r\n+CME ERROR: 30\r\n", "AT+COPS=0": OK}
    modem, port, _ = scripted(dict(SERVED_BY_O2, **refused))
    assert not network_control.switch(modem, "23415")
    assert port.sent[-1] == "AT+COPS=0"


def test_a_network_that_never_serves_is_given_half_a_minute():
    searching = {"AT+CGREG?": line("+CGREG: 2,2") + OK, 'AT+COPS=4,2,"23410"': OK, "AT+COPS=0": OK}
    modem, _, clock = scripted(dict(SERVED_BY_O2, **searching))
    assert not network_control.switch(modem, "23410")
    assert clock.ms <= network_control.SETTLE_MS + 2 * network_control.SETTLE_POLL_MS


FORBIDDEN_LIST = "AT+CRSM=176,28539,0,0,12"
CLEAR = 'AT+CRSM=214,28539,0,0,12,"FFFFFFFFFFFFFFFFFFFFFFFF"'


def barred(listed, heard):
    """Return a modem whose SIM has this list of forbidden networks, and which finds these networks."""
    answers = {
        FORBIDDEN_LIST: line('+CRSM: 144,0,"%s"' % listed) + OK,
        CLEAR: line('+CRSM: 144,0,""') + OK,
        "AT+COPS=?": line("+COPS: %s,,(0-4),(0-2)" % heard) + OK,
    }
    return scripted(configured(answers))


def test_a_forbidden_list_that_bars_every_network_is_cleared_and_the_radio_begins_anew():
    modem, port, _ = barred("32F45132F401FFFFFFFFFFFF", '(3,"vodafone UK","voda UK","23415"),(3,"O2","O2","23410")')
    assert network_control.clear_forbidden(modem) == ["23415", "23410"]
    assert port.sent == [FORBIDDEN_LIST, "AT+COPS=?", CLEAR, "AT+CFUN=4", "AT+CFUN=1"]


@pytest.mark.parametrize(
    "heard",
    ['(3,"O2","O2","23410"),(1,"EE","EE","23430")', "", '(2,"EE","EE","23430")'],
)
def test_a_forbidden_list_that_leaves_a_way_is_left_alone(heard):
    modem, port, _ = barred("32F401FFFFFFFFFFFFFFFFFF", heard)
    assert network_control.clear_forbidden(modem) == []
    assert port.sent == [FORBIDDEN_LIST, "AT+COPS=?"]


def test_an_empty_forbidden_list_costs_no_scan():
    modem, port, _ = barred("FF" * 12, "")
    assert network_control.clear_forbidden(modem) == []
    assert port.sent == [FORBIDDEN_LIST]


def test_a_modem_that_chooses_by_itself_is_not_told_to_again():
    modem, port, _ = scripted({"AT+COPS?": line('+COPS: 0,2,"23410"') + OK})
    network_control.automatic(modem)
    assert port.sent == ["AT+COPS?"]


@pytest.mark.parametrize("mode,locked", [(0, False), (1, True), (4, True)])
def test_a_lock_is_seen(mode, locked):
    modem, _, _ = scripted({"AT+COPS?": line('+COPS: %d,2,"23410"' % mode) + OK})
    assert modem.is_locked() == locked


@pytest.mark.parametrize(
    "do,sent",
    [
        (recovery_ladder.RESHUT, ["AT+CIPSHUT"]),
        (recovery_ladder.REATTACH, ["AT+CGATT=0", "AT+CGATT=1"]),
        (recovery_ladder.RADIO_CYCLE, ["AT+CFUN=4", "AT+CFUN=1"]),
    ],
)
def test_a_remedy_is_its_commands(do, sent):
    modem, port, _ = scripted(configured({}))
    network_control.carry_out(modem, Power(port), do)
    assert port.sent == sent


def test_the_radio_stays_off_for_ten_seconds():
    modem, port, clock = scripted(configured({}))
    network_control.carry_out(modem, Power(port), recovery_ladder.RADIO_CYCLE)
    assert clock.ms >= network_control.RADIO_OFF_MS


def test_a_supply_cut_reaches_a_modem_that_hears_nothing():
    modem, port, _ = scripted(configured({}))
    port.hears_from_ms = None
    power = Power(port)
    network_control.carry_out(modem, power, recovery_ladder.SUPPLY_CUT)
    assert ("supply", False) in power.done
    assert port.sent[-1] == "AT+IPR?"


def test_a_remedy_that_is_refused_says_so():
    modem, port, _ = scripted(configured({"AT+CGATT=0": b"\r\n+CME ERROR: 30\r\n"}))
    with pytest.raises(CommandError):
        network_control.carry_out(modem, Power(port), recovery_ladder.REATTACH)
