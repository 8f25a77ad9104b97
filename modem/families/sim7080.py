"""SIM7070, SIM7080 and SIM7090: LTE-M, NB-IoT and, in some models, 2G, by the CNACT and CAOPEN commands. UNPROVEN ON HARDWARE.

Sources: clients that run with the modem: TinyGSM (TinyGsmClientSIM7080.h, which quotes the manual's results) and Zephyr
(drivers/modem/simcom/sim7080); and captures in repositories. [M] marks a hypothesis that was found neither there nor in the
SIM7070_SIM7080_SIM7090 Series AT Command Manual.
"""

from modem.errors import CommandError, ProtocolError
from modem.families import driver, lte
from modem.families.driver import Driver
from modem.replies import numbers
from modem.signal import NO_READING

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import CommandRow

CONTEXT = 0  # <pdpidx>
READ_BYTES = 1_459  # the most that one AT+CARECV reads; clients report that 1460 works and 2048 does not
OPENED, REFUSED = "0", "23"  # <result> of +CAOPEN; all others mean that there was no answer
CLOSED = "0"  # <state> of +CASTATE


class Sim7080(Driver):
    """Up to 13 links of context 0, with buffered reception: <recv_mode> 0, the default, which some firmware refuses."""

    NAME = "sim7080"

    COMMANDS: "tuple[CommandRow, ...]" = (
        ("+COPS=?", 300_000, ("+COPS:", "("), (), None),  # [M] as SIM7000: minutes with all LTE-M and NB-IoT bands
        ("+CNACT?", 3_000, ("+CNACT:",), (), None),
        ("+CNACT=", 15_000, (), (), None),  # [M] the result follows OK, as a URC
        ("+CAOPEN=", 80_000, (), (), None),  # [M] the result precedes or follows OK, and is treated as a URC
        ("+CASEND=", 30_000, (), (), None),
        ("+CARECV=", 5_000, ("+CARECV:",), (), None),
        ("+CAACK=", 3_000, None, (), None),
        ("+CACLOSE=", 15_000, (), (), None),
        ("+CPSI?", 3_000, ("+CPSI:",), (), None),
    )

    URCS: "tuple[str, ...]" = (
        "RDY", "+CPIN", "+CFUN", "SMS Ready", "NORMAL POWER DOWN",
        "+CREG", "+CGREG", "+CEREG", "+CPSMSTATUS", "*PSNWID", "*PSUTTZ", "+CTZV", "DST",
        "+APP PDP", "+CAOPEN", "+CADATAIND", "+CASTATE", "+CASEND",
        "+CUSD", "+CMTI", "+CMT", "+CDS", "RING", "NO CARRIER",
        "UNDER-VOLTAGE WARNNING", "UNDER-VOLTAGE POWER DOWN", "OVER-VOLTAGE WARNNING", "OVER-VOLTAGE POWER DOWN",
    )  # fmt: skip
    VOLTAGE_URCS: "tuple[str, ...]" = ("UNDER-VOLTAGE", "OVER-VOLTAGE")

    # Power: [M] PWRKEY low for 1 s switches on, 1.2 s off; the UART is ready after 1.8 s.
    BOOT_TIMEOUT_MS = 15_000

    REGISTRATION: "tuple[str, ...]" = ("AT+CEREG?", "AT+CGREG?")

    def signal_quality(self, modem: "Modem") -> int:
        """Return the CSQ of AT+CSQ, or of the RSSI in +CPSI if that is 99: [M] LTE-M firmware answers 99 in some states."""
        csq = Driver.signal_quality(self, modem)
        return lte.csq(lte.cpsi(modem)) if csq == NO_READING else csq

    def connect(self, modem: "Modem", link: int, host: str, port: int) -> None:
        """Open a connection. The link is closed first, as in TinyGSM: it stays in use from AT+CAOPEN to AT+CACLOSE, whichever
        side ended the connection.
        """
        try:
            self.close(modem, link)
        except CommandError:
            pass  # the link was not in use
        modem.command('AT+CAOPEN=%d,%d,"TCP","%s",%d' % (link, CONTEXT, host, port))

    def send(self, modem: "Modem", link: int, part: memoryview, timeout_ms: int) -> int:
        """Send a part. An error before the prompt or after the payload counts as a full buffer [M]; stream.py then compares
        the byte counts.
        """
        try:
            modem.send_payload("AT+CASEND=%d,%d" % (link, len(part)), part, timeout_ms, ">")
        except CommandError:
            return 0
        return len(part)

    def receive(self, modem: "Modem", link: int, buffer: bytearray) -> "tuple[int, int]":
        """Read received bytes. The payload is in the same line as its size. By the manual, the link number precedes the size,
        but no observed firmware sends it.
        """
        size = min(len(buffer), READ_BYTES)
        text, count = modem.receive_payload("AT+CARECV=%d,%d" % (link, size), "+CARECV: ,", buffer)
        (got,) = numbers("+CARECV:", 1, text)
        if count != got:
            raise ProtocolError("payload of another size", text)
        return count, int(count == size)  # the modem does not report how many more are pending

    def sent(self, modem: "Modem", link: int) -> "tuple[int, ...]":
        return modem.query("AT+CAACK=%d" % link, caack)

    def close(self, modem: "Modem", link: int) -> None:
        modem.command("AT+CACLOSE=%d" % link)

    def link_event(self, line: str) -> "tuple[str, str] | None":
        name, _, rest = line.partition(":")
        link, _, value = rest.strip().partition(",")
        if line in self.BOOTED or (name == "+APP PDP" and link == "%d" % CONTEXT and value == "DEACTIVE"):
            return driver.CONTEXT_LOST, ""
        if name == "+CAOPEN":
            if value == OPENED:
                return driver.OPENED, link
            return driver.REFUSED if value == REFUSED else driver.UNREACHED, link
        if name == "+CADATAIND":
            return driver.DATA, link
        if name == "+CASTATE" and value == CLOSED:
            return driver.CLOSED, link
        return None


def caack(text: str) -> tuple[int, int]:
    """Parse +CAACK: <total>,<not acknowledged>; return (sent, acknowledged) bytes since the link was opened.

    Raises ProtocolError.
    """
    total, waiting = numbers("+CAACK:", 2, text)
    if waiting > total:
        raise ProtocolError("more bytes wait than were sent", text)
    return total, total - waiting


FAMILY = Sim7080()
