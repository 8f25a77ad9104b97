"""The SIM7080's set-up. Network time is set as in the SIM800; the scan is that of the standard. Sources: see sim7080.py."""

from modem import replies
from modem.errors import CommandError
from modem.families.driver_setup import scan
from modem.families.lte import cpsi
from modem.families.sim800_setup import configure
from modem.families.sim7080 import CONTEXT
from modem.fields import lines, number, split

if False:  # for mypy alone
    from modem.client import Modem

__all__ = ("SCAN_S", "close_context", "configure", "open_context", "reference_signal", "scan")

SCAN_S = (120, 300)  # [M] as SIM7000
SWITCH_TIMEOUT_MS = 60_000  # of AT+CNACT; TinyGSM waits as long
SWITCH_POLL_MS = 5_000  # the URC may be lost
NO_ADDRESS = "0.0.0.0"


def open_context(modem: "Modem", apn: str, user: str, password: str) -> str:
    """Keep or activate application context 0; return its address. It is separate from the contexts of AT+CGDCONT, whose APN
    is not used.
    """
    address = modem.query("AT+CNACT?", address_of)
    if address:
        return address
    if not modem.query("AT+CGATT?", replies.setting):
        modem.command("AT+CGATT=1")
    login = ',"%s","%s",1' % (user, password) if user or password else ""  # 1: PAP
    modem.ensure('AT+CNCFG=%d,1,"%s"%s' % (CONTEXT, apn, login))  # 1: IPv4
    outcome = _switch(modem, True)
    address = modem.query("AT+CNACT?", address_of)
    if not address:
        raise CommandError("AT+CNACT=%d,1" % CONTEXT, outcome, None, None)
    return address


def close_context(modem: "Modem") -> None:
    """Deactivate the context, which also closes all links."""
    if modem.query("AT+CNACT?", address_of):
        _switch(modem, False)


def reference_signal(modem: "Modem") -> "tuple[int, int] | None":
    """Return (RSRP dBm, RSRQ dB) of the serving cell, or None if it is not LTE."""
    found = cpsi(modem)
    return found and found[:2]


def address_of(text: str) -> str:
    """Parse +CNACT; return the address of CONTEXT, "" if it is not active. Lines: <pdpidx>,<status>,"<address>"."""
    for line in lines(text):
        if line.startswith("+CNACT:"):
            values, _ = split(line[7:], text)
            if number(values[0], text) == CONTEXT and values[1:2] == ["1"] and len(values) > 2:
                return "" if values[2] == NO_ADDRESS else values[2] or ""
    return ""


def _switch(modem: "Modem", on: bool) -> str:
    """Switch the context and wait for the result: a URC, or the state itself. Return the URC, or "OK" if there was none."""
    results: list[str] = []
    subscription = modem.subscribe("+APP PDP: %d," % CONTEXT, results.append)
    try:
        modem.command("AT+CNACT=%d,%d" % (CONTEXT, on))
        deadline_ms = modem.clock.now_ms() + SWITCH_TIMEOUT_MS
        while not results and modem.clock.now_ms() < deadline_ms:
            if not modem.wait(SWITCH_POLL_MS) and bool(modem.query("AT+CNACT?", address_of)) == on:
                break
    finally:
        modem.unsubscribe(subscription)
    return results[-1] if results else "OK"
