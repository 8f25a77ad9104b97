"""Set-up and scan by the commands of 3GPP TS 27.007 alone."""

from modem import replies
from modem.errors import CommandError

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import Scanned

CHARSET = "IRA"  # +CSCS after power-up, of all families
SCAN_S = (60, 180)
FORBIDDEN = 3  # +COPS=? <stat>


def configure(modem: "Modem") -> None:
    """The network's time (27.007, 8.40). A modem that cannot keep it can still be used."""
    try:
        if not modem.query("AT+CTZU?", replies.setting):
            modem.ensure("AT+CTZU=1")
    except CommandError:
        pass  # the clock then has a year that cannot be, see replies.CLOCK_YEARS


def close_context(modem: "Modem") -> None:
    """None is open: data need a family."""


def scan(modem: "Modem") -> "list[Scanned]":
    """Every network, by AT+COPS=?, which gives no signal."""
    listed = replies.operators(modem.command("AT+COPS=?"), CHARSET)
    return [(each.plmn, each.long_name or each.short_name, None, each.stat == FORBIDDEN) for each in listed]
