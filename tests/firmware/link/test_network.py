"""Are network decisions carried out, reported with their reasons, and remembered?"""

import errno

import pytest

from firmware.link import messages
from firmware.link.network import FILE, TOLD_CHARS, TOLD_NETWORKS, Moved, Network, _cause, _words
from firmware.link.secure import NotTrusted
from firmware.storage import record_file
from firmware.storage.outbox import BODY_MAX
from modem import network_history, recovery, recovery_ladder
from modem.errors import CommandError, ModemHung, ModemRestarted, NotRegistered, ProtocolError
from tests.firmware.storage.folder import empty
from tests.modem.scripted import OK, line, scripted

VODAFONE, O2 = "23415", "23410"
SCAN = (
    line('Operator:"O2 - UK",MCC:234,MNC:10,Rxlev:31,Cellid:77,Arfcn:40')
    + line('Operator:"vodafone UK",MCC:234,MNC:15,Rxlev:41,Cellid:78,Arfcn:41')
    + OK
)
ANSWERS = {
    "AT+COPS?": line('+COPS: 0,2,"23415"') + OK,
    "AT+COPS=0": OK,
    "AT+CIPSHUT": line("SHUT OK"),
    "AT+CNETSCAN": SCAN,
    "AT+CRSM=176,28539,0,0,12": line('+CRSM: 144,0,"32F451FFFFFFFFFFFFFFFFFF"') + OK,
    'AT+CRSM=214,28539,0,0,12,"FFFFFFFFFFFFFFFFFFFFFFFF"': line('+CRSM: 144,0,""') + OK,
    "AT+COPS=?": line('+COPS: (3,"vodafone UK","voda UK","23415"),,(0-4),(0-2)') + OK,
    "AT+CFUN=4": OK,
    "AT+CFUN=1": OK,
}
TAKEN_BY_O2 = {
    'AT+COPS=4,2,"23410"': OK,
    "AT+CGREG?": line("+CGREG: 2,5") + OK,
    "AT+COPS?": [ANSWERS["AT+COPS?"], ANSWERS["AT+COPS?"], line('+COPS: 4,2,"23410"') + OK],
}
TIMED_OUT = OSError(errno.ETIMEDOUT, "timed out")
NO_CONTEXT = CommandError("AT+CIICR", "ERROR", None, None)


class Journal:
    """Records the events in `told`."""

    def __init__(self):
        self.told = []

    def note(self, kind, details):
        """Record an event, checking the size limit of the outbox."""
        assert len(messages.event(0, 0, None, kind, details)) < BODY_MAX, details
        self.told.append((kind, details))

    def done(self):
        """Return what was done by each event about a decision."""
        return [details["do"] for kind, details in self.told if kind == "network"]


class NoPower:
    """Pins that must not be used."""


class Unit:
    """A Network on an empty flash, and everything around it."""

    def __init__(self, answers=(), power=None):
        self.folder = empty("network_test")
        self.modem, self.port, self.clock = scripted(dict(ANSWERS, **dict(answers)))
        self.journal = Journal()
        self.power = power or NoPower()
        self.begin()

    def begin(self):
        """Start the processor."""
        self.network = Network(self.modem, self.power, self.clock, self.journal, self.folder)
        return self.network

    def registered(self, csq=20):
        self.network.sampled(VODAFONE, csq)
        return self

    def proven(self):
        self.registered().network.proved()
        return self

    def after(self, seconds):
        self.clock.ms += 1000 * seconds
        return self

    def fails(self, error=NO_CONTEXT):
        """Fail twice, over a long enough time."""
        self.registered().network.lost(error)
        self.after(network_history.PROOF_S).network.lost(error)
        return self


# From a failure to another network


def test_a_network_without_data_is_left_and_every_step_says_why():
    unit = Unit(TAKEN_BY_O2).fails()
    with pytest.raises(Moved):
        unit.network.tend(False)
    assert unit.journal.told == [
        ("network", {"do": "survey", "o": VODAFONE, "why": "23415 passes no data, so look for another"}),
        ("networks", {VODAFONE: 22, O2: 17}),
        ("network", {"do": "switch", "o": O2, "why": "23415 passes no data; 23410 has CSQ 17"}),
    ]
    assert unit.network.known.switches == [unit.network.now_s()]


