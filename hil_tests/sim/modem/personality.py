"""The differences between the modems that this simulator can be: names, links, boot messages, clock, commands.

SIM800L from its AT Command Manual V1.12; SIM7000E from the SIM7000 Series AT Command Manual V1.04; SIM7080G from the
SIM7070_SIM7080_SIM7090 Series AT Command Manual V1.05 and SIM7080 Hardware Design V1.04; SIM7600E from the
SIM7500_SIM7600 Series AT Command Manual V3.00 and Hardware Design V1.03; A7670E from the A76XX Series AT Command Manual
V1.09 and TCPIP Application Note V1.00; EC21 from the EC25&EC21 AT Commands Manual V1.3, EC2x&EG9x TCP(IP) Application
Note V1.0 and EC21 Hardware Design V1.4; BG95 from the BG95&BG77&BG600L TCP/IP Application Note V1.2 and BG95 Hardware
Design V1.3; M95 from the M95 AT Commands Manual V3.2 and GSM TCPIP Recommended Process V1.2.

`tcp` selects the TCP commands, as a key of simcom.STACKS. A value that a file does not know for certain is in a
constant of that file, marked as unverified.
"""

from dataclasses import dataclass, field
from datetime import datetime

from hil_tests.sim.modem.radio import Latencies, Span

CIP, NETOPEN, CAOPEN, QIOPEN, QIREGAPP = "AT+CIPxxx", "AT+NETOPEN", "AT+CAOPEN", "AT+QIOPEN", "AT+QIREGAPP"
SIMCOM_2G_ONLY = frozenset({"+SAPBR", "+CLTS", "+CBATCHK", "+CIURC", "+CBAND", "+CPOWD", "+CCID", "+CSMINS"})
QUECTEL_LACKS = SIMCOM_2G_ONLY | {"+CSCLK", "+SPIC"}

# From PWRKEY to "UART active": typical values of each hardware design guide.
SIM7080_BOOT = Span(1_800, 2_200)
SIM7600_BOOT = Span(11_000, 12_000)
A7670_BOOT = Span(7_000, 8_000)
EC21_BOOT = Span(10_000, 12_000)
BG95_BOOT = Span(2_100, 2_500)
M95_BOOT = Span(3_000, 4_000)


@dataclass(frozen=True)
class Personality:
    """One kind of modem. In the boot messages, `{function}` and `{sim}` stand for AT+CFUN? and AT+CPIN?."""

    model: str
    revision: str
    identity: str  # ATI
    links: int
    measures_all_cells: bool  # AT+CNETSCAN
    lte: bool  # +CEREG, and the access technology in +COPS
    maker: str = "SIMCOM_Ltd"
    tcp: str = CIP
    connect: str = "CONNECT"  # answer to ATD*99#
    lte_names: tuple[str, str] = ("LTE", "FDD LTE")  # in +QCSQ and +QNWINFO
    absent: frozenset[str] = frozenset()  # commands that related modems have and this one lacks
    boot_urcs: tuple[str, ...] = ("RDY", "+CFUN: {function}")  # not at an automatic baud rate
    sim_urcs: tuple[str, ...] = ("+CPIN: {sim}",)  # not at an automatic baud rate
    ready_urcs: tuple[str, ...] = ("Call Ready", "SMS Ready")
    key_on_s: float = 1.0  # the shortest PWRKEY pulse that switches the module on
    key_off_s: float = 1.0  # the shortest PWRKEY pulse that switches it off
    clock_start: datetime = datetime(2004, 1, 1)  # AT+CCLK? until a network has sent the time
    clock_counts: bool = False  # whether it runs from `clock_start` since power-on
    clock_start_has_zone: bool = True
    latencies: Latencies = field(default_factory=Latencies)


