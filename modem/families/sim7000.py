"""SIM7000 class (SIM7000E/G, SIM7070, SIM7080): LTE-M, NB-IoT and 2G. Tables only. UNVERIFIED ON HARDWARE.

Source: SIM7000 Series AT Command Manual V1.04. The CIP commands are those of the SIM800. Differences: EPS registration, scans
of all bands take minutes, no scan with the signal of all operators' cells, other power timings.
"""

from modem.families import sim800

if False:  # for mypy alone
    from modem.contracts import CommandRow

NAME = "SIM7000"

DEFAULT_TIMEOUT_MS = sim800.DEFAULT_TIMEOUT_MS

# As in sim800.py; the longest matching prefix applies, the first of two that are equal.
COMMANDS: "tuple[CommandRow, ...]" = (
    ("+COPS=?", 300_000, ("+COPS:", "("), (), None),  # manual: 45 s; minutes with all LTE-M and NB-IoT bands
    ("+CPSI?", 3_000, ("+CPSI:",), (), None),  # technology, state, PLMN, cell, signal of the serving cell
    ("+CNMP=", 10_000, (), (), None),  # preferred technology: 2 automatic, 13 GSM, 38 LTE
    ("+CMNB=", 10_000, (), (), None),  # 1 LTE-M, 2 NB-IoT, 3 both
    ("+CPOWD=", 5_000, (), ("NORMAL POWER DOWN",), None),
) + sim800.COMMANDS

LAST_LINK = "C: 7"  # eight links

URCS = sim800.URCS | frozenset(("+CEREG", "+CPSMSTATUS", "SMS Ready", "APP PDP"))
LINK_URCS = sim800.LINK_URCS

BOOTED = "RDY"
VOLTAGE_URCS = sim800.VOLTAGE_URCS
FAILURES = sim800.FAILURES

RESYNC = sim800.RESYNC
RESYNC_TIMEOUT_MS = sim800.RESYNC_TIMEOUT_MS

BAUD = 115_200
OTHER_BAUDS = sim800.OTHER_BAUDS

# Hardware Design V1.05: PWRKEY low for 1 s switches on (SIM7070: 1 s), 1.2 s off; UART ready after 4.5 s.
SUPPLY_SETTLE_MS = 100
PWRKEY_MS = 1_100
SUPPLY_OFF_MS = 2_000
BOOT_TIMEOUT_MS = 15_000
BOOT_PROBE_MS = 300

SEND_MAX_BYTES = 1_400
RECEIVE_MAX_BYTES = 1_460
LINKS = 8

CHARSET = "IRA"

MEASURES_ALL_CELLS = False
SCAN_S = (120, 300)