def test_a_network_that_does_not_take_us_is_avoided():
    unit = Unit({'AT+COPS=4,2,"23410"': line("+CME ERROR: 30")}).fails()
    with pytest.raises(Moved):
        unit.network.tend(False)
    assert unit.journal.told[-1] == (
        "network",
        {"do": "refused", "o": O2, "why": "23410 refused the unit"},
    )
    assert unit.network.known.is_failing(unit.network.now_s(), O2)


def test_a_scan_that_fails_has_spent_its_budget():
    unit = Unit({"AT+CNETSCAN": line("ERROR")}).fails()
    with pytest.raises(CommandError):
        unit.network.tend(False)
    assert unit.network.survey_state == "failed: AT+CNETSCAN: ERROR"
    assert not unit.network.known.may_scan(unit.network.now_s())


def test_a_network_that_works_is_told_to_nobody():
    unit = Unit().proven()
    unit.network.tend(False)
    assert unit.journal.told == []
    assert unit.network.decision.why == "good enough"


def test_while_nothing_happens_neither_the_rules_nor_the_modem_are_asked():
    unit = Unit().proven()
    unit.network.tend(False)
    unit.network.decision = None
    sent = len(unit.port.sent)
    unit.after(10).registered().network.tend(False)
    assert unit.network.decision is None and len(unit.port.sent) == sent
    unit.network.sampled(O2, 20)
    unit.network.tend(False)
    assert unit.network.decision.plmn == O2
    unit.network.lost(OSError(errno.ECONNRESET, "reset"))
    unit.network.tend(False)
    assert unit.network.decision.why == "not yet proven"


def test_trouble_without_a_way_out_is_told_once():
    unit = Unit({"AT+CNETSCAN": OK}).fails()
    with pytest.raises(Moved):
        unit.network.tend(False)
    for _ in range(3):
        unit.network.tend(False)
    assert unit.journal.done() == ["survey", "stay"]


def test_while_the_broker_is_suspect_the_modem_chooses_its_network_again():
    """It had been set to one network."""
    unit = Unit({"AT+COPS?": line('+COPS: 1,2,"23415"') + OK}).fails()
    unit.network.sampled(O2, 20)
    unit.network.lost(NO_CONTEXT)
    unit.after(network_history.PROOF_S).network.lost(NO_CONTEXT)
    with pytest.raises(Moved, match="the broker is suspect"):
        unit.network.tend(False)
    assert unit.journal.done()[-1] == "automatic" and unit.port.sent[-1] == "AT+COPS=0"


def test_a_survey_can_be_watched_and_of_one_that_failed_nothing_is_left():
    unit = Unit()
    states = [unit.network.survey_state]

    def answer(port):
        states.append(unit.network.survey_state)
        return SCAN if len(states) == 2 else line("ERROR")

    unit.port.answers["AT+CNETSCAN"] = answer
    unit.network.look_around()
    states.append(unit.network.survey_state)
    assert states == ["none", "running", "done"]
    assert [heard.plmn for heard, _, _ in unit.network.survey] == [VODAFONE, O2]
    with pytest.raises(CommandError):
        unit.network.look_around()
    assert unit.network.survey == [] == unit.network.known.survey
    assert unit.begin().known.scans == [0, 0], "the budget is spent after a restart too"


# Which side is at fault


def test_a_refusal_that_was_answered_is_not_yet_the_networks_fault():
    unit = Unit().registered()
    for _ in range(2):
        unit.network.lost(OSError(errno.ECONNREFUSED, "refused"), answered=True)
        unit.after(network_history.PROOF_S)
    assert not unit.network.is_failing()
    unit.after(network_history.ANSWERED_PROOF_S).network.lost(OSError(errno.ECONNREFUSED, "refused"), answered=True)
    assert unit.network.is_failing()


def test_a_broker_that_is_not_trusted_is_not_the_networks_fault():
    assert not Unit().fails(NotTrusted("expired")).network.is_failing()


@pytest.mark.parametrize("code, poor", [(errno.ETIMEDOUT, True), (errno.ECONNABORTED, True), (errno.ECONNRESET, False)])
def test_three_connections_that_the_network_broke_make_it_poor(code, poor):
    unit = Unit()
    for _ in range(3):
        unit.proven().network.lost(OSError(code, "broken"))
    assert unit.network.known.is_poor(unit.network.now_s()) == poor


