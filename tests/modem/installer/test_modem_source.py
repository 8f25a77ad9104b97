"""Does the tool reach a modem, handle one that stops answering, and leave no settings behind?"""

from typing import Any

import pytest

from modem import startup
from modem.installer.errors import CannotTalk
from modem.installer.modem_source import ModemSource
from modem.installer.readings import Network, Reading
from tests.modem.scripted import OK, SILENCE, line, scripted

CELLS = line('Operator:"O2 - UK",MCC:234,MNC:10,Rxlev:31,Cellid:77,Arfcn:40') + OK
ANSWERS = {
    "AT+CGMM": line("SIMCOM_SIM800L") + OK,
    "AT+COPS?": [line('+COPS: 0,0,"O2 - UK"') + OK, line('+COPS: 0,2,"23410"') + OK],
    "AT+COPS=3,2": OK,
    "AT+COPS=3,0": OK,
    "AT+CSQ": line("+CSQ: 17,0") + OK,
    "AT+CNETSCAN": CELLS,
}


def source(**answers: Any) -> tuple[ModemSource, Any, list[str]]:
    """Return (a source with a scripted modem, its port, the messages to the person)."""
    script = {**ANSWERS, **{f"AT+{name}": answer for name, answer in answers.items()}}
    _, port, clock = scripted(
        {text: [*answer] if isinstance(answer, list) else answer for text, answer in script.items()}
    )
    said: list[str] = []
    return ModemSource("/dev/modem", port, said.append, clock), port, said


CPSI = line("+CPSI: LTE,Online,228-02,0x9CA4,20964868,46,EUTRAN-BAND20,6200,3,3,-178,-1089,-742,8") + OK


def test_an_lte_modem_gives_rsrp_and_rsrq_beside_the_csq() -> None:
    talking, _, _ = source(**{"CGMM": line("SIMCOM_SIM7600E-H") + OK, "CPSI?": CPSI})
    assert talking.reading() == Reading(17, "23410", "O2 - UK", -109, -18)


@pytest.mark.parametrize("answer", [line("+CPSI: NO SERVICE,Online") + OK, line("ERROR")])
def test_without_an_lte_cell_there_is_the_csq_alone(answer: bytes) -> None:
    talking, _, _ = source(**{"CGMM": line("A7670E-LASC") + OK, "CPSI?": answer})
    assert talking.reading() == Reading(17, "23410", "O2 - UK")


def dies(port: Any) -> bytes:
    """Stop answering in the middle of a command, for good."""
    port.hears_from_ms = None
    return SILENCE


def test_a_modem_is_asked_and_left_as_it_was() -> None:
    talking, port, said = source()
    assert talking.reading() == Reading(17, "23410", "O2 - UK")
    assert talking.networks() == [Network("23410", "O2 - UK", 17, 1)]
    talking.leave()
    assert port.sent[-1] == "AT+COPS=3,0"
    assert said == []


def test_a_modem_that_still_boots_is_asked_at_its_own_speed_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    _, port, clock = scripted(ANSWERS)

    def set_baud(baud: int) -> None:
        port.hears_from_ms = 3_000 if baud == startup.BAUD else None

    monkeypatch.setattr(port, "set_baud", set_baud)
    port.says(b"\x80\x00\x80\r\n", delay_ms=1_900)  # sent at its own speed, received at another
    assert ModemSource("/dev/modem", port, [].append, clock).reading().csq == 17


def test_a_modem_that_restarts_in_a_scan_is_waited_for_and_scanned_again() -> None:
    talking, _, said = source(CNETSCAN=[line("RDY"), CELLS])
    assert [network.plmn for network in talking.networks()] == ["23410"]
    assert [words.split(" (")[0] for words in said] == [
        "the scan failed",
        "the modem answers again; repeating the scan",
    ]


def test_a_modem_that_dies_in_a_scan_is_said_in_one_line_that_helps() -> None:
    talking, _, said = source(CNETSCAN=dies)
    with pytest.raises(CannotTalk) as caught:
        talking.networks()
    assert str(caught.value) == (
        "/dev/modem: the modem stopped answering in the scan; switch its supply off and on, wait 20 s, try again"
    )
    assert len(said) == 1
    talking.leave()


def test_a_scan_that_fails_twice_is_given_up() -> None:
    talking, _, said = source(CNETSCAN=line("ERROR"))
    with pytest.raises(CannotTalk, match="the scan failed twice"):
        talking.networks()
    assert len(said) == 2


def test_a_modem_that_stops_answering_is_said_in_one_line_that_helps() -> None:
    talking, port, _ = source()
    port.hears_from_ms = None
    with pytest.raises(CannotTalk, match="the modem stopped answering .*; switch it off and on"):
        talking.reading()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (line("SL8082T") + OK, "The modem model SL8082T is not listed; the SIM800 driver is used."),
        (line("ERROR"), "The modem model (not reported) is not listed; the SIM800 driver is used."),
    ],
)
def test_a_modem_that_is_not_listed_is_named(answer: bytes, message: str) -> None:
    _, _, said = source(CGMM=answer)
    assert said == [message]
