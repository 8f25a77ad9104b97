"""Quectel's LTE and LTE-M modems (EC20, EC21, EC25, EG21, EG25, EG91, EG95, BG77, BG95, BG96). UNPROVEN ON HARDWARE.

Sources: EC20 TCP/IP AT Commands Manual V1.0; EC200U&EG915U Series TCP/IP Application Note V1.1; captures in repositories. [M]
marks a hypothesis that was not found in a manual. The M95 has older commands of the same names: see m95.py.
"""

from modem.errors import ProtocolError
from modem.families import driver, lte
from modem.replies import numbers
from modem.signal import NO_READING

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import CommandRow

CONTEXT = 1
LINKS = 12
# +QIOPEN <err>: the manual's "socket identity has been used" and "socket connect failed"
LINK_IN_USE = "563"
CONNECT_FAILED = "566"

_COUNTS = tuple([("+QISEND=%d,0" % link, 3_000, None, (), None) for link in range(LINKS)])


class Quectel(driver.Driver):
    """Up to twelve links of context 1, with buffered reception (access mode 0)."""

    NAME = "quectel"

    COMMANDS: "tuple[CommandRow, ...]" = (
        ("+COPS=?", 300_000, ("+COPS:", "("), (), None),  # 180 s; [M] BG95 takes longer over all bands
        ("+COPS=", 185_000, (), (), None),  # 180 s
        ("+QIACT=", 155_000, (), (), None),  # 150 s
        ("+QIDEACT=", 45_000, (), (), None),  # 40 s
        ("+QIOPEN=", 155_000, (), (), None),  # the result follows OK, as a URC
        ("+QICLOSE=", 15_000, (), (), None),  # 10 s, until the peer has acknowledged
        ("+QISEND=", 30_000, (), ("SEND OK", "SEND FAIL"), None),
        ("+QIRD=", 5_000, ("+QIRD:",), (), None),
        ("+QCSQ", 3_000, ("+QCSQ:",), (), None),
    ) + _COUNTS  # fmt: skip

    URCS: "tuple[str, ...]" = (
        "RDY", "APP RDY", "+CPIN", "+CFUN", "+QIND", "+QUSIM", "POWERED DOWN", "NORMAL POWER DOWN",
        "+CREG", "+CGREG", "+CEREG", "+CGEV", "+CTZV", "+CTZE",
        "+QIOPEN", "+QIURC",
        "+CUSD", "+CMTI", "+CMT", "+CDS", "RING", "+CRING", "+CLIP", "NO CARRIER",
    )  # fmt: skip

    # [M] PWRKEY low for 0.5 s (EC21) or 0.5 to 1 s (BG95) switches on; the UART is ready after 12 s (EC21), 3 s (BG95):
    # hardware designs.
    PWRKEY_MS = 700
    BOOT_TIMEOUT_MS = 25_000

    REGISTRATION: "tuple[str, ...]" = ("AT+CEREG?", "AT+CGREG?")

    def signal_quality(self, modem: "Modem") -> int:
        """Return the CSQ of AT+CSQ, or of the RSSI in +QCSQ if that is 99: LTE-M firmware answers 99 in some states [M]."""
        csq = driver.Driver.signal_quality(self, modem)
        return lte.csq(lte.qcsq(modem)) if csq == NO_READING else csq

    def connect(self, modem: "Modem", link: int, host: str, port: int) -> None:
        modem.command('AT+QIOPEN=%d,%d,"TCP","%s",%d,0,0' % (CONTEXT, link, host, port))

    def send(self, modem: "Modem", link: int, part: memoryview, timeout_ms: int) -> int:
        final = modem.send_payload("AT+QISEND=%d,%d" % (link, len(part)), part, timeout_ms, ">")
        return 0 if final == "SEND FAIL" else len(part)  # SEND FAIL: the modem's buffer is full

    def receive(self, modem: "Modem", link: int, buffer: bytearray) -> "tuple[int, int]":
        text, count = modem.receive_payload("AT+QIRD=%d,%d" % (link, len(buffer)), "+QIRD: ", buffer)
        (got,) = numbers("+QIRD:", 1, text)
        if count != got:
            raise ProtocolError("payload of another size", text)
        return count, int(count == len(buffer))  # the modem does not report how many more are pending

    def sent(self, modem: "Modem", link: int) -> "tuple[int, ...]":
        return modem.query("AT+QISEND=%d,0" % link, qisend)[:2]

    def close(self, modem: "Modem", link: int) -> None:
        modem.command("AT+QICLOSE=%d" % link)

    def link_event(self, line: str) -> "tuple[str, str] | None":
        if line in self.BOOTED or line.startswith('+QIURC: "pdpdeact"'):
            return driver.CONTEXT_LOST, ""
        name, _, rest = line.partition(":")
        first, _, second = rest.strip().partition(",")
        if name == "+QIOPEN":
            return _OPEN_EVENTS.get(second, driver.UNREACHED), first
        if name == "+QIURC" and first == '"recv"':
            return driver.DATA, second
        if name == "+QIURC" and first == '"closed"':
            return driver.CLOSED, second
        return None


_OPEN_EVENTS = {"0": driver.OPENED, LINK_IN_USE: driver.LEFT_OPEN, CONNECT_FAILED: driver.REFUSED}


def qisend(text: str) -> tuple[int, ...]:
    """Parse +QISEND; return (sent, acknowledged, not acknowledged) bytes since the connection was opened.

    Raises ProtocolError.
    """
    return numbers("+QISEND:", 3, text)


FAMILY = Quectel()
