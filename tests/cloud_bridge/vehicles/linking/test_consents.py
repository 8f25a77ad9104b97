"""Is every consent of a person revoked before an erasure, without a maker that can delay or fail it?"""

import asyncio
import threading
from collections.abc import Callable

import pytest

from cloud_bridge.vehicles.linking.consents import consents_of, erase_person, return_all
from cloud_bridge.vehicles.maker_calls import MakerBusy
from cloud_bridge.vehicles.providers.provider import Grant, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from tests.cloud_bridge.running import DEADLINE_S
from tests.cloud_bridge.vehicles.acting import BLUE, RED, Scene

SHORT_S = 0.05


def untold(play: Scene, within_s: float = DEADLINE_S, person: int = 1) -> list[str]:
    return asyncio.run(return_all(play.accounts, person, within_s))


def test_all_cars_and_grants_are_given_back_at_once(play: Scene) -> None:
    play.maker.garage = [BLUE, RED]
    play.add_all()
    play.come_back(play.begin(person=2), person=2)
    assert untold(play) == []
    assert (sorted(play.maker.released), play.maker.revoked) == (["car-1", "car-2"], 1)
    assert untold(play, person=2) == []
    assert play.maker.revoked == 2, "of one who had not chosen yet, too"


def test_a_person_without_a_car_asks_nobody(play: Scene) -> None:
    assert untold(play) == []


def gone(play: Scene) -> None:
    play.accounts.catalogue.providers.clear()


def locked(play: Scene) -> None:
    (play.folder / "vehicle-keys.json").unlink()


def refusing(method: str) -> Callable[[Scene], None]:
    def refuse(play: Scene) -> None:
        play.maker.trouble[method] = ProviderError(Trouble.OUTAGE)

    return refuse


def busy(play: Scene) -> None:
    def refuse(*_arguments: object) -> None:
        raise MakerBusy("many are waiting")

    play.accounts.calls._driver_call = refuse  # type: ignore[method-assign, assignment]


def broken(play: Scene) -> None:
    def fail(grant: Grant) -> None:
        raise RecursionError("as deep as a well")

    play.maker.revoke = fail  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("what", "title"),
    [
        (gone, "maker"),
        (locked, "Maker"),
        (refusing("release"), "Maker"),
        (refusing("revoke"), "Maker"),
        (busy, "Maker"),
        (broken, "Maker"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_maker_that_was_not_told_is_named(play: Scene, what: Callable[[Scene], None], title: str) -> None:
    play.link()
    what(play)
    assert untold(play) == [title]


def test_the_consent_is_given_back_although_a_car_could_not_be_released(play: Scene) -> None:
    play.link()
    refusing("release")(play)
    untold(play)
    assert play.maker.revoked == 1


def test_a_slow_maker_is_not_waited_for_and_told_all_the_same(play: Scene) -> None:
    play.link()
    answers, told = threading.Event(), threading.Event()
    revoke = play.maker.revoke

    def slow(grant: Grant) -> None:
        assert answers.wait(DEADLINE_S)
        revoke(grant)
        told.set()

    play.maker.revoke = slow  # type: ignore[method-assign]
    assert untold(play, SHORT_S) == ["Maker"]
    assert play.maker.revoked == 0
    answers.set()
    assert told.wait(DEADLINE_S)


def test_the_command_line_deletes_the_vehicles_and_names_who_was_not_told(play: Scene) -> None:
    play.maker.garage = [BLUE, RED]
    play.add_all()
    refusing("revoke")(play)
    assert erase_person(play.accounts, 1) == ["Maker"]
    assert (play.vehicles(), consents_of(play.accounts, 1)) == ([], [])
