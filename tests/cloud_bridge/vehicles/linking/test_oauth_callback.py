"""Does a driver come back with the right car linked, and everybody else with nothing?"""

from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.vehicles import repository
from cloud_bridge.vehicles.linking.authorization_requests import ATTEMPT_MS, begin
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.vehicles.linking.link_errors import LinkRefused, Refusal
from cloud_bridge.vehicles.linking.oauth_callback import finish
from cloud_bridge.vehicles.linking.unlink import unlink
from cloud_bridge.vehicles.polling.poll import poll
from cloud_bridge.vehicles.providers.provider import Car, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from tests.cloud_bridge.vehicles.acting import BLUE, RED, Maker, Scene, scene


def refused(play: Scene, answer: dict[str, str], person: int = 1, session: str = "s", name: str = "maker") -> Refusal:
    with pytest.raises(LinkRefused) as caught:
        finish(play.accounts, person, session, name, answer)
    return caught.value.refusal


def test_the_first_car_is_linked(play: Scene) -> None:
    vehicle = play.link()
    assert (vehicle.vin, vehicle.name, vehicle.link.state) == (BLUE.vin, "Blue", State.LINKED)
    assert poll(play.accounts, vehicle).reading is not None


def test_the_way_to_the_maker_has_our_exact_return_address(play: Scene) -> None:
    url = begin(play.accounts, 1, "s", "maker", None)
    assert "redirect_uri=https%3A%2F%2Fapp.example%2Fvehicles%2Freturn%2Fmaker" in url


def test_linking_again_keeps_the_same_vehicle(play: Scene) -> None:
    first = play.link()
    play.maker.end_grant(1)
    lost = poll(play.accounts, first, eager=True)
    assert (lost.link.state, lost.link.reason) == (State.ACCESS_LOST, Trouble.CONSENT_GONE)
    play.maker.garage = [RED, BLUE._replace(id="car-9", name="Bluebell")]
    again = play.link(lost)
    assert (again.id, again.car_id, again.name, again.link.state) == (first.id, "car-9", "Bluebell", State.LINKED)
    assert len(play.vehicles()) == 1


def test_connecting_a_car_that_is_here_already_is_linking_it_again(play: Scene) -> None:
    assert play.link().id == play.link().id


def test_another_car_is_refused_by_name_and_the_old_link_stays_as_it_was(play: Scene) -> None:
    vehicle = play.link()
    play.maker.garage = [RED]
    state = play.begin(vehicle)
    with pytest.raises(LinkRefused) as caught:
        finish(play.accounts, 1, "s", "maker", {"state": state, "code": "c"})
    assert caught.value.refusal is Refusal.OTHER_CAR
    assert (caught.value.vehicle, caught.value.cars) == (vehicle, [RED])
    assert (play.maker.released, play.maker.revoked) == ([RED.id], 1), "and the new grant is given back"
    assert play.vehicles() == [vehicle]


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ({"error": "access_denied"}, Refusal.DECLINED),
        ({"error": "server_error"}, Refusal.PROVIDER),
        ({}, Refusal.CODE),
        ({"code": ""}, Refusal.CODE),
        ({"code": "x" * 5000}, Refusal.CODE),
    ],
)
def test_a_return_without_consent_links_nothing(play: Scene, answer: dict[str, str], refusal: Refusal) -> None:
    assert refused(play, answer | {"state": play.begin()}) is refusal
    assert play.vehicles() == []


@pytest.mark.parametrize(
    ("method", "trouble", "refusal"),
    [
        ("exchange", Trouble.OUTAGE, Refusal.PROVIDER),
        ("exchange", Trouble.SCOPE_MISSING, Refusal.SCOPES),
        ("exchange", Trouble.CODE_REFUSED, Refusal.CODE),
        ("cars", Trouble.OUTAGE, Refusal.PROVIDER),
        ("cars", Trouble.ASLEEP, Refusal.PROVIDER),
    ],
)
def test_a_provider_in_trouble_links_nothing(play: Scene, method: str, trouble: Trouble, refusal: Refusal) -> None:
    play.maker.trouble[method] = ProviderError(trouble)
    assert refused(play, {"state": play.begin(), "code": "c"}) is refusal
    assert play.vehicles() == []
    assert play.maker.revoked == (1 if method == "cars" else 0)


def test_an_account_without_a_car_is_told_so(play: Scene) -> None:
    play.maker.garage = []
    assert refused(play, {"state": play.begin(), "code": "c"}) is Refusal.NO_CAR


