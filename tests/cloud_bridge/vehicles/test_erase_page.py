"""Does deleting an account on the page first revoke the car maker's consent, whatever the maker does?"""

import threading

import pytest
from sqlalchemy import select

from cloud_bridge.store.tables import people
from cloud_bridge.store.vehicle_tables import account_grants, vehicles
from cloud_bridge.vehicles.providers.provider import Grant, ProviderError
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.web.pages.everyone import own_data
from tests.cloud_bridge.running import DEADLINE_S
from tests.cloud_bridge.vehicles.browsing import PASSWORD, Driver
from tests.cloud_bridge.web.test_pages import text_of


def rows_left(ann: Driver) -> int:
    with ann.bridge.app_state.database.reading() as connection:
        return sum(len(connection.execute(select(table)).all()) for table in (people, account_grants, vehicles))


def test_the_consent_is_given_back_while_the_account_is_still_there(ann: Driver) -> None:
    ann.link()
    seen: list[int] = []
    revoke = ann.maker.revoke

    def noted(grant: Grant) -> None:
        seen.append(rows_left(ann))
        revoke(grant)

    ann.maker.revoke = noted  # type: ignore[method-assign]
    answer = ann.post("/account/data/erase", password=PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert (ann.maker.released, ann.maker.revoked, seen, rows_left(ann)) == (["car-1"], 1, [3], 0)
    assert ann.client.get("/account", follow_redirects=False).status_code == 303, "and nobody is logged in"


def test_a_wrong_password_gives_nothing_back(ann: Driver) -> None:
    ann.link()
    assert ann.post("/account/data/erase", password="guess").status_code == 422
    assert (ann.maker.revoked, rows_left(ann)) == (0, 3)


def test_a_maker_that_is_down_is_named_and_the_account_is_gone(ann: Driver) -> None:
    ann.link()
    ann.maker.trouble["revoke"] = ProviderError(Trouble.OUTAGE)
    answer = ann.post("/account/data/erase", password=PASSWORD)
    said = text_of(answer.text)
    assert answer.status_code == 200
    assert "We could not tell Maker in time that our access is over" in said
    assert "remove Chargekeeper" in said
    assert rows_left(ann) == 0
    assert ann.client.get("/account", follow_redirects=False).status_code == 303


def test_a_maker_that_does_not_answer_does_not_hold_the_deletion(ann: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_data, "RETURN_WITHIN_S", 0.05)
    ann.link()
    answers = threading.Event()

    def slow(grant: Grant) -> None:
        assert answers.wait(DEADLINE_S)

    ann.maker.revoke = slow  # type: ignore[method-assign]
    answer = ann.post("/account/data/erase", password=PASSWORD)
    answers.set()
    assert "We could not tell Maker" in text_of(answer.text)
    assert rows_left(ann) == 0
