"""Is the watchdog fed exactly as long as everything that must live does?"""

from firmware.supervisor import FEED_MS, LINK_MS, Supervisor
from tests.firmware.link.fake_clock import FakeClock


class Unit:
    """Of board, exchange and uplink, what the supervisor looks at."""

    def __init__(self):
        self.fed = self.steps = self.turns = 0
        self.contactor = False
        self.report = self
        self.clock = FakeClock()
        self.supervisor = Supervisor(self, self, self, self.clock)

    def feed(self):
        self.fed += 1

    def live(self, ms, control=True, link=True):
        """How often it was fed meanwhile."""
        before = self.fed
        for _ in range(ms // FEED_MS):
            self.clock.now += FEED_MS
            self.steps += control
            self.turns += link
            self.supervisor.poll()
        return self.fed - before


def test_it_is_fed_once_a_second_while_all_is_well():
    assert Unit().live(10000) == 10


def test_a_control_loop_that_stands_still_is_not_fed_for():
    assert Unit().live(10000, control=False) == 0


def test_a_link_that_turns_no_more_is_waited_for_and_then_not_fed_for():
    unit = Unit()
    unit.live(1000)
    assert unit.live(LINK_MS - 1000, link=False) == LINK_MS // 1000 - 1
    assert unit.live(10000, link=False) == 0
    assert unit.live(10000) == 10


def test_a_charge_is_not_ended_because_of_the_link():
    unit = Unit()
    unit.contactor = True
    assert unit.live(2 * LINK_MS, link=False) == 2 * LINK_MS // 1000
    unit.contactor = False
    assert unit.live(10000, link=False) == 0
