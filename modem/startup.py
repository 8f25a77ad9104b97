"""From power-on to an open PDP context, one function per step. Each step is idempotent: it checks the state first.

The steps, in order: power_on or power_cycle (or synchronise, if the modem is on), configure, wait_for_sim, wait_for_network,
open_pdp_context. Apart from the pulse on PWRKEY there are no fixed delays: each wait ends when the modem sends a line.

The commands are those of 3GPP TS 27.007 and ITU-T V.250; the driver of the modem's family (modem/families) adds its own.
"""

from modem import replies
from modem.errors import CommandError, ModemHung, ModemRestarted, NotRegistered, SimError
from modem.families import driver

if False:  # for mypy alone
    from modem.client import Modem
    from modem.contracts import Power, Setup

BAUD = 115_200  # supported by every family, as its factory setting or by automatic detection
OTHER_BAUDS = (9_600, 57_600, 19_200)  # other settings of used modems
SUPPLY_OFF_MS = 2_000  # off to on, without the STATUS output of a SIM800: the longest that any family requires
SUPPLY_SETTLE_MS = 100  # from the supply to PWRKEY
BOOT_PROBE_MS = 300  # from one "AT" to the next while a modem boots
SIM_TIMEOUT_MS = 20_000
SIM_POLL_MS = 1_000
NETWORK_TIMEOUT_MS = 180_000  # the applet of a multi-IMSI SIM takes up to 3 minutes after power-on
NETWORK_POLL_MS = 2_000  # in addition to the URCs
MANUAL_SELECTION_MS = 60_000  # manual network selection is cancelled if registration takes longer
OTHER_BAUD_TIMEOUT_MS = 2_000
MODEL_CHARS = 40

_AUTOMATIC, _MANUAL, _DEREGISTERED = 0, 1, 2  # +COPS <mode>
_WANTS_A_PERSON = ("SIM PIN", "SIM PUK", "PH_SIM PIN", "PH_SIM PUK", "SIM PIN2", "SIM PUK2")


def power_on(modem: "Modem", power: "Power") -> None:
    """Switch the supply on, pulse PWRKEY and wait until the modem answers. Raises the errors of `synchronise`.

    PWRKEY toggles the modem, so it must be off; otherwise use `power_cycle`.
    """
    power.supply(True)
    modem.clock.sleep_ms(SUPPLY_SETTLE_MS)
    power.key(True)
    modem.clock.sleep_ms(modem.family.PWRKEY_MS)
    power.key(False)
    synchronise(modem)


def power_cycle(modem: "Modem", power: "Power") -> None:
    """Switch the supply off for SUPPLY_OFF_MS, then call `power_on`. Raises the errors of `power_on`."""
    power.key(False)
    power.supply(False)
    modem.clock.sleep_ms(SUPPLY_OFF_MS)
    power_on(modem, power)


def setup(modem: "Modem") -> "Setup":
    """Import and return the Setup module of the modem's family: the hooks that are needed only briefly."""
    hooks: Setup = driver.load(modem.family.NAME + "_setup")
    return hooks


def answers(modem: "Modem") -> bool:
    """Return whether the modem answers a resynchronisation with BOOT_PROBE_MS per query. Raises OSError from the port."""
    try:
        modem.resync(BOOT_PROBE_MS)
        return True
    except (ModemHung, ModemRestarted):
        return False


def synchronise(modem: "Modem") -> None:
    """Wait until the modem answers, at any of the baud rates, and set BAUD. Raises ModemError, mostly ModemHung; OSError."""
    if _answers_within(modem, modem.family.BOOT_TIMEOUT_MS):
        return
    for baud in OTHER_BAUDS:
        modem.port.set_baud(baud)
        if _answers_within(modem, OTHER_BAUD_TIMEOUT_MS):
            modem.command("AT+IPR=%d" % BAUD)
            modem.port.set_baud(BAUD)
            modem.resync()
            return
    modem.port.set_baud(BAUD)
    raise ModemHung("no answer at any speed")


