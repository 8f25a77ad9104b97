"""Is a consent revoked as soon as nothing uses it, and not before?"""

from sqlalchemy import delete

from cloud_bridge.store.tables import people
from cloud_bridge.vehicles.linking.consents import erase_person
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.vehicles.linking.unlink import unlink
from cloud_bridge.vehicles.polling.poll import poll
from cloud_bridge.vehicles.providers.provider import ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from tests.cloud_bridge.vehicles.acting import BLUE, RED, Scene


def test_disconnecting_gives_the_consent_back_and_keeps_the_vehicle(play: Scene) -> None:
    vehicle = play.link()
    assert unlink(play.accounts, vehicle)
    assert (play.maker.released, play.maker.revoked) == ([BLUE.id], 1)
    assert play.vehicle().link.state is State.UNLINKED
    assert poll(play.accounts, play.vehicle()).link.state is State.UNLINKED
    assert play.link(play.vehicle()).id == vehicle.id


def test_the_consent_stays_for_the_other_vehicles_of_the_account(play: Scene) -> None:
    play.maker.garage = [BLUE, RED]
    blue, red = play.add_all()
    assert unlink(play.accounts, blue)
    assert (play.maker.released, play.maker.revoked) == ([BLUE.id], 0)
    assert poll(play.accounts, red, eager=True).link.state is State.LINKED
    assert unlink(play.accounts, red, erase=True)
    assert (play.maker.released, play.maker.revoked) == ([BLUE.id, RED.id], 1)


def test_disconnecting_works_while_the_maker_is_down_and_says_so(play: Scene) -> None:
    vehicle = play.link()
    play.maker.trouble["revoke"] = ProviderError(Trouble.OUTAGE)
    assert not unlink(play.accounts, vehicle, erase=True)
    assert play.vehicles() == []


def test_a_grant_that_cannot_be_opened_is_not_given_back_and_that_is_said(play: Scene) -> None:
    vehicle = play.link()
    (play.folder / "vehicle-keys.json").unlink()
    assert not unlink(play.accounts, vehicle)
    assert play.vehicle().link.state is State.UNLINKED
    assert unlink(play.accounts, play.vehicle()), "there is nothing to give back any more"


def test_a_look_that_comes_back_after_the_driver_disconnected_changes_nothing(play: Scene) -> None:
    vehicle = play.link()
    unlink(play.accounts, vehicle)
    assert poll(play.accounts, vehicle).link.state is State.UNLINKED


def test_a_look_with_the_grant_before_does_not_lose_the_new_one(play: Scene) -> None:
    before = play.link()
    play.maker.end_grant(1)
    assert play.link(before).link.state is State.LINKED
    assert poll(play.accounts, before).link.state is State.LINKED


def test_erasing_a_person_gives_every_consent_back(play: Scene) -> None:
    play.maker.garage = [BLUE, RED]
    play.add_all()
    play.come_back(play.begin(person=2), person=2)
    erase_person(play.accounts, 2)
    assert play.maker.revoked == 1, "of one who had not chosen yet, too"
    erase_person(play.accounts, 1)
    assert (play.maker.revoked, play.vehicles(1)) == (2, [])


def test_a_person_who_is_deleted_takes_everything_along(play: Scene) -> None:
    play.maker.garage = [BLUE, RED]
    play.add_all()
    with play.accounts.database.writing() as connection:
        connection.execute(delete(people).where(people.c.id == 1))
        assert play.accounts.grants.vault.key_ids(connection) == set()
    assert play.vehicles() == []
