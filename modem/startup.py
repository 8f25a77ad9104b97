"""From a dark modem to an open PDP context, one function a step. Each may be called again at any time: it looks first.

The steps, in order: power_on or power_cycle (or synchronise, if it has been on all the time), configure, wait_for_sim,
wait_for_network, open_pdp_context. Only the modem decides how long they take: nothing sleeps beyond the pulse on PWRKEY,
every other wait ends as soon as the modem says something.
"""

from modem import replies
from modem.errors import CommandError, ModemHung, ModemRestarted, NotRegistered, SimError

SIM_TIMEOUT_MS = 20_000
SIM_POLL_MS = 1_000
NETWORK_TIMEOUT_MS = 180_000  # the applet of a multi-IMSI SIM needs 3 minutes with power
NETWORK_POLL_MS = 2_000  # beside the URCs
LOCK_PATIENCE_MS = 60_000  # how long a saved choice of network may fail before it is taken back
OTHER_BAUD_TIMEOUT_MS = 2_000

HOME, ROAMING = 1, 5  # +CGREG <stat>; both are good
_AUTOMATIC, _MANUAL, _DEREGISTERED = 0, 1, 2  # +COPS <mode>
_CONTEXT_OPEN = ("IP STATUS", "IP PROCESSING")
_WANTS_A_PERSON = ("SIM PIN", "SIM PUK", "PH_SIM PIN", "PH_SIM PUK", "SIM PIN2", "SIM PUK2")


def power_on(modem, power):
    """From no supply to a modem that answers. `power` has supply(on) and key(pressed). Raises ModemHung.

    PWRKEY toggles, so the modem must be off: else use `power_cycle`.
    """
    power.supply(True)
    modem.clock.sleep_ms(modem.family.SUPPLY_SETTLE_MS)
    power.key(True)
    modem.clock.sleep_ms(modem.family.PWRKEY_MS)
    power.key(False)
    synchronise(modem)


def power_cycle(modem, power):
    """Cut the supply for as long as the modem needs to be surely off, and power on. Cures every hang."""
    power.key(False)
    power.supply(False)
    modem.clock.sleep_ms(modem.family.SUPPLY_OFF_MS)
    power_on(modem, power)


def answers(modem) -> bool:
    """Whether the modem is on and awake, now."""
    try:
        modem.resync(modem.family.BOOT_PROBE_MS)
        return True
    except (ModemHung, ModemRestarted):
        return False


def synchronise(modem):
    """Wait until the modem answers, at whatever speed it was left. Raises ModemHung."""
    if _answers_within(modem, modem.family.BOOT_TIMEOUT_MS):
        return
    for baud in modem.family.OTHER_BAUDS:
        modem.port.set_baud(baud)
        if _answers_within(modem, OTHER_BAUD_TIMEOUT_MS):
            modem.command("AT+IPR=%d" % modem.family.BAUD)
            modem.port.set_baud(modem.family.BAUD)
            modem.resync()
            return
    modem.port.set_baud(modem.family.BAUD)
    raise ModemHung("no answer at any speed")


def _answers_within(modem, timeout_ms: int) -> bool:
    deadline_ms = modem.clock.now_ms() + timeout_ms
    while not answers(modem):
        if modem.clock.now_ms() >= deadline_ms:
            return False
    return True


def configure(modem):
    """Set what we rely on, and undo what a crash may have saved: flight mode, and the speed that hides a restart."""
    modem.ensure("ATE0")
    modem.ensure("AT+CMEE=1")
    if modem.query("AT+CFUN?", replies.setting) != 1:
        modem.ensure("AT+CFUN=1")
    modem.ensure("AT+CGREG=2")
    if not modem.query("AT+CLTS?", replies.setting):
        modem.ensure("AT+CLTS=1")  # the network's time; takes effect at the next registration, so it is saved
        modem.ensure("AT&W")
    if modem.query("AT+IPR?", replies.setting) == 0:
        modem.command("AT+IPR=%d" % modem.family.BAUD)  # at automatic speed the modem never says RDY
        modem.ensure("AT&W")


def wait_for_sim(modem, timeout_ms: int = SIM_TIMEOUT_MS):
    """Wait until the SIM is ready. Raises SimError; at once where only a person can help. Never enters a PIN."""
    deadline_ms = modem.clock.now_ms() + timeout_ms
    while True:
        try:
            state = modem.query("AT+CPIN?", replies.sim_state)
        except CommandError as error:  # busy, or not yet found
            state = error.name or error.final
        if state == "READY":
            return
        left_ms = deadline_ms - modem.clock.now_ms()
        if left_ms <= 0 or state in _WANTS_A_PERSON:
            raise SimError(state)
        modem.wait(min(left_ms, SIM_POLL_MS))


def wait_for_network(modem, timeout_ms: int = NETWORK_TIMEOUT_MS):
    """Wait for the packet service; return the registration. Raises NotRegistered.

    A network that was chosen by hand and is gone would keep the unit silent for ever, since the modem saves the choice:
    it is taken back after LOCK_PATIENCE_MS. So is a saved wish not to register at all, at once.
    """
    since_ms = modem.clock.now_ms()
    mode = modem.query("AT+COPS?", replies.operator).mode
    if mode == _DEREGISTERED:
        mode = _choose_automatically(modem)
    while True:
        registration = modem.registration()
        if registration.stat in (HOME, ROAMING):
            return registration
        waited_ms = modem.clock.now_ms() - since_ms
        if waited_ms >= timeout_ms:
            raise NotRegistered(registration.stat)
        if mode == _MANUAL and waited_ms >= LOCK_PATIENCE_MS:
            mode = _choose_automatically(modem)
        modem.wait(min(timeout_ms - waited_ms, NETWORK_POLL_MS))


def _choose_automatically(modem) -> int:
    try:
        modem.command("AT+COPS=0")
    except CommandError:
        pass  # no network just now; the modem has saved the mode and goes on looking
    return _AUTOMATIC


def open_pdp_context(modem, apn: str, user: str = "", password: str = "") -> str:
    """Open the data service, or keep it if it is open; return our address in it. Raises CommandError.

    Leaves the modem with six connections (CIPMUX), quick send (CIPQSEND) and manual reception (CIPRXGET), which is what
    stream.py builds on. CIPSHUT only where there is something to shut: needless cycles upset networks and multi-IMSI SIMs.
    """
    for value in (apn, user, password):
        if '"' in value or len(value) > 50:  # manual p.218
            raise ValueError("APN, user and password: 50 characters each, no quotes")
    many_links = modem.query("AT+CIPMUX?", replies.setting) == 1
    state, _ = replies.cipstatus(modem.command("AT+CIPSTATUS", expect=modem.family.LAST_LINK if many_links else None))
    if many_links and state in _CONTEXT_OPEN:
        return modem.command("AT+CIFSR")
    if state != "IP INITIAL":
        modem.ensure("AT+CIPSHUT")
    if not modem.query("AT+CGATT?", replies.setting):
        modem.command("AT+CGATT=1")
    modem.ensure("AT+CIPMUX=1")
    modem.ensure("AT+CIPQSEND=1")
    modem.ensure("AT+CIPRXGET=1")
    modem.command('AT+CSTT="%s","%s","%s"' % (apn, user, password))
    modem.command("AT+CIICR")
    return modem.command("AT+CIFSR")
