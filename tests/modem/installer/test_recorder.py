"""Is a recording complete, bounded and private, and does its replay give the same readings?"""

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modem.installer import recorder as recorder_module
from modem.installer.errors import CannotTalk
from modem.installer.modem_source import ModemSource
from modem.installer.recorder import Recorder, recorded
from tests.modem.installer.replayed_port import measured, replayed_source
from tests.modem.scripted import OK, SILENCE, line, scripted

CELLS = line('Operator:"O2 - UK",MCC:234,MNC:10,Rxlev:31,Cellid:77,Arfcn:40') + OK
IMEI = "867856030004217"


def session(**answers: Any) -> tuple[Recorder, Any]:
    """Return (a recorder around a scripted modem, the modem's clock)."""
    script = {
        "AT+CGMM": line("SIMCOM_SIM800L") + OK,
        "AT+CGSN": line(IMEI) + OK,
        "AT+COPS?": line('+COPS: 0,2,"23410"') + OK,
        "AT+CSQ": line("+CSQ: 17,0") + OK,
        "AT+CNETSCAN": [[(2_000, CELLS)]],
    }
    _, port, clock = scripted({**script, **{f"AT+{name}": answer for name, answer in answers.items()}})
    return Recorder(port, clock.now_ms), clock


def listed(source: ModemSource, port: Any, csqs: int) -> list[object]:
    readings: list[object] = [source.reading() for _ in range(csqs)]
    readings += source.networks()
    source.leave()
    return [*readings, port.clock.ms]


@given(
    st.lists(st.tuples(st.integers(0, 31), st.integers(0, 900), st.sampled_from(["", "\0", "\xff\xff"])), min_size=1)
)
def test_a_replay_gives_the_same_readings_at_the_same_times(samples: list[tuple[int, int, str]]) -> None:
    csqs = [
        [(delay_ms, f"\r\n{stray}+CSQ: {csq},0\r\n".encode("latin-1")), (delay_ms + 3, OK)]
        for csq, delay_ms, stray in samples
    ]
    recorder, clock = session(CSQ=csqs)
    recorder.clock = clock  # type: ignore[attr-defined]
    before = listed(ModemSource("/dev/modem", recorder, [].append, clock), recorder, len(samples))
    again, port = replayed_source("\n".join(recorder.lines()))
    assert listed(again, port, len(samples)) == before
    assert port.unknown == []
    assert port.replay.moved == 0


def test_a_replay_of_a_modem_that_is_silent_is_silent() -> None:
    recorder, clock = session(**{name: SILENCE for name in ("CMEE?", "IPR?", "IFC?", "CSCS?")})
    with pytest.raises(CannotTalk, match="no modem answers"):
        ModemSource("/dev/modem", recorder, [].append, clock)
    text = "\n".join(recorder.lines())
    assert "# 1600 9600 baud" in text
    with pytest.raises(CannotTalk, match="no modem answers"):
        replayed_source(text)


def test_a_measurement_gives_the_same_verdict() -> None:
    recorder, clock = session(CSQ=[line(f"+CSQ: {csq},0") + OK for csq in (9, 14, 15, 31, 3)])
    source = ModemSource("/dev/modem", recorder, [].append, clock)
    recorder.clock = clock  # type: ignore[attr-defined]
    before = measured(source, recorder)  # type: ignore[arg-type]
    assert measured(*replayed_source("\n".join(recorder.lines()))) == before
    assert before[0].minimum == 3


def test_lines_prompts_and_other_bytes_have_their_forms() -> None:
    recorder, clock = session(**{"CMGS=4": b"\r\n> "})

    def received(at_ms: int, data: bytes) -> None:
        clock.ms = at_ms
        recorder._port.says(data)
        recorder.read()

    received(0, b"\r\nRDY\r\n\xff\r\n")
    received(70, b"\r\n+CR")
    received(90, b"EG: 5\r\n")
    received(91, b"\\ ")
    recorder.write(b"\rat+foo\r")
    recorder.read()
    recorder.write(b"\r")
    recorder.write(b"AT+CMGS=4\r")
    recorder.read()
    recorder.write(b"text")
    assert recorder.lines() == [
        "0 < RDY",
        r"0 <| \xFF\r\n",
        "90 < +CREG: 5",
        r"91 <| \\\x20",
        "91 > at+foo",
        "91 < ERROR",
        "91 > AT+CMGS=4",
        "91 < >",
        "91 > <4 bytes>",
    ]


def test_a_line_with_a_silence_in_it_is_written_in_parts() -> None:
    recorder, clock = session()
    for ms, data in ((10, b"\r\nIMEI: 8678560"), (80, b"30004217\r\n\r\nOK\r\n")):
        clock.ms = ms
        recorder._port.says(data)
        recorder.read()
    assert recorder.lines() == [r"10 <| \r\nIMEI: 0000000", r"80 <| 00004217\r\n", "80 < OK"]


def test_a_recording_is_bounded_and_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "LIMIT_BYTES", 20)
    recorder, _ = session()
    for _ in range(3):
        recorder._port.says(b"\r\n+CSQ: 17\r\n")
        recorder.read()
    assert recorder.lines() == ["0 < +CSQ: 17", r"0 <| \r\n+CSQ:\x20", "# 16 more bytes were not recorded"]


def test_the_file_is_private_and_written_after_an_error_too(tmp_path: Path) -> None:
    recorder, _ = session()
    said: list[str] = []
    file = tmp_path / "trace.txt"
    with pytest.raises(CannotTalk, match="stopped"), recorded(file, recorder._port, said.append) as recording:
        recording.write(b"AT+CSQ\r")
        recording.read()
        raise CannotTalk("the modem stopped")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    head, _, rest = file.read_text().partition("\n")
    assert head.startswith("# ")
    assert rest.splitlines()[-1].endswith(" < OK")
    assert said == [f"written: {file}"]


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "trace.txt"
    file.write_text("of yesterday")
    with pytest.raises(CannotTalk, match="not overwritten"), recorded(file, session()[0]._port, print):
        pass
    assert file.read_text() == "of yesterday"


def test_a_folder_that_does_not_exist_is_one_clear_error(tmp_path: Path) -> None:
    with (
        pytest.raises(CannotTalk, match="cannot write the trace"),
        recorded(tmp_path / "a/b", session()[0]._port, print),
    ):
        pass
