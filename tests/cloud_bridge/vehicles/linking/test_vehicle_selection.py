"""Can a driver add one or all cars of an account with one authorisation, and is none added without asking?"""

from pathlib import Path

import pytest

from cloud_bridge.vehicles.linking.authorization_requests import ATTEMPT_MS
from cloud_bridge.vehicles.linking.vehicle_selection import NoSuchGrant, choices, choose
from cloud_bridge.vehicles.polling.poll import poll
from cloud_bridge.vehicles.polling.poller import poll_due
from cloud_bridge.vehicles.providers.provider import Car, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from tests.cloud_bridge.vehicles.acting import BLUE, RED, Maker, Scene, scene

GREEN = Car("car-3", "VIN000000000GREEN", "Green")


def returned(play: Scene, *garage: Car) -> str:
    """Return the grant of a driver who has come back from the maker, with these cars in the account."""
    play.maker.garage = list(garage)
    linked = play.come_back(play.begin())
    assert linked.choose_for is not None
    return linked.choose_for


def test_several_new_cars_are_offered_and_none_is_linked_unasked(play: Scene) -> None:
    grant_id = returned(play, BLUE, RED)
    assert choices(play.accounts, 1, grant_id) == [BLUE, RED]
    assert play.vehicles() == []


def test_all_are_added_at_once_and_live_on_one_grant(play: Scene) -> None:
    linked = choose(play.accounts, 1, returned(play, BLUE, RED, GREEN), [BLUE.id, RED.id, GREEN.id])
    assert [vehicle.name for vehicle in linked] == ["Blue", "Red", "Green"]
    play.clock.advance(60_000)
    assert all(poll(play.accounts, vehicle, eager=True).reading for vehicle in linked)
    assert len(play.maker.refreshes) == 1, "the first one's refresh is everybody's"


def test_one_is_picked_and_another_added_later_without_the_maker(play: Scene) -> None:
    grant_id = returned(play, BLUE, RED)
    assert [vehicle.name for vehicle in choose(play.accounts, 1, grant_id, [RED.id])] == ["Red"]
    assert choices(play.accounts, 1, grant_id) == [BLUE]
    choose(play.accounts, 1, grant_id, [BLUE.id])
    assert choices(play.accounts, 1, grant_id) == []
    choose(play.accounts, 1, grant_id, [])
    assert (len(play.vehicles()), play.maker.revoked) == (2, 0), "nothing ticked takes nothing away"


def test_the_single_new_car_beside_one_that_is_here_is_linked_without_a_question(play: Scene) -> None:
    play.link()
    play.maker.garage = [BLUE, RED]
    linked = play.come_back(play.begin())
    assert ([vehicle.name for vehicle in linked.vehicles], linked.choose_for) == (["Red", "Blue"], None)
    assert linked.vehicles[0].grant_id == linked.vehicles[1].grant_id


def test_a_driver_who_wants_none_gives_the_consent_back(play: Scene) -> None:
    grant_id = returned(play, BLUE, RED)
    assert choose(play.accounts, 1, grant_id, []) == []
    assert play.maker.revoked == 1
    with pytest.raises(NoSuchGrant):
        choices(play.accounts, 1, grant_id)


def test_a_driver_who_does_not_choose_has_given_nothing_after_ten_minutes(play: Scene) -> None:
    grant_id = returned(play, BLUE, RED)
    play.clock.advance(ATTEMPT_MS - 1)
    poll_due(play.accounts)
    assert play.maker.revoked == 0
    play.clock.advance(1)
    poll_due(play.accounts)
    assert play.maker.revoked == 1
    with pytest.raises(NoSuchGrant):
        choose(play.accounts, 1, grant_id, [BLUE.id])


def test_the_grant_of_one_who_has_chosen_stays(play: Scene) -> None:
    choose(play.accounts, 1, returned(play, BLUE, RED), [BLUE.id])
    play.clock.advance(ATTEMPT_MS)
    poll_due(play.accounts)
    assert play.maker.revoked == 0


@pytest.mark.parametrize("grant_id", ["guess", ""])
def test_an_account_of_nobody_is_refused(play: Scene, grant_id: str) -> None:
    with pytest.raises(NoSuchGrant):
        choices(play.accounts, 1, grant_id)


def test_an_account_of_somebody_else_is_refused(play: Scene) -> None:
    grant_id = returned(play, BLUE, RED)
    with pytest.raises(NoSuchGrant):
        choose(play.accounts, 2, grant_id, [BLUE.id])
    assert play.vehicles(2) == []


def test_a_car_that_the_maker_does_not_list_is_not_added(play: Scene) -> None:
    assert choose(play.accounts, 1, returned(play, BLUE, RED), [BLUE.id, "guess"])[1:] == []


def test_a_maker_that_is_down_meanwhile_changes_nothing(play: Scene) -> None:
    grant_id = returned(play, BLUE, RED)
    play.maker.trouble["cars"] = ProviderError(Trouble.OUTAGE)
    with pytest.raises(ProviderError):
        choose(play.accounts, 1, grant_id, [BLUE.id])
    del play.maker.trouble["cars"]
    assert choose(play.accounts, 1, grant_id, [BLUE.id])


def test_a_car_that_is_here_through_another_provider_moves_when_it_is_chosen(tmp_path: Path) -> None:
    with scene(tmp_path, Maker(), Maker("other")) as play:
        play.maker.garage = [BLUE, RED]
        play.add_all()
        other = play.accounts.catalogue.providers["other"]
        assert isinstance(other, Maker)
        other.garage = [BLUE]
        linked = play.come_back(play.begin(name="other"), name="other")
        assert [(vehicle.id, vehicle.provider) for vehicle in linked.vehicles] == [(1, "other")]
        assert len(play.vehicles()) == 2