def test_a_connection_that_died_in_a_silence_says_nothing_of_the_networks_data():
    unit = Unit()
    for _ in range(3):
        unit.proven().network.lost(TIMED_OUT, blameless=True)
    assert not unit.network.known.is_poor(unit.network.now_s())


def test_a_modem_that_fails_by_itself_is_not_the_networks_fault():
    unit = Unit().fails(ProtocolError("unexpected line"))
    assert unit.network.known.networks == {}


@pytest.mark.parametrize(
    "error, cause",
    [(CommandError("AT+CIICR", "ERROR", 148, "unspecified"), 148), (NO_CONTEXT, "service"), (TIMED_OUT, "data")],
)
def test_why_a_network_failed_is_kept(error, cause):
    said = Unit().fails(error).network.lines()
    assert said[-1] == "known 23415 proofs 0 failures 1 avoided_s 3600 cause %s" % cause


def test_an_acknowledged_message_ends_the_time_without_contact():
    unit = Unit().registered()
    unit.network.lost(TIMED_OUT)
    unit.after(59).network.in_contact()
    unit.after(59).network.lost(TIMED_OUT)
    assert unit.journal.told == []
    assert unit.network.ladder.since_s == 118


def test_a_unit_that_is_not_registered_any_more_has_no_network_to_judge():
    unit = Unit().proven()
    unit.network.lost(NotRegistered(2))
    unit.network.tend(False)
    assert unit.network.decision == ("stay", None, "no network: recovery acts")


def test_giving_up_a_connection_on_purpose_is_no_loss():
    unit = Unit().proven()
    unit.network.lost(Moved("for a scan"))
    assert unit.network.ladder.since_s is None


def test_the_signal_is_judged_once_a_minute():
    unit = Unit()
    for _ in range(120):
        unit.registered(csq=5).after(1)
    unit.registered(csq=31)
    assert unit.network.known.current_score(VODAFONE) == 5 + network_history.SMOOTHING * 26


# Remedies


def test_a_remedy_is_told_and_waiting_is_not():
    unit = Unit().registered()
    unit.network.lost(TIMED_OUT, answered=True)
    assert unit.journal.told == []
    unit.after(60).network.lost(TIMED_OUT, answered=True)
    assert unit.journal.told[0][1]["do"] == recovery_ladder.RESHUT
    assert unit.journal.told[0][1]["why"].startswith("1 min without contact: ")
    assert unit.port.sent == ["AT+CIPSHUT"]


def test_a_modem_that_restarted_is_configured_and_that_is_no_reset():
    unit = Unit().registered()
    with pytest.raises(CommandError, match="ATE0"):  # the first of its settings, which this modem does not support
        unit.network.lost(ModemRestarted("RDY"))
    assert unit.journal.told == [("network", {"do": "configure", "why": "the modem restarted"})]
    assert unit.network.ladder.resets == []


@pytest.mark.parametrize("error", [NotRegistered(3), CommandError("AT+CIICR", "ERROR", 149, "authentication")])
def test_a_network_that_refuses_us_costs_one_reset_an_hour(error):
    unit = Unit({"AT+COPS=?": OK}).registered()
    unit.network.ladder.resets = [0]
    unit.after(recovery.DENIED_RESET_EVERY_S - 1).network.lost(error)
    assert unit.network.remedy.why == "refused by the network; one reset an hour is allowed"
    unit.after(1).network.lost(error)
    assert unit.network.remedy.why != "refused by the network; one reset an hour is allowed"


def test_an_error_with_a_long_answer_in_it_is_told_in_short():
    unit = Unit().registered()
    torn = ProtocolError("unexpected line", "+CNETSCAN " * 800)
    unit.network.lost(torn)
    unit.after(60).network.lost(torn)
    assert unit.journal.done() == [recovery_ladder.RESHUT] and unit.port.sent == ["AT+CIPSHUT"]


def test_of_a_crowded_air_the_strongest_networks_are_told():
    cells = [line('Operator:"x",MCC:%d,MNC:01,Rxlev:%d,Cellid:1,Arfcn:1' % (200 + at, at)) for at in range(60)]
    unit = Unit({"AT+CNETSCAN": b"".join(cells) + OK}).fails()
    with pytest.raises(Moved):
        unit.network.tend(False)
    (told,) = [details for kind, details in unit.journal.told if kind == "networks"]
    assert len(told) == TOLD_NETWORKS and "25901" in told and len(unit.network.survey) == 60


