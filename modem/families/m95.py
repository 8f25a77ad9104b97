"""Quectel's GPRS modems (M10, M26, M35, M66, M72, M95, MC20, MC60), by the older AT+QIxxx commands. UNPROVEN ON HARDWARE.

Sources: clients that run with the modem: mbed-os (QUECTEL/M26/QUECTEL_M26_CellularStack.cpp), RT-Thread (at_device, m26) and
TinyGSM (TinyGsmClientM95.h); and captures in repositories. [M] marks a hypothesis that was found neither there nor in the M95
AT Commands Manual. EC21 and BG95 have different commands of the same names: see quectel.py.
"""

from modem.errors import CommandError, ProtocolError
from modem.families import driver
from modem.families.driver import Driver
from modem.fields import line_after, number, split
from modem.replies import numbers

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import CommandRow

CONTEXT = 0  # AT+QIFGCNT
CLIENT = 1  # <sc> of AT+QIRD and +QIRDI

_LINK_EVENTS = (driver.OPENED, driver.REFUSED, driver.LEFT_OPEN, driver.CLOSED)  # in the order of LINK_URCS


class M95(Driver):
    """Up to six links (QIMUX=1), with buffered reception (QINDI=1) and no echo of the payload (QISDE=0)."""

    NAME = "m95"

    COMMANDS: "tuple[CommandRow, ...]" = (
        ("+QIREGAPP", 10_000, (), (), None),  # [M]
        ("+QIACT", 155_000, (), (), None),  # [M] 150 s, as EC21
        ("+QIDEACT", 45_000, (), ("DEACT OK",), None),  # [M] 40 s, as EC21; TinyGSM waits 60 s
        ("+QILOCIP", 3_000, ("",), (), ""),  # the response is an address, without OK
        ("+QIOPEN=", 80_000, (), (), None),  # 75 s (TinyGSM); the result follows OK, as a URC
        ("+QICLOSE=", 15_000, (), ("CLOSE OK",), None),  # [M]
        ("+QISEND=", 30_000, (), ("SEND OK", "SEND FAIL"), None),
        ("+QISACK=", 3_000, None, (), None),
        ("+QIRD=", 5_000, ("+QIRD:",), (), None),
        ("+QENG?", 3_000, ("+QENG:",), (), None),
    )

    URCS: "tuple[str, ...]" = (
        "RDY", "+CFUN", "+CPIN", "Call Ready", "SMS Ready", "NORMAL POWER DOWN",
        "+CREG", "+CGREG", "+CTZV", "+CTZR", "+QNITZ",
        "+QIRDI", "+PDP DEACT", "+PDP",
        "+CUSD", "+CMTI", "+CMT", "+CDS", "+CBM", "RING", "+CRING", "+CLIP", "NO CARRIER",
        "UNDER_VOLTAGE WARNING", "UNDER_VOLTAGE POWER DOWN", "OVER_VOLTAGE WARNING", "OVER_VOLTAGE POWER DOWN",
    )  # fmt: skip
    LINK_URCS: "tuple[str, ...]" = ("CONNECT OK", "CONNECT FAIL", "ALREADY CONNECT", "CLOSED")
    VOLTAGE_URCS: "tuple[str, ...]" = ("UNDER_VOLTAGE", "OVER_VOLTAGE")

    # Power: [M] PWRKEY low for 1 s switches on; the UART is ready after 4 s.
    BOOT_TIMEOUT_MS = 15_000

    def connect(self, modem: "Modem", link: int, host: str, port: int) -> None:
        """Open a connection. The link is closed first, as in TinyGSM, because it is not known [M] whether OK precedes ALREADY
        CONNECT.
        """
        try:
            self.close(modem, link)
        except CommandError:
            pass  # the link was not open
        modem.command('AT+QIOPEN=%d,"TCP","%s",%d' % (link, host, port))

    def send(self, modem: "Modem", link: int, part: memoryview, timeout_ms: int) -> int:
        final = modem.send_payload("AT+QISEND=%d,%d" % (link, len(part)), part, timeout_ms, ">")
        return 0 if final.endswith("SEND FAIL") else len(part)  # [M] SEND FAIL: the modem's buffer is full

    def receive(self, modem: "Modem", link: int, buffer: bytearray) -> "tuple[int, int]":
        """Read received bytes. +QIRD: <address>:<port>,TCP,<length> precedes the payload; OK alone means no data."""
        command = "AT+QIRD=%d,%d,%d,%d" % (CONTEXT, CLIENT, link, len(buffer))
        text, count = modem.receive_payload(command, ",TCP,", buffer)
        if not text:
            return 0, 0
        values, _ = split(line_after(("+QIRD:",), text), text)
        if len(values) != 3 or count != number(values[2], text):
            raise ProtocolError("payload of another size", text)
        return count, int(count == len(buffer))  # the modem does not report how many more are pending

    def sent(self, modem: "Modem", link: int) -> "tuple[int, ...]":
        return modem.query("AT+QISACK=%d" % link, qisack)[:2]

    def close(self, modem: "Modem", link: int) -> None:
        modem.command("AT+QICLOSE=%d" % link)

    def link_event(self, line: str) -> "tuple[str, str] | None":
        word = line[2:].strip()
        if line[1:2] == "," and word in self.LINK_URCS:
            return _LINK_EVENTS[self.LINK_URCS.index(word)], line[0]
        if line.startswith("+QIRDI:"):
            values = line[7:].split(",")  # <context>,<client or server>,<link>, and with QINDI=2 three more
            return (driver.DATA, values[2].strip()) if len(values) > 2 else None
        if line in self.BOOTED or line.startswith("+PDP"):
            return driver.CONTEXT_LOST, ""
        return None


def qisack(text: str) -> tuple[int, ...]:
    """Parse +QISACK; return (sent, acknowledged, not acknowledged) bytes since the connection was opened.

    Raises ProtocolError.
    """
    return numbers("+QISACK:", 3, text)


FAMILY = M95()
