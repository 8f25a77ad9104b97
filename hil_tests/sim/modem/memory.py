"""The settings that the modem stores without power. They often surprise a client at its next start."""

from dataclasses import dataclass

from hil_tests.sim.modem.registration import AUTOMATIC

FULL, MINIMUM, FLIGHT = 1, 0, 4  # AT+CFUN
NO_ERRORS, NUMERIC = 0, 1  # AT+CMEE


@dataclass
class Memory:
    """The stored settings: AT+COPS and AT+CFUN (except 0) are stored at once; AT+CMEE, ATE and AT+CLTS only by AT&W."""

    baud: int = 115_200  # AT+IPR; 0 is the factory setting: automatic rate, without RDY
    function: int = FULL
    cops_mode: int = AUTOMATIC
    cops_plmn: str | None = None
    echo: bool = True
    errors: int = NO_ERRORS
    network_time: bool = False
