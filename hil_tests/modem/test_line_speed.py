"""Is a modem that was left at another speed found, and set back to the usual speed permanently?"""

import time
from pathlib import Path

import pytest

from hil_tests.modem.conftest import SimulatedModem
from modem import startup
from modem.client import Modem
from modem.errors import ModemHung
from modem.families import sim800
from modem.ports.pyserial_port import Port


class Impatient(sim800.Sim800):
    BOOT_TIMEOUT_MS = 1000  # the modem has booted already


class Clock:
    def now_ms(self) -> int:
        return int(time.monotonic() * 1000)

    def sleep_ms(self, ms: int) -> None:
        time.sleep(ms / 1000)


def client(link: Path) -> Modem:
    return Modem(Port(str(link)), Clock(), Impatient())


@pytest.mark.parametrize("baud", [9600, 19_200, 0])
def test_is_it_found_at_whatever_speed(modem: SimulatedModem, baud: int) -> None:
    link = modem(saved={"baud": baud})
    first = client(link)
    startup.synchronise(first)
    startup.configure(first)
    assert first.signal_quality() == 22
    first.port.close()

    later = client(link)
    assert startup.answers(later), "it did not stay at our speed"
    assert later.command("AT+IPR?") == "+IPR: 115200"
    later.port.close()


def test_is_a_speed_that_nobody_tries_an_error(modem: SimulatedModem) -> None:
    lost = client(modem(saved={"baud": 1200}))
    with pytest.raises(ModemHung, match="no answer at any speed"):
        startup.synchronise(lost)
    lost.port.close()
