"""Carries out the decisions of roaming.py and recovery.py: survey, network switch, recovery actions. Blocking.

The commands are those of 3GPP TS 27.007; the driver of the modem's family (modem/families) adds its own.
"""

from modem import recovery_ladder, replies, startup
from modem.errors import CommandError, ModemRestarted
from modem.families.driver_setup import CHARSET, FORBIDDEN
from modem.network_history import VisibleNetwork
from modem.signal import NO_READING

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import Power

SETTLE_MS = 30_000  # from the response to AT+COPS= to GPRS registration
SETTLE_POLL_MS = 1_000
RADIO_OFF_MS = 10_000


def survey(modem: "Modem") -> "list[tuple[VisibleNetwork, str | None, int]]":
    """Scan; return (VisibleNetwork, operator name, number of cells) of each network, the strongest first.

    If the scan reports no signal for a network, its CSQ is NO_READING and it comes last. Networks that the SIM forbids are
    returned only if at most one other network was found. A forbidden network that is selected manually and accepts the unit is
    removed from the SIM's list (23.122, 3.1).

    Closes all connections and takes minutes. Nothing may be sent to the modem meanwhile: any byte aborts the scan. Raises
    ModemError; OSError from the port.
    """
    hooks = startup.setup(modem)
    hooks.close_context(modem)
    found: dict[str, tuple[VisibleNetwork, str | None, int]] = {}
    scanned = hooks.scan(modem)
    is_choice = len({plmn for plmn, _, _, forbidden in scanned if not forbidden}) > 1  # one may be the serving network
    for plmn, name, csq, forbidden in scanned:
        if forbidden and is_choice:
            continue
        heard = VisibleNetwork(plmn, NO_READING if csq is None else csq)
        best, name, count = found.get(plmn, (heard, name, 0))
        found[plmn] = (min(best, heard, key=_rank), name, count + 1)
    return sorted(found.values(), key=lambda each: _rank(each[0]))


def _rank(network: VisibleNetwork) -> int:
    """Return the sort key: the strongest network first, networks without a reading last."""
    return NO_READING if network.csq == NO_READING else -network.csq


def switch(modem: "Modem", plmn: str) -> bool:
    """Select a network. Return True once the modem is registered with it for data; else set automatic selection, return False.

    Mode 4 of AT+COPS falls back to automatic selection, so OK does not prove that the modem registered with this network.
    Raises ModemError other than CommandError; OSError from the port.
    """
    try:
        modem.command('AT+COPS=4,%d,"%s"' % (replies.NUMERIC, plmn))
        deadline_ms = modem.clock.now_ms() + SETTLE_MS
        while modem.clock.now_ms() < deadline_ms:
            if modem.registration().stat in replies.REGISTERED:
                if modem.operator() == plmn:
                    return True
                break
            modem.wait(SETTLE_POLL_MS)
    except CommandError:
        pass  # the network is not available, or rejected the unit
    automatic(modem)
    return False


def clear_forbidden(modem: "Modem") -> list[str]:
    """Clear the SIM's list of forbidden PLMNs if no other network is received; return the PLMNs that it contained.

    Without this, automatic selection never tries them again. Takes minutes, for a scan. Returns [] if nothing was cleared.
    Raises ModemError; OSError from the port.
    """
    barred = modem.query(_FORBIDDEN_LIST, replies.forbidden)
    if not barred:
        return []
    received = replies.operators(modem.command("AT+COPS=?"), CHARSET)
    if not received or [each for each in received if each.stat != FORBIDDEN]:
        return []
    modem.ensure(_CLEAR_FORBIDDEN_LIST)
    _cycle_radio(modem)  # the modem reads the list when the radio starts
    return barred


# EF_FPLMN, file 6F7B of the SIM, 4 networks of 3 bytes (31.102, 4.2.16): 176 reads, 214 writes (27.007, 8.18).
_FORBIDDEN_LIST = "AT+CRSM=176,28539,0,0,12"
_CLEAR_FORBIDDEN_LIST = 'AT+CRSM=214,28539,0,0,12,"%s"' % ("FF" * 12)


def automatic(modem: "Modem") -> None:
    """Set automatic network selection, unless it is set: repeating the command starts a search that takes minutes."""
    if modem.query("AT+COPS?", replies.operator).mode == 0:
        return
    try:
        modem.command("AT+COPS=0")
    except CommandError:
        pass  # no network at present; the mode is saved and the search continues


def carry_out(modem: "Modem", power: "Power", do: str) -> None:
    """Carry out recovery action `do` (recovery_ladder.py); a restarted modem is configured again. Raises ModemError if it
    fails; OSError from the port.
    """
    if do == recovery_ladder.RESHUT:
        startup.setup(modem).close_context(modem)
    elif do == recovery_ladder.REATTACH:
        modem.ensure("AT+CGATT=0")
        modem.ensure("AT+CGATT=1")
    elif do == recovery_ladder.RADIO_CYCLE:
        _cycle_radio(modem)
    elif do == recovery_ladder.RESTART:
        _restart(modem)
    elif do == recovery_ladder.SUPPLY_CUT:
        startup.power_cycle(modem, power)
        startup.configure(modem)
    elif do == recovery_ladder.CONFIGURE:
        startup.synchronise(modem)
        startup.configure(modem)


def _cycle_radio(modem: "Modem") -> None:
    modem.ensure("AT+CFUN=4")  # saved by the modem; startup.configure reverts it after a crash here
    modem.clock.sleep_ms(RADIO_OFF_MS)
    modem.ensure("AT+CFUN=1")


def _restart(modem: "Modem") -> None:
    try:
        modem.command("AT+CFUN=1,1")
    except ModemRestarted:
        pass  # RDY was received before OK
    startup.synchronise(modem)
    startup.configure(modem)
