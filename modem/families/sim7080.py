"""SIM7070, SIM7080 and SIM7090: LTE-M, NB-IoT and, of some, 2G, by the CNACT and CAOPEN commands. UNPROVEN ON HARDWARE.

Sources: clients that run on the modem, TinyGSM (TinyGsmClientSIM7080.h, which quotes the manual's results) and Zephyr
(drivers/modem/simcom/sim7080), and captures in repositories. [M] marks what none of them says, and was not read in the
SIM7070_SIM7080_SIM7090 Series AT Command Manual: a hypothesis.
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
READ_BYTES = 1_459  # of one AT+CARECV; clients report that 1460 works and 2048 does not
OPENED, REFUSED = "0", "23"  # <result> of +CAOPEN; all others mean that nobody has answered
CLOSED = "0"  # <state> of +CASTATE


class Sim7080(Driver):
    """Up to 13 links of context 0, with buffered reception: <recv_mode> 0, the default, which some firmware refuses."""

    NAME = "sim7080"

    COMMANDS: "tuple[CommandRow, ...]" = (
        ("+COPS=?", 300_000, ("+COPS:", "("), (), None),  # [M] as SIM7000: minutes with all LTE-M and NB-IoT bands
        ("+CNACT?", 3_000, ("+CNACT:",), (), None),
        ("+CNACT=", 15_000, (), (), None),  # [M] the result comes behind OK, as a URC
        ("+CAOPEN=", 80_000, (), (), None),  # [M] the result comes before or behind OK, and is taken for a URC
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
        """AT+CSQ, else the RSSI of +CPSI: [M] LTE-M firmware answers 99 in some states."""
        csq = Driver.signal_quality(self, modem)
        return lte.csq(lte.cpsi(modem)) if csq == NO_READING else csq

    def connect(self, modem: "Modem", link: int, host: str, port: int) -> None:
        """A link is taken from AT+CAOPEN to AT+CACLOSE, whoever ended its connection: it is closed first, as TinyGSM does."""
        try:
            self.close(modem, link)
        except CommandError:
            pass  # it was not taken
        modem.command('AT+CAOPEN=%d,%d,"TCP","%s",%d' % (link, CONTEXT, host, port))

    def send(self, modem: "Modem", link: int, part: memoryview, timeout_ms: int) -> int:
        """An error before the prompt or behind the payload is taken for a full buffer [M]; the counts tell what it was."""
        try:
            modem.send_payload("AT+CASEND=%d,%d" % (link, len(part)), part, timeout_ms, ">")
        except CommandError:
            return 0
        return len(part)

    def receive(self, modem: "Modem", link: int, buffer: bytearray) -> "tuple[int, int]":
        """The payload is in the line of its count. The manual puts the link before the count, and no firmware was seen to."""
        size = min(len(buffer), READ_BYTES)
        text, count = modem.receive_payload("AT+CARECV=%d,%d" % (link, size), "+CARECV: ,", buffer)
        (got,) = numbers("+CARECV:", 1, text)
        if count != got:
            raise ProtocolError("payload of another size", text)
        return count, int(count == size)  # how many more wait is not said

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
    """+CAACK: <total>,<not acknowledged>, as (sent, acknowledged) bytes since the link was opened. Raises ProtocolError."""
    total, waiting = numbers("+CAACK:", 2, text)
    if waiting > total:
        raise ProtocolError("more bytes wait than were sent", text)
    return total, total - waiting


FAMILY = Sim7080()
