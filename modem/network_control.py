"""Carries out what roaming.py and recovery.py decide: a survey, a switch of network, and each remedy. Blocking."""

from modem import recovery_ladder, replies, signal, startup
from modem.errors import CommandError, ModemRestarted
from modem.network_history import VisibleNetwork

SETTLE_MS = 30_000  # from the answer to AT+COPS= until the packet service is there
SETTLE_POLL_MS = 1_000
RADIO_OFF_MS = 10_000
UNMEASURED_CSQ = 10  # of a network in AT+COPS=?, which gives no strength: usable, and not better than what works


def survey(modem) -> list:
    """Scan: a list of (VisibleNetwork, name, number of cells), the strongest first.

    Takes minutes, and closes the connection. Raises ModemError. Nothing may be sent to the modem meanwhile: a single
    byte aborts the scan.
    """
    modem.ensure("AT+CIPSHUT")
    if not modem.family.MEASURES_ALL_CELLS:
        listed = replies.operators(modem.command("AT+COPS=?"), modem.family.CHARSET)
        return [
            (VisibleNetwork(each.plmn, UNMEASURED_CSQ), each.long_name, 1) for each in listed if each.stat != _FORBIDDEN
        ]
    found: dict = {}
    for cell in replies.cells(modem.command("AT+CNETSCAN")):
        csq = signal.csq_from_rxlev(cell.rxlev)
        best, name, count = found.get(cell.plmn, (VisibleNetwork(cell.plmn, csq), cell.name, 0))
        found[cell.plmn] = (best if best.csq >= csq else VisibleNetwork(cell.plmn, csq), name, count + 1)
    return sorted(found.values(), key=lambda each: -each[0].csq)


_FORBIDDEN = 3  # +COPS=? <stat>


def switch(modem, plmn: str) -> bool:
    """Move to another network; True once it has taken us for data. If it did not, the modem is left to choose by itself.

    COPS mode 4 chooses by itself if the network is not there. An OK is not believed: the modem says OK from afar.
    """
    try:
        modem.command('AT+COPS=4,%d,"%s"' % (replies.NUMERIC, plmn))
        deadline_ms = modem.clock.now_ms() + SETTLE_MS
        while modem.clock.now_ms() < deadline_ms:
            if modem.registration().stat in (startup.HOME, startup.ROAMING):
                if modem.operator() == plmn:
                    return True
                break
            modem.wait(SETTLE_POLL_MS)
    except CommandError:
        pass  # not there, or refused: the same to us
    automatic(modem)
    return False


def clear_forbidden(modem) -> list:
    """Clear the SIM's list of networks that once refused it, if they are all that is heard; return the PLMNs it held.

    An automatic choice leaves them out for ever, also when they would take us again. Takes the minutes of a scan.
    """
    barred = modem.query(_FORBIDDEN_LIST, replies.forbidden)
    if not barred:
        return []
    heard = replies.operators(modem.command("AT+COPS=?"), modem.family.CHARSET)
    if not heard or [each for each in heard if each.stat != _FORBIDDEN]:
        return []
    modem.ensure(_CLEAR_FORBIDDEN_LIST)
    _cycle_radio(modem)  # the list is read when the radio starts
    return barred


# EF_FPLMN, file 6F7B of the SIM, 4 networks of 3 bytes (31.102, 4.2.16): 176 reads, 214 writes (27.007, 8.18).
_FORBIDDEN_LIST = "AT+CRSM=176,28539,0,0,12"
_CLEAR_FORBIDDEN_LIST = 'AT+CRSM=214,28539,0,0,12,"%s"' % ("FF" * 12)


def automatic(modem):
    """Let the modem choose its network by itself. Asked first: saying it again would cost it minutes."""
    if modem.query("AT+COPS?", replies.operator).mode == 0:
        return
    try:
        modem.command("AT+COPS=0")
    except CommandError:
        pass  # no network just now; it has saved the mode and goes on looking


def carry_out(modem, power, do: str):
    """One remedy of recovery.py, until the modem is configured again. Raises ModemError if it does not even do that."""
    if do == recovery_ladder.RESHUT:
        modem.ensure("AT+CIPSHUT")
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


def _cycle_radio(modem):
    modem.ensure("AT+CFUN=4")  # saved by the modem; configure heals it if we crash here
    modem.clock.sleep_ms(RADIO_OFF_MS)
    modem.ensure("AT+CFUN=1")


def _restart(modem):
    try:
        modem.command("AT+CFUN=1,1")
    except ModemRestarted:
        pass  # it said RDY before OK
    startup.synchronise(modem)
    startup.configure(modem)
