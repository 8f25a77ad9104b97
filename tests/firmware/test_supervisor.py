"""Is the watchdog fed exactly while everything that must be alive is alive?"""

from firmware.supervisor import FEED_MS, LINK_FEEDS, MAIN_FEEDS, Supervisor

MAIN_MS, LINK_MS = MAIN_FEEDS * FEED_MS, LINK_FEEDS * FEED_MS


class Unit:
    """The fields of board and exchange that the supervisor reads."""

    def __init__(self):
        self.fed = self.pauses = self.turns = self.now_ms = 0
        self.contactor = False
        self.report = self
        self.supervisor = Supervisor(self, self)

    def feed(self):
        self.fed += 1

    def live(self, ms, main=True, link=True):
        """Step the control loop; return how often the watchdog was fed."""
        before = self.fed
        for _ in range(ms // FEED_MS):
            self.now_ms += FEED_MS
            self.pauses += main
            self.turns += link
            for _ in range(3):
                self.supervisor.step(self.now_ms)
        return self.fed - before


def test_it_is_fed_once_a_second_while_all_is_well():
    assert Unit().live(10000) == 10


def test_a_start_that_takes_longer_than_the_watchdog_is_fed_for():
    assert Unit().live(60000, main=False, link=False) == 60


def test_a_main_thread_that_hangs_is_waited_for_and_then_not_fed_for():
    unit = Unit()
    unit.live(1000)
    assert unit.live(MAIN_MS - 1000, main=False, link=False) == MAIN_MS // 1000 - 1
    assert unit.live(10000, main=False, link=False) == 0
    assert unit.live(10000) == 10


def test_a_link_that_turns_no_more_is_waited_for_and_then_not_fed_for():
    unit = Unit()
    unit.live(1000)
    assert unit.live(LINK_MS - 1000, link=False) == LINK_MS // 1000 - 1
    assert unit.live(10000, link=False) == 0
    assert unit.live(10000) == 10


def test_a_charge_is_not_ended_because_of_the_link_or_the_main_thread():
    unit = Unit()
    unit.contactor = True
    assert unit.live(2 * LINK_MS, main=False, link=False) == 2 * LINK_MS // 1000
    unit.contactor = False
    assert unit.live(10000, main=False, link=False) == 0
