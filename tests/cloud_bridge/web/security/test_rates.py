"""Is what a person can make us send or store limited, with a page that says when to try again, and without delaying others?"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from cloud_bridge.durations import DAY_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.tables import commands, email_changes, messages
from cloud_bridge.web.pages.everyone import email
from cloud_bridge.web.security import rates
from cloud_bridge.web.security.rates import QUARTER_MS, Rate, Rates
from tests.cloud_bridge.people import PASSWORD, Visitor, entrust, give
from tests.cloud_bridge.running import Bridge

FEW = [Rate("few", 3)]


def use(tries: Rates, count: int, now_ms: int = 0, person_id: int = 1) -> list[int]:
    return [tries.use(person_id, FEW, now_ms) for _ in range(count)]


def test_the_allowance_is_free_and_then_there_is_a_wait_that_does_not_grow() -> None:
    assert use(Rates(), 6) == [0, 0, 0, QUARTER_MS // 3, QUARTER_MS // 3, QUARTER_MS // 3]


def test_the_allowance_comes_back_one_by_one() -> None:
    tries = Rates()
    use(tries, 3)
    assert use(tries, 2, QUARTER_MS // 3) == [0, QUARTER_MS // 3]
    assert use(tries, 4, 3 * QUARTER_MS) == [0, 0, 0, QUARTER_MS // 3]


def test_people_and_rates_do_not_share() -> None:
    tries = Rates()
    use(tries, 3)
    assert tries.use(2, FEW, 0) == 0
    assert tries.use(1, [Rate("other", 1)], 0) == 0


def test_of_two_rates_the_slower_one_counts_and_what_is_refused_uses_neither() -> None:
    tries, both = Rates(), [Rate("quarter", 2), Rate("day", 3, DAY_MS)]
    assert [tries.use(1, both, 0) for _ in range(3)] == [0, 0, QUARTER_MS // 2]
    assert tries.use(1, both, QUARTER_MS) == 0
    wait_ms = tries.use(1, both, QUARTER_MS)
    assert DAY_MS // 3 - QUARTER_MS <= wait_ms <= DAY_MS // 3
    assert tries.use(1, both, QUARTER_MS + wait_ms) == 0


def test_a_clock_set_back_gives_nothing_and_takes_nothing() -> None:
    tries = Rates()
    use(tries, 2, 1_000_000)
    assert use(tries, 2, 0) == [0, QUARTER_MS // 3]


def test_threads_at_once_get_no_more_than_one_after_another() -> None:
    tries, rate = Rates(), [Rate("many", 50)]
    with ThreadPoolExecutor(16) as threads:
        waits = list(threads.map(lambda _: tries.use(1, rate, 0), range(500)))
    assert waits.count(0) == 50


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MAX_KEYS", 100)
    tries = Rates()
    for person_id in range(150):
        tries.use(person_id, FEW, 0)
    assert len(tries._used) == 100


@pytest.fixture
def driver(bridge: Bridge) -> Visitor:
    """Dora, with a charger that is not connected."""
    new = bridge.add_unit("home-1")
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    give(bridge, new.claim_code, "dora")
    return Visitor(bridge, "dora")


def post_until_refused(visitor: Visitor, path: str, most: int, form_on: str | None = None, **fields: Any) -> Any:
    """Post until the limit; return the refusal."""
    for _ in range(most):
        assert visitor.post(path, form_on, **fields).status_code == 200
    return visitor.post(path, form_on, **fields)


def count(bridge: Bridge, table: Any) -> int:
    with bridge.app_state.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_orders_have_a_rate(bridge: Bridge, driver: Visitor) -> None:
    page = "/charge-points/home-1/charging"
    refused = post_until_refused(driver, f"{page}/pause", 30, page, hours=1)
    assert refused.status_code == 429
    assert "Too many changes at once" in refused.text
    assert "Try again in 1 minute." in refused.text
    ways: dict[str, dict[str, Any]] = {
        "override": {"on": "true"},
        "schedule": {"choice": "default"},
        "limit": {"amps": 6, "hours": 1},
        "resume": {},
    }
    for name, fields in ways.items():
        assert driver.post(f"{page}/{name}", page, **fields).status_code == 429, name
    assert count(bridge, commands) == 30
    bridge.clock.advance(60_000)
    assert driver.post(f"{page}/pause", page, hours=1).status_code == 200


def test_messages_and_raising_have_one_rate(bridge: Bridge, driver: Visitor) -> None:
    unit = "/charge-points/home-1"
    for _ in range(6):
        assert driver.post("/support", text="Hello?").status_code == 200
        assert driver.post(f"{unit}/support", text="It hums.").status_code == 200
        assert driver.post("/support/1", text="Well?").status_code == 200
    assert post_until_refused(driver, f"{unit}/raise", 2, f"{unit}/support").status_code == 429
    ways: list[tuple[str, dict[str, Any]]] = [
        ("/support", {"text": "!"}),
        (f"{unit}/support", {"text": "!"}),
        ("/support/1", {"text": "!"}),
    ]
    for path, fields in ways:
        refused = driver.post(path, **fields)
        assert (refused.status_code, "Too many messages" in refused.text) == (429, True), path
    assert count(bridge, messages) == 20
    neighbour = Visitor(bridge, "ned", Role.DRIVER)
    assert neighbour.post("/support", text="Hello?").status_code == 200
    support = Visitor(bridge, "sue", Role.SUPPORT)
    for _ in range(25):
        assert support.post("/support/1", text="We look into it.").status_code == 200


def test_letters_have_a_rate(bridge: Bridge, driver: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    letters: list[str] = []
    monkeypatch.setattr(email, "send_mail", lambda _server, address, _words: letters.append(address))
    path, form_on = "/account/email", "/account/details"  # without a mail server, the page itself has no form
    for _ in range(3):
        refused = post_until_refused(driver, path, 5, form_on, address="stranger@example.org", password=PASSWORD)
        assert (refused.status_code, "Try again in 3 minutes." in refused.text) == (429, True)
        bridge.clock.advance(QUARTER_MS)
    refused = post_until_refused(driver, path, 5, form_on, address="stranger@example.org", password=PASSWORD)
    assert (refused.status_code, "Look for the one that we sent" in refused.text) == (429, True)
    bridge.clock.advance(QUARTER_MS)
    assert driver.post(path, form_on, address="stranger@example.org", password=PASSWORD).status_code == 429
    assert len(letters) == 20, "of a day"
    assert count(bridge, email_changes) == 1


def test_copies_of_ones_own_data_have_a_rate(driver: Visitor) -> None:
    refused = post_until_refused(driver, "/account/data/export", 5, "/account/data")
    assert (refused.status_code, "Too many copies" in refused.text) == (429, True)


def test_reports_have_a_rate(bridge: Bridge, driver: Visitor) -> None:
    installer = Visitor(bridge, "ingo", Role.INSTALLER)
    entrust(bridge, "home-1", "ingo")
    path = Visitor(bridge, "sue", Role.SUPPORT).post("/charge-points/home-1/jobs", reason="Weak signal").url.path
    answers = []
    for _ in range(21):
        form = installer.get(path).split('name="form" value="')[1][:64]
        report = {"report": ("r", b"CSQ 17")}
        answers.append(installer.client.post(f"{path}/report", data={"form": form}, files=report).status_code)
    assert answers == [200] * 20 + [429]
    assert driver.name
