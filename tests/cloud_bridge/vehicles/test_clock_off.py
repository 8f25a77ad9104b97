"""Does a clock that jumps by ten minutes, either way, cause no half-linked car and no false error?

If the wall clock is years ahead of verified time, which has not jumped, does it end nothing that a driver has begun?
"""

from dataclasses import replace

import pytest

from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.exclusive_lock import exclusive_lock
from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.vehicles.linking.link_errors import LinkRefused, Refusal
from cloud_bridge.vehicles.linking.oauth_callback import finish
from cloud_bridge.vehicles.linking.vehicle_selection import choose
from cloud_bridge.vehicles.polling.poll import poll
from cloud_bridge.vehicles.polling.poller import begin_due_polls, poll_due
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.verified_time import Clocks, VerifiedTime
from tests.cloud_bridge.running import HandClock
from tests.cloud_bridge.vehicles.acting import BLUE, LIFE_MS, RED, Scene

JUMP_MS = 10 * 60_000
AHEAD_OR_BACK = pytest.mark.parametrize("jump_ms", [JUMP_MS, -JUMP_MS], ids=["ahead", "back"])


def test_a_jump_ahead_while_the_driver_is_away_links_nothing(play: Scene) -> None:
    state = play.begin()
    play.clock.advance(JUMP_MS)
    with pytest.raises(LinkRefused) as caught:
        finish(play.accounts, 1, "s", "maker", {"state": state, "code": "c"})
    assert (caught.value.refusal, play.vehicles()) == (Refusal.NOT_OURS, [])
    assert play.link().link.state is State.LINKED, "and a second attempt works"


def test_a_jump_ahead_leaves_a_link_as_it_was_before_the_attempt(play: Scene) -> None:
    vehicle = play.link()
    play.maker.end_grant(1)
    lost = poll(play.accounts, vehicle, eager=True)
    state = play.begin(lost)
    play.clock.advance(JUMP_MS)
    with pytest.raises(LinkRefused):
        finish(play.accounts, 1, "s", "maker", {"state": state, "code": "c"})
    with play.accounts.database.writing() as connection:
        repository.lapse_requests(connection, play.clock.now_ms())
    assert play.vehicle().link == lost.link


def test_a_jump_back_while_the_driver_is_away_links_the_car(play: Scene) -> None:
    state = play.begin()
    play.clock.advance(-JUMP_MS)
    linked = play.come_back(state).vehicles[0]
    assert poll(play.accounts, linked).link.state is State.LINKED
    with pytest.raises(LinkRefused):
        finish(play.accounts, 1, "s", "maker", {"state": state, "code": "c"})


@AHEAD_OR_BACK
@pytest.mark.parametrize("eager", [False, True])
def test_a_jump_with_tokens_in_hand_is_not_seen(play: Scene, jump_ms: int, eager: bool) -> None:
    vehicle = poll(play.accounts, play.link())
    play.clock.advance(jump_ms)
    after = poll(play.accounts, vehicle, eager)
    assert (after.link.state, after.link.reason) == (State.LINKED, None)


@AHEAD_OR_BACK
def test_a_jump_about_the_time_of_a_refresh_costs_one_quiet_refresh(play: Scene, jump_ms: int) -> None:
    """Too early is harmless; if it is too late, the maker reports it first, because its own clock has advanced."""
    vehicle = play.link()
    play.clock.advance(int(LIFE_MS * 0.8) - 1 + jump_ms)
    if jump_ms < 0:
        play.maker.end_access_tokens()
    assert poll(play.accounts, vehicle).link.state is State.LINKED
    assert poll(play.accounts, play.vehicle()).link.state is State.LINKED
    assert len(play.maker.refreshes) == 1


@AHEAD_OR_BACK
def test_a_jump_does_not_let_in_a_second_refresher(play: Scene, jump_ms: int) -> None:
    vehicle = play.link()
    with exclusive_lock(play.accounts.database, f"refresh-{vehicle.grant_id}", 0):
        play.clock.advance(100 * jump_ms)
        play.maker.end_access_tokens()
        waiting = poll(play.accounts, vehicle).link
    assert (waiting.state, waiting.reason, play.maker.refreshes) == (State.DEGRADED, Trouble.OUTAGE, [])
    assert poll(play.accounts, play.vehicle()).link.state is State.LINKED, "and no wait is left behind"


def with_verified_time(play: Scene) -> Scene:
    """Set up clocks as in the bridge; the hand clock is then the wall clock."""
    play.accounts = replace(play.accounts, clocks=Clocks(play.accounts.clock, VerifiedTime(HandClock())))
    return play


@AHEAD_OR_BACK
def test_a_wall_clock_that_jumps_ends_no_request(play: Scene, jump_ms: int) -> None:
    with_verified_time(play)
    state = play.begin()
    play.clock.advance(10_000 * jump_ms)
    begin_due_polls(play.accounts)
    assert play.come_back(state).vehicles[0].link.state is State.LINKED


@AHEAD_OR_BACK
def test_a_wall_clock_that_jumps_gives_back_no_grant_that_waits_for_a_choice(play: Scene, jump_ms: int) -> None:
    with_verified_time(play)
    play.maker.garage = [BLUE, RED]
    chosen = play.come_back(play.begin()).choose_for or ""
    play.clock.advance(10_000 * jump_ms)
    poll_due(play.accounts)
    assert (play.maker.released, play.maker.revoked) == ([], 0)
    assert len(choose(play.accounts, 1, chosen, [BLUE.id])) == 1


def test_a_car_that_was_looked_at_by_a_clock_that_was_ahead_is_looked_at_again(play: Scene) -> None:
    """It was due in 400 days, and its access would have expired by then."""
    play.link()
    play.clock.advance(400 * DAY_MS)
    assert poll_due(play.accounts) == 1
    play.clock.advance(-400 * DAY_MS)
    assert poll_due(play.accounts) == 1
    assert play.vehicle().due_ms < play.clock.now_ms() + DAY_MS
    assert poll_due(play.accounts) == 0, "once"
