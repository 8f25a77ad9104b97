"""What differs between the modems that this simulator can be: names, links, and which commands there are.

SIM800L from its AT Command Manual V1.12; SIM7000E from the SIM7000 Series AT Command Manual V1.04.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Personality:
    """One kind of modem."""

    model: str
    revision: str
    identity: str  # ATI
    links: int
    measures_all_cells: bool  # AT+CNETSCAN
    lte: bool  # +CEREG, and the access technology in +COPS


SIM800L = Personality("SIMCOM_SIM800L", "Revision:1418B05SIM800L24", "SIM800 R14.18", 6, True, False)
SIM7000E = Personality("SIMCOM_SIM7000E", "Revision:1351B04SIM7000E", "SIM7000E R1351", 8, False, True)

BY_NAME = {"SIM800L": SIM800L, "SIM7000E": SIM7000E}
