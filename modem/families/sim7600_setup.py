"""The SIM7600's set-up. Scan and network time are those of the standard. Sources: see sim7600.py."""

from modem import replies
from modem.errors import CommandError
from modem.families.driver_setup import configure, scan
from modem.families.lte import cpsi
from modem.fields import line_after, number, split

if False:  # for mypy alone
    from modem.client import Modem

__all__ = ("SCAN_S", "close_context", "configure", "open_context", "reference_signal", "scan")

SCAN_S = (120, 300)  # [M]


def open_context(modem: "Modem", apn: str, user: str, password: str) -> str:
    """Set manual reception (CIPRXGET=1), as sim7600.py requires, and open the socket service, which opens the PDP context."""
    modem.ensure("AT+CIPRXGET=1")
    if _is_open(modem):
        try:
            return modem.query("AT+IPADDR", _address)
        except CommandError:  # the network closed the context, but the service still reports it as open
            close_context(modem)
    if not modem.query("AT+CGATT?", replies.setting):
        modem.command("AT+CGATT=1")
    modem.ensure('AT+CGDCONT=1,"IP","%s"' % apn)
    if user or password:
        modem.ensure('AT+CGAUTH=1,1,"%s","%s"' % (password, user))  # PAP. In this order, unlike 27.007, 10.1.31
    result = modem.command("AT+NETOPEN")
    if number(line_after(("+NETOPEN:",), result), result):
        raise CommandError("AT+NETOPEN", result, None, None)
    return modem.query("AT+IPADDR", _address)


def close_context(modem: "Modem") -> None:
    """Close the socket service, which also closes all links."""
    if _is_open(modem):
        modem.command("AT+NETCLOSE")


def reference_signal(modem: "Modem") -> "tuple[int, int] | None":
    """Return (RSRP dBm, RSRQ dB) of the serving cell, or None if it is not LTE."""
    found = cpsi(modem)
    return found and found[:2]


def _is_open(modem: "Modem") -> bool:
    return bool(modem.query("AT+NETOPEN?", _net_state))


def _net_state(text: str) -> int:
    """Parse +NETOPEN: <net_state>[,<mode>]; return <net_state>."""
    values, _ = split(line_after(("+NETOPEN:",), text), text)
    return number(values[0], text)


def _address(text: str) -> str:
    return line_after(("+IPADDR:",), text)
