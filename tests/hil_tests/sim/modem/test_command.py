"""Is an AT command line parsed as V.250 says?"""

import pytest

from hil_tests.sim.modem.command import AtError, CmeError, Command, commands


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", [Command("", "execute")]),
        ("E0", [Command("E", "execute", ("0",))]),
        ("+CSQ", [Command("+CSQ", "execute")]),
        ("+creg?", [Command("+CREG", "read")]),
        ("+COPS=?", [Command("+COPS", "test")]),
        ("+CREG=2;+CGREG=1", [Command("+CREG", "write", ("2",)), Command("+CGREG", "write", ("1",))]),
        (
            "E0V1+CMEE=1",
            [Command("E", "execute", ("0",)), Command("V", "execute", ("1",)), Command("+CMEE", "write", ("1",))],
        ),
        ('+CSTT="a;b,c","",""', [Command("+CSTT", "write", ("a;b,c", "", ""))]),
        ("+COPS=3,,2", [Command("+COPS", "write", ("3", "", "2"))]),
    ],
)
def test_is_a_line_split_into_its_commands(body: str, expected: list[Command]) -> None:
    """Basic and extended commands, quotes that hold separators, empty fields?"""
    assert list(commands(body)) == expected


@pytest.mark.parametrize("body", ["\x00", "+CSQ!", '+CSTT="open', "-"])
def test_is_nonsense_refused(body: str) -> None:
    """AtError, which the modem answers with ERROR?"""
    with pytest.raises(AtError):
        commands(body)


def test_are_numbers_held_to_their_range() -> None:
    """CME error 50 for what is none, or too large; the default for what is missing?"""
    command = Command("+CFUN", "write", ("4", "x", ""))
    assert command.number(0, within=range(5)) == 4
    assert command.number(2, 1, within=range(2)) == 1
    assert command.number(7, 0, within=range(2)) == 0
    for index, within in ((0, range(4)), (1, range(5)), (2, range(5))):
        with pytest.raises(CmeError):
            command.number(index, within=within)
