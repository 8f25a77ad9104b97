"""Is the driver asked as soon as a maker reports the end of access, or after three days of one refusal, and never before?

With real HTTP answers of a token endpoint, from the vehicle's poll to the state of its link.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cloud_bridge.vehicles.linking.link import REFUSED_AFTER_MS, State
from cloud_bridge.vehicles.polling.poll import poll
from cloud_bridge.vehicles.polling.poll_schedule import LONGEST_RETRY_MS
from cloud_bridge.vehicles.polling.poller import poll_due
from cloud_bridge.vehicles.providers.catalogue import read_catalogue
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.verified_time import Clocks, VerifiedTime
from tests.cloud_bridge.running import HandClock
from tests.cloud_bridge.vehicles.acting import Scene, scene_with
from tests.cloud_bridge.vehicles.maker_server import MakerServer, maker_server

UNKNOWN = (400, {"error": "something_new"})
MISUSED = (401, {"error": "invalid_client", "error_description": "client authentication failed"})
DOWN = (503, b"<html>down</html>")
DEEP = b'{"error":' * 100_000


@pytest.fixture
def maker() -> Iterator[MakerServer]:
    with maker_server() as maker:
        yield maker


@pytest.fixture
def play(tmp_path: Path, maker: MakerServer) -> Iterator[Scene]:
    (tmp_path / "vehicles.toml").write_text(maker.settings())
    catalogue = read_catalogue(tmp_path, {})
    with scene_with(tmp_path, catalogue) as play:
        play.link()
        yield play
    catalogue.close()


def look(play: Scene) -> Vehicle:
    """Poll as the driver's Refresh does, which tries the refresh token."""
    play.clock.advance(MINUTE_MS)
    return poll(play.accounts, play.vehicle(), eager=True)


@pytest.mark.parametrize(
    "answer",
    [
        (400, {"error": "invalid_request", "error_description": "The refresh token has expired"}),
        (401, {"error": "invalid_token"}),
        (400, {"errors": [{"code": "bad_refresh_token"}]}),
        (200, {"error": "bad_refresh_token"}),
        (403, {"error": {"code": "mfa_required"}}),
    ],
)
def test_a_refresh_that_is_refused_for_good_asks_the_driver(play: Scene, maker: MakerServer, answer: Any) -> None:
    maker.token = answer
    link = look(play).link
    assert (link.state, link.reason) == (State.ACCESS_LOST, Trouble.CONSENT_GONE)
    maker.token = None
    assert look(play).link.state is State.LINKED


@pytest.mark.parametrize("answer", [DOWN, (200, DEEP), (400, DEEP), (500, b""), (429, {}), (302, b"")])
def test_outages_in_a_row_never_ask(play: Scene, maker: MakerServer, answer: Any) -> None:
    maker.token = answer
    for _ in range(5):
        assert look(play).link.state is State.DEGRADED
    for _ in range(5):
        play.clock.advance(DAY_MS)
        assert look(play).link.state is State.DEGRADED
    maker.token = None
    assert look(play).link.state is State.LINKED


@pytest.mark.parametrize("answer", [UNKNOWN, MISUSED, (401, b""), (403, b"<html>"), (503, {"error": "invalid_grant"})])
def test_the_same_refusal_for_three_days_is_told(play: Scene, maker: MakerServer, answer: Any) -> None:
    maker.token = answer
    began_ms = play.clock.now_ms() + MINUTE_MS
    for _ in range(5):
        assert look(play).link.state is State.DEGRADED
    play.clock.advance(REFUSED_AFTER_MS - 6 * MINUTE_MS)
    assert look(play).link.state is State.DEGRADED
    link = look(play).link
    assert (link.state, link.reason, link.since_ms) == (State.ACCESS_LOST, Trouble.REFUSED, began_ms)
    assert look(play).link == link, "and stays, as long as the answer is the same"
    maker.token = DOWN
    assert look(play).link == link, "or there is none"
    assert play.vehicle().due_ms - play.clock.now_ms() <= LONGEST_RETRY_MS, "it may be the operator's to end"
    maker.token = None
    assert look(play).link.state is State.LINKED


def test_three_days_are_those_that_have_passed_and_no_jump_of_the_wall_clock(play: Scene, maker: MakerServer) -> None:
    passing = HandClock()
    play.accounts = replace(play.accounts, clocks=Clocks(play.clock, VerifiedTime(passing)))
    maker.token = UNKNOWN
    for jump_ms in (0, 400 * DAY_MS, -400 * DAY_MS):
        play.clock.advance(jump_ms)
        assert look(play).link.state is State.DEGRADED
    passing.advance(REFUSED_AFTER_MS - 1)
    assert look(play).link.state is State.DEGRADED
    passing.advance(1)
    assert look(play).link.reason is Trouble.REFUSED


def test_outages_in_between_do_not_hide_a_refusal(play: Scene, maker: MakerServer) -> None:
    for _ in range(REFUSED_AFTER_MS // (12 * HOUR_MS)):
        maker.token = UNKNOWN
        assert look(play).link.state is State.DEGRADED
        play.clock.advance(6 * HOUR_MS)
        maker.token = DOWN
        assert look(play).link.reason is Trouble.UNEXPLAINED
        play.clock.advance(6 * HOUR_MS)
    assert look(play).link.state is State.DEGRADED, "an outage does not tell it either"
    maker.token = UNKNOWN
    assert look(play).link.reason is Trouble.REFUSED


def test_one_good_answer_starts_the_three_days_anew(play: Scene, maker: MakerServer) -> None:
    for _ in range(4):
        maker.token = UNKNOWN
        assert look(play).link.state is State.DEGRADED
        play.clock.advance(2 * DAY_MS)
        maker.token = None
        assert look(play).link.state is State.LINKED


def test_another_refusal_starts_the_three_days_anew(play: Scene, maker: MakerServer) -> None:
    for answer in (UNKNOWN, MISUSED) * 3:
        maker.token = answer
        assert look(play).link.state is State.DEGRADED
        play.clock.advance(2 * DAY_MS)


def test_a_refusal_of_the_data_is_told_too(play: Scene, maker: MakerServer) -> None:
    maker.api = (403, {"error": "something_new"})
    assert poll(play.accounts, play.vehicle()).link.reason is Trouble.UNEXPLAINED
    play.clock.advance(REFUSED_AFTER_MS)
    assert poll(play.accounts, play.vehicle()).link.reason is Trouble.REFUSED


def test_the_poller_finds_it_without_the_driver(play: Scene, maker: MakerServer) -> None:
    """Round after round for four days, as the bridge does; the maker is asked less and less often."""
    maker.token = UNKNOWN
    told_ms = None
    began_ms = play.clock.now_ms()
    while told_ms is None and play.clock.now_ms() < began_ms + 5 * DAY_MS:
        play.clock.advance(15 * MINUTE_MS)
        poll_due(play.accounts)
        if play.vehicle().link.state is State.ACCESS_LOST:
            told_ms = play.clock.now_ms() - began_ms
    assert told_ms is not None
    assert REFUSED_AFTER_MS <= told_ms <= REFUSED_AFTER_MS + 8 * HOUR_MS, "the first refresh was due within eight hours"
    assert maker.refreshes <= 100