def test_a_budget_is_spent_before_the_modem_is_touched():
    class Power:
        seen = None

        def supply(self, on):
            Power.seen = record_file.load(unit.folder + FILE)["recovery"]["resets"]
            raise KeyboardInterrupt  # the processor stops here

        def key(self, pressed):
            pass

    unit = Unit(power=Power())
    with pytest.raises(KeyboardInterrupt):
        unit.network.lost(ModemHung("no answer"))
    assert Power.seen == [0]
    assert unit.journal.done() == [recovery_ladder.SUPPLY_CUT]


def test_a_sim_that_bars_every_network_is_cleared_once_a_week():
    unit = Unit()
    unit.network.lost(NotRegistered(2))
    unit.after(180).network.lost(NotRegistered(2))
    assert unit.journal.done() == [recovery_ladder.LOOK_FOR_FORBIDDEN, "clear forbidden"]
    assert unit.journal.told[-1][1]["o"] == VODAFONE
    sent = len(unit.port.sent)
    unit.begin()
    unit.network.lost(NotRegistered(3))
    unit.after(2 * 86_400).network.lost(NotRegistered(3))
    assert unit.journal.done()[2:] == [recovery_ladder.RESHUT]
    assert unit.port.sent[sent:] == ["AT+CIPSHUT"]


# What is remembered


def test_what_is_known_survives_a_restart_and_the_clock_goes_on():
    unit = Unit().proven().after(100)
    unit.network.lost(TIMED_OUT)
    unit.fails()
    now_s = unit.network.now_s()
    unit.clock.ms = 0
    unit.begin()
    assert unit.network.known.good == VODAFONE
    assert unit.registered().network.is_failing()
    assert unit.network.now_s() == now_s


def test_a_network_that_carried_data_is_known_at_once():
    assert Unit().proven().begin().known.good == VODAFONE


def test_what_stays_the_same_costs_no_flash():
    unit = Unit().proven()
    for _ in range(network_history.COUNT_MAX):
        unit.network.proved()
    before = record_file.load(unit.folder + FILE)
    unit.after(1000).network.proved()
    assert record_file.load(unit.folder + FILE) == before


@pytest.mark.parametrize("stored", [None, 7, [], {"roaming": 3, "recovery": "x", "clock_s": "late"}])
def test_a_damaged_file_is_an_empty_one(stored):
    unit = Unit()
    record_file.save(unit.folder + FILE, stored)
    assert unit.begin().now_s() == 0
    assert unit.network.known.networks == {}


def test_a_flash_that_takes_nothing_is_survived():
    unit = Unit()
    unit.folder = "build/no-such-folder"
    unit.begin()
    unit.proven()
    assert unit.network.known.good == VODAFONE


def test_the_console_shows_what_was_decided_and_what_is_known():
    unit = Unit(TAKEN_BY_O2).fails()
    with pytest.raises(Moved):
        unit.network.tend(False)
    said = unit.network.lines()
    assert "roaming switch: 23415 passes no data; 23410 has CSQ 17" in said
    assert "recovery wait: AT+CIICR: ERROR" in said
    assert "known 23415 proofs 0 failures 1 avoided_s 3600 cause service" in said
    unit.after(2 * 3600)
    assert "known 23415 proofs 0 failures 1 avoided_s 0 cause service" in unit.network.lines()


def test_the_console_of_a_new_unit_shows_that_nothing_is_known():
    assert Unit().network.lines() == [
        "good -",
        "roaming -",
        "recovery -",
        "scans 0",
        "switches 0",
        "resets 0",
    ]


def test_an_error_is_told_in_its_words_and_not_at_length():
    for error, words in (
        (TIMED_OUT, "timed out"),
        (OSError(5), str(OSError(5))),
        (ModemHung("x" * 200), "x" * TOLD_CHARS),
        (ModemHung(), repr(ModemHung())),
    ):
        assert _words(error) == words


def test_the_cause_of_a_failure_is_a_number_or_a_word():
    refused = CommandError("AT+CIICR", "+CME ERROR: 148", 148, None)
    assert [_cause(error) for error in (refused, NO_CONTEXT, TIMED_OUT)] == [148, "service", "data"]
