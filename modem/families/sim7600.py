"""SIM7600 class (SIM7500, SIM7600, A76xx): LTE, by the NETOPEN and CIPOPEN commands. UNPROVEN ON HARDWARE.

Sources: SIM7500_SIM7600 Series AT Command Manual V3.00; A76XX Series AT Command Manual V1.09; A76XX Series TCPIP Application
Note V1.00, from which the order of the lines is taken. [M] marks a hypothesis that was not found in a manual.
"""

from modem.errors import CommandError
from modem.families import driver, lte
from modem.families.simcom import Simcom
from modem.fields import line_after, number, split
from modem.signal import NO_READING

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import CommandRow

# +CIPOPEN <err>, application note 4.1. [M] that an attempt on a link in use ends so; the note has "operation not supported".
LINK_IN_USE = "4"
LOST_LINK = "-1"  # +CIPSEND <cnfSendLength>: the connection is gone
CLOSED_HERE = "0"  # +IPCLOSE <close_reason>: closed by a command of the client


class Sim7600(Simcom):
    """Up to ten links. Data are accepted into the modem's buffer before they are acknowledged (CIPSENDMODE=0, the default)."""

    NAME = "sim7600"

    COMMANDS: "tuple[CommandRow, ...]" = (
        ("+COPS=?", 300_000, ("+COPS:", "("), (), None),  # [M] all bands of LTE, 3G and 2G take minutes
        (
            "+NETOPEN",
            125_000,
            ("+NETOPEN:",),
            (),
            "+NETOPEN:",
        ),  # 120 s, see AT+CIPTIMEOUT. The result follows OK
        ("+NETOPEN?", 3_000, ("+NETOPEN:",), (), None),
        ("+NETCLOSE", 125_000, ("+NETCLOSE:",), (), "+NETCLOSE:"),
        ("+IPADDR", 3_000, ("+IPADDR:",), (), None),
        (
            "+CIPOPEN=",
            80_000,
            (),
            (),
            None,
        ),  # the result comes behind OK, as a URC; before an ERROR if the link is in use
        ("+CIPSEND=", 125_000, ("+CIPSEND:",), (), "+CIPSEND:"),
        ("+CIPCLOSE=", 15_000, ("+CIPCLOSE:",), (), "+CIPCLOSE:"),
        ("+CIPRXGET=2", 3_000, ("+CIPRXGET: 2,",), (), None),
        ("+CIPRXGET=4", 3_000, ("+CIPRXGET: 4,",), (), None),
        ("+CIPACK=", 3_000, None, (), None),
        ("+CPSI?", 3_000, ("+CPSI:",), (), None),
    )

    URCS: "tuple[str, ...]" = (
        "RDY", "*ATREADY", "SMS DONE", "PB DONE", "+CPIN", "+CFUN", "+SIMCARD", "+STIN",  # boot
        "+CREG", "+CGREG", "+CEREG", "+CGEV", "+CNSMOD", "+CTZV", "+CTZE",
        "+CIPOPEN", "+IPCLOSE", "+CIPRXGET", "+CIPEVENT", "+IP ERROR", "+CIPERROR",
        "+CUSD", "+CMTI", "+CMT", "+CDS", "RING", "+CRING", "+CLIP", "NO CARRIER", "VOICE CALL", "MISSED_CALL",
        "UNDER-VOLTAGE WARNNING", "OVER-VOLTAGE WARNNING",  # AT+CVALARM
    )  # fmt: skip
    BOOTED: "tuple[str, ...]" = ("RDY", "*ATREADY: 1")  # SIM7600, A76XX
    VOLTAGE_URCS: "tuple[str, ...]" = ("UNDER-VOLTAGE", "OVER-VOLTAGE")

    # [M] PWRKEY low for 0.5 s switches on, 2.5 s off; the UART is ready after 11 s (SIM7600), 8 s (A7670): hardware designs.
    PWRKEY_MS = 500
    BOOT_TIMEOUT_MS = 25_000

    REGISTRATION: "tuple[str, ...]" = ("AT+CEREG?", "AT+CGREG?")

    def signal_quality(self, modem: "Modem") -> int:
        """Return the CSQ of AT+CSQ, or of the RSSI in +CPSI if that is 99: some firmware answers 99 on LTE [M]."""
        csq = Simcom.signal_quality(self, modem)
        return lte.csq(lte.cpsi(modem)) if csq == NO_READING else csq

    def connect(self, modem: "Modem", link: int, host: str, port: int) -> None:
        modem.command('AT+CIPOPEN=%d,"TCP","%s",%d' % (link, host, port))

    def send(self, modem: "Modem", link: int, part: memoryview, timeout_ms: int) -> int:
        command = "AT+CIPSEND=%d,%d" % (link, len(part))
        text = modem.send_payload(command, part, timeout_ms, ">")
        values, _ = split(line_after(("+CIPSEND: %d," % link,), text), text)
        if len(values) != 2 or values[1] == LOST_LINK:  # a single value is <err>
            raise CommandError(command, text, None, None)
        return number(values[1], text)

    def receive(self, modem: "Modem", link: int, buffer: bytearray) -> "tuple[int, int]":
        """Read received bytes. An empty buffer is also an error ("+IP ERROR: No data"). The query of the number of pending
        bytes distinguishes it from a closed link.
        """
        try:
            return Simcom.receive(self, modem, link, buffer)
        except CommandError:
            if not modem.query("AT+CIPRXGET=4,%d" % link, lambda text: _waiting(link, text)):
                return 0, 0
            return Simcom.receive(self, modem, link, buffer)  # data were received in the meantime

    def close(self, modem: "Modem", link: int) -> None:
        modem.command("AT+CIPCLOSE=%d" % link)

    def link_event(self, line: str) -> "tuple[str, str] | None":
        if line in self.BOOTED or line.startswith("+CIPEVENT:"):
            return driver.CONTEXT_LOST, ""
        name, _, rest = line.partition(":")
        link, _, value = rest.strip().partition(",")
        if name == "+CIPOPEN":
            if value == "0":
                return driver.OPENED, link
            return driver.LEFT_OPEN if value == LINK_IN_USE else driver.UNREACHED, link
        if name == "+IPCLOSE" and value != CLOSED_HERE:
            return driver.CLOSED, link
        if name == "+CIPRXGET" and link == "1":
            return driver.DATA, value
        return None


def _waiting(link: int, text: str) -> int:
    return number(line_after(("+CIPRXGET: 4,%d," % link,), text), text)


FAMILY = Sim7600()
