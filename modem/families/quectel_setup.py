"""Set-up of Quectel's LTE modems. The scan is that of the standard. Sources: see quectel.py."""

from modem import replies
from modem.errors import CommandError
from modem.families import driver_setup
from modem.families.driver_setup import scan
from modem.families.lte import qcsq
from modem.families.quectel import CONTEXT
from modem.fields import lines, number, split

if False:  # for mypy alone
    from modem.client import Modem

__all__ = ("SCAN_S", "close_context", "configure", "open_context", "reference_signal", "scan")

SCAN_S = (120, 300)  # [M]
LOCAL_TIME = 3  # AT+CTZU: 1 sets the clock to UTC, 3 to local time, which 27.007 requires for +CCLK [M]


def configure(modem: "Modem") -> None:
    """Set the clock to follow the network's local time. [M] Models without the value 3 use local time with 1."""
    try:
        if modem.query("AT+CTZU?", replies.setting) != LOCAL_TIME:
            modem.ensure("AT+CTZU=%d" % LOCAL_TIME)
    except CommandError:
        driver_setup.configure(modem)


def open_context(modem: "Modem", apn: str, user: str, password: str) -> str:
    """Keep or activate the context; return its address.

    A context that the network closed can be activated again only after AT+QIDEACT (application note, +QIURC: "pdpdeact").
    """
    address = modem.query("AT+QIACT?", address_of)
    if address:
        return address
    try:
        close_context(modem)
    except CommandError:
        pass  # [M] a modem without a context may refuse this
    if not modem.query("AT+CGATT?", replies.setting):
        modem.command("AT+CGATT=1")
    login = (CONTEXT, apn, user, password, 1 if user or password else 0)  # IPv4; authentication: PAP or none
    modem.ensure('AT+QICSGP=%d,1,"%s","%s","%s",%d' % login)
    modem.command("AT+QIACT=%d" % CONTEXT)
    return modem.query("AT+QIACT?", address_of)


def close_context(modem: "Modem") -> None:
    """Deactivate the context, which also closes all links."""
    modem.ensure("AT+QIDEACT=%d" % CONTEXT)


def reference_signal(modem: "Modem") -> "tuple[int, int] | None":
    """Return (RSRP dBm, RSRQ dB) of the serving cell, or None if it is not LTE."""
    found = qcsq(modem)
    return found and found[:2]


def address_of(text: str) -> str:
    """Parse +QIACT; return the address of CONTEXT, "" if it is not active. Lines: <context>,<state>,<type>,"<address>"."""
    for line in lines(text):
        if line.startswith("+QIACT:"):
            values, _ = split(line[7:], text)
            if number(values[0], text) == CONTEXT and values[1:2] == ["1"]:
                return values[3] or "" if len(values) > 3 else ""
    return ""
