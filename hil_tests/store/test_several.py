"""Do several processes on one PostgreSQL send each alert exactly once, whichever of them is killed?"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.fixtures.cloud_fixture import MOSQUITTO
from hil_tests.fixtures.mail_server import mail_server
from hil_tests.fixtures.postgresql import Server
from hil_tests.store.several import LETTER_TAKES_S, Several, units_for

ROUNDS = 3
FAULTS = 6
SEED = 20


@pytest.fixture
def several(tmp_path: Path, server: Server) -> Iterator[Several]:
    with mail_server(LETTER_TAKES_S) as mail:
        several = Several(tmp_path, server, mail, units_for(ROUNDS + 3, FAULTS))
        try:
            yield several
        finally:
            several.close()


@pytest.mark.timeout(900)
@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
def test_no_alert_is_lost_or_doubled_whatever_happens_to_a_process(several: Several) -> None:
    chance = random.Random(SEED)
    for _ in range(ROUNDS):
        several.raise_faults(FAULTS, chance)
        several.kill(chance.choice(several.names()))
    for trouble in (several.kill, several.cut):  # done to the leader
        several.raise_faults(FAULTS, chance)
        leader = several.leader()
        assert leader is not None
        trouble(leader)
    leader = several.leader()
    assert leader is not None
    go_on = several.freeze(leader)
    several.raise_faults(FAULTS, chance)
    go_on()
    found = several.found()
    assert found.is_good(), found
    assert found.told == (ROUNDS + 3) * FAULTS