def _answers_within(modem: "Modem", timeout_ms: int) -> bool:
    deadline_ms = modem.clock.now_ms() + timeout_ms
    while not answers(modem):
        if modem.clock.now_ms() >= deadline_ms:
            return False
    return True


def configure(modem: "Modem") -> None:
    """Set the modem's parameters, and revert saved ones that a crash may have left: flight mode, automatic baud rate.

    First queries the model. If the family is not known yet, the modem gets the driver for that model. Raises ModemError;
    OSError from the port.
    """
    if modem.family is driver.FAMILY:
        from modem.families import registry

        modem.model = (registry.identify(modem) or "")[:MODEL_CHARS] or None
    elif modem.model is None:
        try:
            modem.model = modem.query("AT+CGMM", str).split("\n")[0].strip()[:MODEL_CHARS]
        except CommandError:
            pass  # the model is not needed: the board names the family
    modem.ensure("ATE0")
    modem.ensure("AT+CMEE=1")
    if modem.query("AT+CFUN?", replies.setting) != 1:
        modem.ensure("AT+CFUN=1")
    for question in modem.family.REGISTRATION:
        modem.ensure(question[:-1] + "=2")
    setup(modem).configure(modem)
    if modem.query("AT+IPR?", replies.setting) == 0:
        modem.command("AT+IPR=%d" % BAUD)  # with automatic baud rate the modem does not send RDY
        modem.ensure("AT&W")
    modem.needs_setup = False


def wait_for_sim(modem: "Modem", timeout_ms: int = SIM_TIMEOUT_MS) -> None:
    """Wait until the SIM is ready. Does not enter a PIN. Raises SimError after `timeout_ms`, or at once if a PIN is needed."""
    deadline_ms = modem.clock.now_ms() + timeout_ms
    while True:
        try:
            state = modem.query("AT+CPIN?", replies.sim_state)
        except CommandError as error:  # SIM busy, or not yet detected
            state = error.name or error.final
        if state == "READY":
            return
        left_ms = deadline_ms - modem.clock.now_ms()
        if left_ms <= 0 or state in _WANTS_A_PERSON:
            raise SimError(state)
        modem.wait(min(left_ms, SIM_POLL_MS))


def wait_for_network(modem: "Modem", timeout_ms: int = NETWORK_TIMEOUT_MS) -> replies.Registration:
    """Wait for GPRS registration and return it. Raises NotRegistered after `timeout_ms`.

    The modem saves a manual selection, so a network that no longer exists would block registration permanently: automatic
    selection is set after MANUAL_SELECTION_MS, and at once if the saved mode is "deregistered".
    """
    since_ms = modem.clock.now_ms()
    mode = modem.query("AT+COPS?", replies.operator).mode
    if mode == _DEREGISTERED:
        _choose_automatically(modem)
    while True:
        registration = modem.registration()
        if registration.stat in replies.REGISTERED:
            return registration
        waited_ms = modem.clock.now_ms() - since_ms
        if waited_ms >= timeout_ms:
            raise NotRegistered(registration.stat)
        if mode == _MANUAL and waited_ms >= MANUAL_SELECTION_MS:
            _choose_automatically(modem)
            mode = _AUTOMATIC
        modem.wait(min(timeout_ms - waited_ms, NETWORK_POLL_MS))


def _choose_automatically(modem: "Modem") -> None:
    try:
        modem.command("AT+COPS=0")
    except CommandError:
        pass  # no network at present; the mode is saved and the search continues


def open_pdp_context(modem: "Modem", apn: str, user: str = "", password: str = "") -> str:
    """Open the PDP context that stream.py requires, or keep it if it is open. Return the local IP address.

    Raises ValueError for an APN, user or password that cannot be sent; ModemError; OSError from the port.
    """
    for value in (apn, user, password):
        if '"' in value or len(value) > 50:  # the shortest limit of all families (SIM800)
            raise ValueError("APN, user and password: 50 characters each, no quotes")
    return setup(modem).open_context(modem, apn, user, password)
