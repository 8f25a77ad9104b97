"""Does an error of the modem say what failed, for those who read it on the console, and keep what a caller acts on?"""

from modem.errors import CommandError, CommandTimeout, ModemError, NotRegistered, ProtocolError, SimError


def test_a_refused_command_is_named_with_the_reason():
    error = CommandError("AT+CPIN?", "+CME ERROR: 10", 10, "SIM not inserted")
    assert str(error) == "AT+CPIN?: SIM not inserted"
    assert (error.command, error.final, error.code, error.name) == (
        "AT+CPIN?",
        "+CME ERROR: 10",
        10,
        "SIM not inserted",
    )
    assert str(CommandError("AT", "ERROR", None, None)) == "AT: ERROR"


def test_a_command_without_an_answer_is_named_with_its_time():
    error = CommandTimeout("AT+CSQ", 3000)
    assert "AT+CSQ" in str(error) and "3000 ms" in str(error)
    assert (error.command, error.timeout_ms) == ("AT+CSQ", 3000)


def test_a_malformed_answer_is_shown_where_there_is_one():
    assert str(ProtocolError("not a number", "+CSQ: x")) == "not a number: '+CSQ: x'"
    assert str(ProtocolError("not a number")) == "not a number" and ProtocolError("why").text == ""


def test_states_are_told_in_words_as_far_as_they_have_some():
    assert "SIM PIN" in str(SimError("SIM PIN")) and SimError("SIM PIN").state == "SIM PIN"
    assert "refused" in str(NotRegistered(3)) and "state 4" in str(NotRegistered(4)) and NotRegistered(3).stat == 3


def test_all_are_errors_of_the_modem():
    for error in (CommandError("AT", "ERROR", None, None), CommandTimeout("AT", 1), ProtocolError("x"), SimError("x")):
        assert isinstance(error, ModemError)