def test_a_state_is_good_once(play: Scene) -> None:
    state = play.begin()
    finish(play.accounts, 1, "s", "maker", {"state": state, "code": "c"})
    assert refused(play, {"state": state, "code": "c"}) is Refusal.NOT_OURS


def test_a_state_is_used_up_by_a_refusal_too(play: Scene) -> None:
    state = play.begin()
    assert refused(play, {"state": state, "error": "access_denied"}) is Refusal.DECLINED
    assert refused(play, {"state": state, "code": "c"}) is Refusal.NOT_OURS


def test_a_state_is_good_for_ten_minutes(play: Scene) -> None:
    state = play.begin()
    play.clock.advance(ATTEMPT_MS)
    assert refused(play, {"state": state, "code": "c"}) is Refusal.NOT_OURS


@pytest.mark.parametrize(
    "other", [{"session": "another browser"}, {"person": 2}, {"answer": {"code": "c"}}, {"answer": {"state": "guess"}}]
)
def test_a_code_injected_into_another_session_is_refused(play: Scene, other: dict[str, Any]) -> None:
    answer = {"state": play.begin(), "code": "an attacker's code"}
    assert refused(play, **({"answer": answer} | other)) is Refusal.NOT_OURS
    assert play.vehicles(1) == play.vehicles(2) == []


def test_an_answer_of_another_provider_is_refused(tmp_path: Path) -> None:
    with scene(tmp_path, Maker(), Maker("other")) as play:
        assert refused(play, {"state": play.begin(), "code": "c"}, name="other") is Refusal.MIXED_UP


@pytest.mark.parametrize("said", [{}, {"iss": "https://evil.example"}, {"iss": ""}])
def test_an_answer_of_another_issuer_is_refused(tmp_path: Path, said: dict[str, str]) -> None:
    with scene(tmp_path, Maker(issuer="https://maker.example")) as play:
        assert refused(play, {"state": play.begin(), "code": "c"} | said) is Refusal.MIXED_UP
        right = {"state": play.begin(), "code": "c", "iss": "https://maker.example"}
        assert finish(play.accounts, 1, "s", "maker", right).vehicles[0].vin == BLUE.vin


def test_a_lost_access_is_still_told_when_the_driver_does_not_come_back(play: Scene) -> None:
    vehicle = play.link()
    play.maker.trouble["read"] = ProviderError(Trouble.SCOPE_MISSING)
    vehicle = poll(play.accounts, vehicle)
    play.begin(vehicle)
    assert play.vehicle().link.state is State.LINKING
    play.clock.advance(ATTEMPT_MS)
    with play.accounts.database.writing() as connection:
        repository.lapse_requests(connection, play.clock.now_ms())
    assert play.vehicle().link == vehicle.link


def test_somebody_who_begins_for_ever_fills_nothing(play: Scene) -> None:
    states = []
    for _ in range(30):
        play.clock.advance(1)
        states.append(play.begin())
    assert refused(play, {"state": states[0], "code": "c"}) is Refusal.NOT_OURS
    finish(play.accounts, 1, "s", "maker", {"state": states[-1], "code": "c"})


def test_one_authorisation_mends_every_vehicle_of_the_account(play: Scene) -> None:
    play.maker.garage = [BLUE, RED]
    play.add_all()
    play.maker.end_grant(1)
    blue, red = (poll(play.accounts, vehicle, eager=True) for vehicle in play.vehicles())
    assert (blue.link.state, red.link.state) == (State.ACCESS_LOST, State.ACCESS_LOST)
    assert [vehicle.name for vehicle in play.come_back(play.begin(red)).vehicles] == ["Red", "Blue"]
    assert {poll(play.accounts, vehicle).link.state for vehicle in play.vehicles()} == {State.LINKED}


def test_what_the_driver_disconnected_stays_so_when_another_is_linked_again(play: Scene) -> None:
    play.maker.garage = [BLUE, RED]
    blue, red = play.add_all()
    unlink(play.accounts, red)
    assert play.come_back(play.begin(blue)).vehicles[1:] == []
    assert play.vehicle(red.id).link.state is State.UNLINKED


def test_two_drivers_of_one_car_have_a_link_each(play: Scene) -> None:
    assert play.link(person=1).id != play.link(person=2).id


def test_a_car_with_a_name_from_hell_is_kept_as_text(play: Scene) -> None:
    play.maker.garage = [Car("x", "V" * 17, "'; drop table vehicles; --")]
    assert play.link().name == "'; drop table vehicles; --"
