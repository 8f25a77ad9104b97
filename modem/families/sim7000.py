"""SIM7000 class (SIM7000E/G): LTE-M, NB-IoT and 2G. UNPROVEN ON HARDWARE. SIM7070 and SIM7080: see sim7080.py.

Source: SIM7000 Series AT Command Manual V1.04. The CIP commands are those of the SIM800. The differences are EPS registration,
scans of all bands that take minutes and report no signal, and other power timings.
"""

from modem.families.sim800 import Sim800

if False:  # for mypy alone
    from modem.contracts import CommandRow


class Sim7000(Sim800):
    """The differences from the SIM800."""

    NAME = "sim7000"

    COMMANDS: "tuple[CommandRow, ...]" = (
        ("+COPS=?", 300_000, ("+COPS:", "("), (), None),  # manual: 45 s; minutes with all LTE-M and NB-IoT bands
        ("+CPSI?", 3_000, ("+CPSI:",), (), None),  # technology, state, PLMN, cell, signal of the serving cell
        ("+CNMP=", 10_000, (), (), None),  # preferred technology: 2 automatic, 13 GSM, 38 LTE
        ("+CMNB=", 10_000, (), (), None),  # 1 LTE-M, 2 NB-IoT, 3 both
    ) + Sim800.COMMANDS

    LAST_LINK = "C: 7"  # eight links

    URCS: "tuple[str, ...]" = Sim800.URCS + ("+CEREG", "+CPSMSTATUS", "APP PDP")

    REGISTRATION: "tuple[str, ...]" = ("AT+CEREG?", "AT+CGREG?")

    # Power: Hardware Design V1.05. PWRKEY low for 1 s switches on, 1.2 s off; UART ready after 4.5 s.
    BOOT_TIMEOUT_MS = 15_000


FAMILY = Sim7000()
