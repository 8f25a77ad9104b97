"""Does a simulated unit back off as the firmware does?"""

from random import Random

import pytest

from firmware.link import backoff as firmware
from hil_tests.fleet.backoff import wait_s


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("failures", [1, 2, 3, 4, 5, 10, 11, 50])
def test_the_delay_is_drawn_as_the_firmware_draws_it(failures: int, refused: bool) -> None:
    for seed in range(20):
        assert (
            wait_s(failures, refused, Random(seed)) == firmware.again_ms(failures, refused, Random(seed).randint) / 1000
        )
