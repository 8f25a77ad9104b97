"""What the modem keeps without power, which is where most surprises come from."""

from dataclasses import dataclass

from hil_tests.sim.modem.registration import AUTOMATIC

FULL, MINIMUM, FLIGHT = 1, 0, 4  # AT+CFUN
NO_ERRORS, NUMERIC = 0, 1  # AT+CMEE


@dataclass
class Memory:
    """AT+COPS and AT+CFUN (but not 0) save themselves, AT+CMEE, ATE and AT+CLTS only with AT&W."""

    baud: int = 115_200  # AT+IPR; 0 is the factory's automatic rate, which has no RDY
    function: int = FULL
    cops_mode: int = AUTOMATIC
    cops_plmn: str | None = None
    echo: bool = True
    errors: int = NO_ERRORS
    network_time: bool = False
