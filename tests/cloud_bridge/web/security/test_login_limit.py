"""Is guessing a password slow, while the right one still works?"""

import asyncio
from typing import Any

import httpx2

from cloud_bridge.store.people import Role
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge
from tests.cloud_bridge.web.test_pages import PASSWORD, form_token_in, log_in

CROWD = 60  # more than the wrong passwords that one address may send


def test_after_some_wrong_passwords_even_the_right_one_has_to_wait(bridge: Bridge) -> None:
    bridge.add_person("ann", PASSWORD, Role.DRIVER)
    bridge.add_person("ben", PASSWORD, Role.DRIVER)
    client = bridge.stranger()
    assert [log_in(client, password="guess") for _ in range(8)] == [401] * 8
    assert log_in(client) == 429
    assert log_in(client, "ben") == 303
    bridge.clock.advance(2 * 60_000)
    assert log_in(client) == 303
    assert log_in(bridge.stranger(), password="guess") == 401, "the wrong ones were forgiven"


def test_an_open_browser_is_no_place_to_guess_its_owners_password(bridge: Bridge) -> None:
    ann = Visitor(bridge, "ann", Role.DRIVER)
    forms = (
        ("/account/password", {"old": "guess", "new": "nine purple teapots sing"}),
        ("/account/data/erase", {"password": "guess"}),
    )
    answers = [
        ann.post(path, form_on=path.removesuffix("/erase"), **fields).status_code
        for _ in range(5)
        for path, fields in forms
    ]
    assert answers == [422] * 8 + [429] * 2
    assert ann.post("/account/data/erase", "/account/data", password=PASSWORD).status_code == 429
    bridge.clock.advance(2 * 60_000)
    assert ann.post("/account/data/erase", "/account/data", password=PASSWORD).status_code == 200


def test_a_crowd_behind_one_address_logs_in_at_once(bridge: Bridge) -> None:
    """Waiting for a turn to hash is no guess: if it counted as one, it would use up the forty of the address."""
    for number in range(CROWD):
        bridge.add_person(f"person {number}", PASSWORD, Role.DRIVER)

    async def log_in_all() -> list[int]:
        app: Any = bridge.client.app
        transport = httpx2.ASGITransport(app)

        async def one(number: int) -> int:
            async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
                form = form_token_in((await client.get("/login")).text)
                data = {"name": f"person {number}", "password": PASSWORD, "form": form}
                return (await client.post("/login", data=data)).status_code

        return await asyncio.gather(*(one(number) for number in range(CROWD)))

    assert asyncio.run(log_in_all()) == [303] * CROWD
