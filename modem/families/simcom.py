"""The base of several SIMCom families: the buffer of received data, and the byte counts of a connection.

Source: SIM800 Series AT Command Manual V1.12, chapter 8; SIM7500_SIM7600 Series AT Command Manual V3.00 has the same forms.
"""

from modem.errors import ProtocolError
from modem.families.driver import Driver
from modem.replies import numbers

if False:  # for mypy alone
    from modem.client import Modem


class Simcom(Driver):
    """A modem that buffers received data until they are read (CIPRXGET=1), and announces them once."""

    def receive(self, modem: "Modem", link: int, buffer: bytearray) -> "tuple[int, int]":
        header = "+CIPRXGET: 2,%d," % link
        text, count = modem.receive_payload("AT+CIPRXGET=2,%d,%d" % (link, len(buffer)), header, buffer)
        got, left = numbers(header, 2, text)
        if count != got:
            raise ProtocolError("payload of another size", text)
        return count, left

    def sent(self, modem: "Modem", link: int) -> "tuple[int, ...]":
        return modem.query("AT+CIPACK=%d" % link, cipack)[:2]


def cipack(text: str) -> tuple[int, ...]:
    """Parse +CIPACK; return (sent, acknowledged, not acknowledged) bytes since the connection was opened.

    Raises ProtocolError.
    """
    return numbers("+CIPACK:", 3, text)
