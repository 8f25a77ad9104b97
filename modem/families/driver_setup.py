"""Set-up and scan with only the commands of 3GPP TS 27.007."""

from modem import replies
from modem.errors import CommandError

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import Scanned

CHARSET = "IRA"  # +CSCS after power-up, of all families
SCAN_S = (60, 180)
FORBIDDEN = 3  # +COPS=? <stat>


def configure(modem: "Modem") -> None:
    """Set the clock to follow the network's time (27.007, 8.40). A modem that refuses this can still be used."""
    try:
        if not modem.query("AT+CTZU?", replies.setting):
            modem.ensure("AT+CTZU=1")
    except CommandError:
        pass  # the clock then shows an impossible year; see replies.CLOCK_YEARS


def close_context(modem: "Modem") -> None:
    """Do nothing: without a family, no context was opened."""


def scan(modem: "Modem") -> "list[Scanned]":
    """Return every network by AT+COPS=?, which reports no signal."""
    listed = replies.operators(modem.command("AT+COPS=?"), CHARSET)
    return [(each.plmn, each.long_name or each.short_name, None, each.stat == FORBIDDEN) for each in listed]
