"""Does a poll refresh the access silently, and ask the driver only when nothing else helps?"""

import pytest

from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.vehicles.polling.poll import poll
from cloud_bridge.vehicles.polling.poll_schedule import CHARGING_MS, IDLE_MS, LOST_MS, next_look_ms
from cloud_bridge.vehicles.providers.provider import ProviderError
from cloud_bridge.vehicles.providers.provider_errors import LASTING, Trouble
from tests.cloud_bridge.vehicles.acting import LIFE_MS, Scene


def test_what_the_car_says_is_kept(play: Scene) -> None:
    play.maker.charge = {"battery_percent": 71.0, "plugged_in": True, "charging": True, "range_km": 250.0}
    reading = poll(play.accounts, play.link()).reading
    assert reading is not None
    assert (reading.battery_percent, reading.charging, reading.range_km) == (71.0, True, 250.0)
    assert reading.seen_ms == play.clock.now_ms()


def test_a_grant_is_refreshed_at_four_fifths_of_its_life(play: Scene) -> None:
    vehicle = play.link()
    play.clock.advance(int(LIFE_MS * 0.8) - 1)
    poll(play.accounts, vehicle)
    assert len(play.maker.refreshes) == 0
    play.clock.advance(1)
    poll(play.accounts, vehicle)
    poll(play.accounts, vehicle)
    assert len(play.maker.refreshes) == 1


def test_a_stale_token_is_replaced_before_anybody_is_asked(play: Scene) -> None:
    vehicle = play.link()
    play.maker.end_access_tokens()
    assert poll(play.accounts, vehicle).link.state is State.LINKED
    assert len(play.maker.refreshes) == 1


def test_a_new_token_that_is_refused_too_is_a_lost_consent(play: Scene) -> None:
    vehicle = play.link()
    play.maker.trouble["read"] = ProviderError(Trouble.STALE_TOKEN)
    link = poll(play.accounts, vehicle).link
    assert (link.state, link.reason) == (State.ACCESS_LOST, Trouble.CONSENT_GONE)
    assert len(play.maker.refreshes) == 1, "once, not in a loop"


def test_refresh_shows_a_consent_that_was_taken_back_and_one_that_came_back(play: Scene) -> None:
    vehicle = play.link()
    play.clock.advance(MINUTE_MS)
    play.maker.trouble["refresh"] = ProviderError(Trouble.CONSENT_GONE)
    assert poll(play.accounts, vehicle, eager=True).link.state is State.ACCESS_LOST
    del play.maker.trouble["refresh"]
    assert poll(play.accounts, play.vehicle(), eager=True).link.state is State.LINKED


@pytest.mark.parametrize("method", ["read", "refresh"])
@pytest.mark.parametrize("trouble", [trouble for trouble in Trouble if trouble is not Trouble.STALE_TOKEN])
def test_only_lasting_trouble_is_an_error(play: Scene, method: str, trouble: Trouble) -> None:
    vehicle = play.link()
    play.clock.advance(MINUTE_MS)
    play.maker.trouble[method] = ProviderError(trouble)
    link = poll(play.accounts, vehicle, eager=True).link
    assert (link.state is State.ACCESS_LOST) == (trouble in LASTING)
    assert (link.state is State.LINKED) == (trouble is Trouble.ASLEEP)


def test_the_last_reading_outlives_trouble(play: Scene) -> None:
    vehicle = poll(play.accounts, play.link())
    play.maker.trouble["read"] = ProviderError(Trouble.OUTAGE)
    assert poll(play.accounts, vehicle).reading == vehicle.reading


def test_the_makers_own_advice_is_kept_as_long_as_it_holds(play: Scene) -> None:
    vehicle = play.link()
    play.maker.trouble["read"] = ProviderError(Trouble.SUBSCRIPTION, advice="Renew it in the app.")
    assert poll(play.accounts, vehicle).advice == "Renew it in the app."
    del play.maker.trouble["read"]
    assert poll(play.accounts, play.vehicle()).advice == ""


def test_polling_is_polite(play: Scene) -> None:
    vehicle = poll(play.accounts, play.link())
    assert vehicle.due_ms == play.clock.now_ms() + IDLE_MS
    play.maker.charge["charging"] = True
    assert poll(play.accounts, vehicle).due_ms == play.clock.now_ms() + CHARGING_MS
    play.maker.trouble["read"] = ProviderError(Trouble.RATE_LIMITED, retry_after_ms=3 * 3600 * 1000)
    assert poll(play.accounts, vehicle).due_ms == play.clock.now_ms() + 3 * 3600 * 1000
    play.maker.trouble["read"] = ProviderError(Trouble.OUTAGE)
    waits = []
    for _ in range(9):
        vehicle = poll(play.accounts, play.vehicle())
        waits.append((vehicle.due_ms - play.clock.now_ms()) // MINUTE_MS)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    play.maker.trouble["read"] = ProviderError(Trouble.CONSENT_GONE)
    link = poll(play.accounts, vehicle).link
    assert next_look_ms(link, None, 11) == LOST_MS


def test_a_look_never_comes_later_than_the_refresh_of_the_grant(play: Scene) -> None:
    vehicle = play.link()
    play.clock.advance(int(LIFE_MS * 0.8) - 5 * MINUTE_MS)
    assert poll(play.accounts, vehicle).due_ms == play.clock.now_ms() + 5 * MINUTE_MS