SIM800L = Personality("SIMCOM_SIM800L", "Revision:1418B05SIM800L24", "SIM800 R14.18", 6, True, False)
SIM7000E = Personality("SIMCOM_SIM7000E", "Revision:1351B04SIM7000E", "SIM7000E R1351", 8, False, True)
SIM7080G = Personality(
    "SIMCOM_SIM7080",
    "Revision:1951B16SIM7080",
    "SIM7080 R1951",
    13,
    False,
    True,
    tcp=CAOPEN,
    connect="CONNECT 150000000",
    absent=frozenset({"+SAPBR"}),
    ready_urcs=("SMS Ready",),
    key_off_s=1.2,
    clock_start=datetime(1980, 1, 6),
    clock_counts=True,
    latencies=Latencies(boot=SIM7080_BOOT),
)
SIM7600E = Personality(
    "SIMCOM_SIM7600E-H",
    "+CGMR: LE20B03SIM7600M22",
    "Manufacturer: SIMCOM INCORPORATED\r\nModel: SIMCOM_SIM7600E-H\r\nRevision: SIM7600M22_V2.0\r\n"
    "IMEI: 867856030000017\r\n+GCAP: +CGSM",
    10,
    False,
    True,
    maker="SIMCOM INCORPORATED",
    tcp=NETOPEN,
    connect="CONNECT 115200",
    absent=SIMCOM_2G_ONLY,
    boot_urcs=("RDY",),
    ready_urcs=("SMS DONE", "PB DONE"),
    key_on_s=0.1,
    key_off_s=2.5,
    clock_start=datetime(1980, 1, 6),
    clock_counts=True,
    clock_start_has_zone=False,  # captured from LE20B03SIM7600M22: "80/01/06,07:09:04"
    latencies=Latencies(boot=SIM7600_BOOT),
)
A7670E = Personality(
    "A7670E-FASE",
    "+CGMR: A110B01A7670M7_F",
    "Manufacturer: SIMCOM INCORPORATED\r\nModel: A7670E-FASE\r\nRevision: A7670M7_V1.11.1\r\nIMEI: 867856030000017\r\n"
    "+GCAP: +CGSM,+FCLASS,+DS",
    10,
    False,
    True,
    maker="SIMCOM INCORPORATED",
    tcp=NETOPEN,
    connect="CONNECT 115200",
    absent=SIMCOM_2G_ONLY,
    boot_urcs=("*ATREADY: 1",),
    ready_urcs=("SMS DONE", "PB DONE"),
    key_on_s=0.05,
    key_off_s=2.5,
    clock_start=datetime(1970, 1, 1),  # captured: "70/01/01,00:05:23+00"
    clock_counts=True,
    latencies=Latencies(boot=A7670_BOOT),
)
EC21 = Personality(
    "EC21",
    "EC21EFAR06A03M4G",
    "Quectel\r\nEC21\r\nRevision: EC21EFAR06A03M4G",
    12,
    False,
    True,
    maker="Quectel",
    tcp=QIOPEN,
    connect="CONNECT 150000000",
    absent=QUECTEL_LACKS,
    boot_urcs=("RDY",),
    sim_urcs=("+CPIN: {sim}", "+QUSIM: 1", "+CFUN: {function}"),
    ready_urcs=("+QIND: SMS DONE", "+QIND: PB DONE"),
    key_on_s=0.5,
    key_off_s=0.65,
    clock_start=datetime(1980, 1, 6),
    clock_counts=True,
    latencies=Latencies(boot=EC21_BOOT),
)
BG95 = Personality(
    "BG95-M3",
    "BG95M3LAR02A03",
    "Quectel\r\nBG95-M3\r\nRevision: BG95M3LAR02A03",
    12,
    False,
    True,
    maker="Quectel",
    tcp=QIOPEN,
    connect="CONNECT 150000000",
    lte_names=("eMTC", "eMTC"),
    absent=QUECTEL_LACKS,
    boot_urcs=("RDY", "APP RDY"),
    sim_urcs=("+CPIN: {sim}", "+QUSIM: 1", "+CFUN: {function}"),
    ready_urcs=("+QIND: SMS DONE",),
    key_on_s=0.5,
    key_off_s=0.65,
    clock_start=datetime(1980, 1, 6),
    clock_counts=True,
    latencies=Latencies(boot=BG95_BOOT),
)
M95 = Personality(
    "Quectel_M95",
    "Revision: M95FAR02A08",
    "Quectel_Ltd\r\nQuectel_M95\r\nRevision: M95FAR02A08",
    6,
    False,
    False,
    maker="Quectel_Ltd",
    tcp=QIREGAPP,
    absent=QUECTEL_LACKS,
    key_on_s=1.0,
    key_off_s=0.6,
    latencies=Latencies(boot=M95_BOOT),
)
BY_NAME = {
    "SIM800L": SIM800L,
    "SIM7000E": SIM7000E,
    "SIM7080G": SIM7080G,
    "SIM7600E": SIM7600E,
    "A7670E": A7670E,
    "EC21": EC21,
    "BG95": BG95,
    "M95": M95,
}
