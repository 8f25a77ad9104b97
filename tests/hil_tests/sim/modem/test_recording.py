"""Is a recording parsed as it was written, and an invalid one refused with the place of the error?"""

from pathlib import Path

import pytest

from hil_tests.sim.modem.recording import BadRecording, Received, Sent, load, parsed


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("100 > AT+CSQ", Sent(100, 1, "AT+CSQ")),
        ("100 > <20 bytes>", Sent(100, 1, "", 20)),
        ("104 < +CSQ: 17,0", Received(104, b"\r\n+CSQ: 17,0\r\n")),
        ("104 < >", Received(104, b"\r\n> ")),
        ("104 < <4 bytes>", Received(104, b"\0\0\0\0\r\n")),
        (r"104 <| \x00\xFF+CRE\\\r\n\x20", Received(104, b"\x00\xff+CRE\\\r\n ")),
        ("104 <| <4 bytes>", Received(104, b"<4 bytes>")),
        ('  104 < +COPS: 0,0,"Telef\u00f3nica"\r', Received(104, '\r\n+COPS: 0,0,"Telef\u00f3nica"\r\n'.encode())),
    ],
)
def test_an_entry_is_read(line: str, entry: Sent | Received) -> None:
    assert parsed(f"{line}\n\n") == [entry]


def test_notes_and_empty_lines_are_skipped() -> None:
    assert parsed("# 100 > AT\n\n  \n1 > AT\n") == [Sent(1, 4, "AT")]


@pytest.mark.parametrize("line", ["AT+CSQ", "x > AT", "1 = AT", r"1 <| \q", "-1 > AT", "<html>"])
def test_what_is_no_entry_is_refused_with_its_place(line: str, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(f"1 > AT\n{line}\n")
    with pytest.raises(BadRecording, match=r"a\.txt: line 2 "):
        load(file)


def test_a_file_of_bytes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadRecording, match=r"a\.txt"):
        load(file)


@pytest.mark.parametrize(
    ("recorded", "command", "matches"),
    [
        ("AT+CSQ", "at+csq", True),
        ("AT+CSQ", "AT+CSQ?", False),
        ("AT+CPIN=***", "AT+CPIN=1234", True),
        ('AT+CSTT="internet","***","***"', 'AT+CSTT="internet","user","hunter2"', True),
        ('AT+CSTT="internet","***","***"', 'AT+CSTT="other","user","hunter2"', False),
        ("AT+C.Q", "AT+CSQ", False),
    ],
)
def test_stars_stand_for_any_text(recorded: str, command: str, matches: bool) -> None:
    assert Sent(0, 1, recorded).matches(command) is matches
