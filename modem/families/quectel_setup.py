"""Quectel's set-up. Scan is the standard's. Sources: see quectel.py."""

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
LOCAL_TIME = 3  # AT+CTZU: 1 keeps the universal time in the clock, 3 the local one, as 27.007 has it for +CCLK [M]


def configure(modem: "Modem") -> None:
    """The network's time. [M] Models that know no local time show what 27.007 asks for with 1."""
    try:
        if modem.query("AT+CTZU?", replies.setting) != LOCAL_TIME:
            modem.ensure("AT+CTZU=%d" % LOCAL_TIME)
    except CommandError:
        driver_setup.configure(modem)


def open_context(modem: "Modem", apn: str, user: str, password: str) -> str:
    """One that the network closed is activated again only after AT+QIDEACT (+QIURC: "pdpdeact" in the application note)."""
    address = modem.query("AT+QIACT?", address_of)
    if address:
        return address
    try:
        close_context(modem)
    except CommandError:
        pass  # [M] a modem that has none may refuse it
    if not modem.query("AT+CGATT?", replies.setting):
        modem.command("AT+CGATT=1")
    login = (CONTEXT, apn, user, password, 1 if user or password else 0)  # IPv4; authentication: PAP or none
    modem.ensure('AT+QICSGP=%d,1,"%s","%s","%s",%d' % login)
    modem.command("AT+QIACT=%d" % CONTEXT)
    return modem.query("AT+QIACT?", address_of)


def close_context(modem: "Modem") -> None:
    """Closes all links too."""
    modem.ensure("AT+QIDEACT=%d" % CONTEXT)


def reference_signal(modem: "Modem") -> "tuple[int, int] | None":
    """(RSRP dBm, RSRQ dB) of the serving cell, or None: not on LTE."""
    found = qcsq(modem)
    return found and found[:2]


def address_of(text: str) -> str:
    """+QIACT: the address of our context, "" if it is not active. <context>,<state>,<type>,"<address>", a line each."""
    for line in lines(text):
        if line.startswith("+QIACT:"):
            values, _ = split(line[7:], text)
            if number(values[0], text) == CONTEXT and values[1:2] == ["1"]:
                return values[3] or "" if len(values) > 3 else ""
    return ""
