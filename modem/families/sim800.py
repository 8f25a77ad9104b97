"""SIM800 family (SIM800L, SIM800C, SIM800H). The hooks that are needed only briefly are in sim800_setup.py.

Page numbers are those of the SIM800 Series AT Command Manual V1.12. A time is the manual's "Max Response Time" with a margin,
because some are exceeded in the field. If the manual gives none, the time is DEFAULT_TIMEOUT_MS.
"""

from modem.errors import CommandError, ProtocolError
from modem.families import driver
from modem.families.simcom import Simcom
from modem.replies import numbers

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import CommandRow

_LINK_EVENTS = (driver.OPENED, driver.REFUSED, driver.LEFT_OPEN, driver.CLOSED)  # in the order of LINK_URCS


class Sim800(Simcom):
    """Several links (CIPMUX=1). The modem accepts data before the peer acknowledges them (CIPQSEND=1)."""

    NAME = "sim800"

    COMMANDS: "tuple[CommandRow, ...]" = (
        ("+CNETSCAN", 90_000, ("Operator:",), (), None),  # p.189: 45 s
        ("+CIICR", 90_000, (), (), None),  # 85 s
        ("+CIFSR", 3_000, ("",), (), ""),  # the response is an address, without OK
        ("+CIPSTART=", 80_000, (), (), None),  # 75 s with CIPMUX=1; CONNECT OK comes later, as a URC
        ("+CIPSTATUS", 3_000, ("STATE:", "C:"), (), "STATE:"),  # OK first. With CIPMUX=1 more rows follow
        ("+CIPSEND=", 30_000, (), ("DATA ACCEPT:", "SEND OK", "SEND FAIL"), None),  # with CIPQSEND=1; else up to 645 s
        ("+CIPCLOSE", 10_000, (), ("CLOSE OK",), None),
        ("+CIPSHUT", 70_000, (), ("SHUT OK",), None),  # 65 s
        ("+CIPRXGET=2", 3_000, ("+CIPRXGET: 2,",), (), None),
        ("+CIPACK=", 3_000, None, (), None),
        ("+CGMR", 3_000, ("Revision",), (), None),
    )

    # WARNNING is the modem's spelling.
    URCS: "tuple[str, ...]" = (
        "RDY", "+CFUN", "+CPIN", "Call Ready", "SMS Ready",  # boot, at a fixed baud rate only
        "+CREG", "+CGREG",
        "*PSNWID", "*PSUTTZ", "+CTZV", "+CTZR", "DST",  # network time; the last has no plus sign
        "+CSQN", "+CSMINS", "+CMTE", "+CUSD", "+CMTI", "+CMT", "+CDS", "+CBM", "RING", "+CRING", "+CLIP", "NO CARRIER",
        "+PDP", "+CIPRXGET", "+RECEIVE", "REMOTE IP", "+SAPBR 1",
        "NORMAL POWER DOWN",
        "UNDER-VOLTAGE WARNNING", "UNDER-VOLTAGE POWER DOWN", "OVER-VOLTAGE WARNNING", "OVER-VOLTAGE POWER DOWN",
    )  # fmt: skip
    LINK_URCS: "tuple[str, ...]" = ("CONNECT OK", "CONNECT FAIL", "ALREADY CONNECT", "CLOSED")  # with CIPMUX=1

    VOLTAGE_URCS: "tuple[str, ...]" = ("UNDER-VOLTAGE", "OVER-VOLTAGE")

    # Power: Hardware Design V2.02 and V1.02. PWRKEY low for 1 s or more toggles; held over 33 s it resets.
    BOOT_TIMEOUT_MS = 10_000  # UART usable >= 3 s after PWRKEY; "AT" every 300..500 ms until then

    def connect(self, modem: "Modem", link: int, host: str, port: int) -> None:
        modem.command('AT+CIPSTART=%d,"TCP","%s",%d' % (link, host, port))

    def send(self, modem: "Modem", link: int, part: memoryview, timeout_ms: int) -> int:
        command = "AT+CIPSEND=%d,%d" % (link, len(part))
        final = modem.send_payload(command, part, timeout_ms)
        if final.endswith("SEND FAIL"):
            raise CommandError(command, final, None, None)
        by_link, taken = numbers("DATA ACCEPT:", 2, final)  # fewer than sent if the modem's buffer is full
        if by_link != link:
            raise ProtocolError("accepted for another connection", final)
        return taken

    def close(self, modem: "Modem", link: int) -> None:
        modem.command("AT+CIPCLOSE=%d,1" % link)  # quick close

    def link_event(self, line: str) -> "tuple[str, str] | None":
        word = line[2:].strip()
        if line[1:2] == "," and word in self.LINK_URCS:
            return _LINK_EVENTS[self.LINK_URCS.index(word)], line[0]
        if line.startswith("+CIPRXGET: 1,"):
            return driver.DATA, line[13:].strip()
        if line in self.BOOTED or line.startswith("+PDP: DEACT"):
            return driver.CONTEXT_LOST, ""
        return None


FAMILY = Sim800()
