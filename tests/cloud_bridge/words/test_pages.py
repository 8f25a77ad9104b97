"""Is every word on every page in the catalogue? Pages are read in a pseudo-language in which missing words show
(pseudo.py)."""

import re
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from cloud_bridge import passwords
from cloud_bridge.durations import DAY_MS, MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.people import find_person
from cloud_bridge.store.vehicles import add_row
from cloud_bridge.tariffs.presets import presets
from cloud_bridge.vehicles.linking.link import State
from cloud_bridge.words.formats import name_of
from tests.cloud_bridge.people import PASSWORD, Visitor, entrust, give
from tests.cloud_bridge.running import START_MS, Bridge, HandClock, Unit, running_bridge, sample
from tests.cloud_bridge.web.test_store_away import routes_of
from tests.cloud_bridge.words.no_words import NO_WORDS
from tests.cloud_bridge.words.pseudo import LANGUAGE, speak_pseudo
from tests.cloud_bridge.words.read_html import said_in, strays_of

# Names and texts without a Latin letter, so that any remaining letter is ours.
DRIVER, INSTALLER, SUPPORT, OPERATOR = "дора", "инго", "суе", "олга"
PEOPLE = {DRIVER: Role.DRIVER, INSTALLER: Role.INSTALLER, SUPPORT: Role.SUPPORT, OPERATOR: Role.OPERATOR}
TEXT = "Красный свет"
SILENT, NEVER = "cp-7", "cp-8"
STATES = {
    SILENT: "heartbeat-idle",
    "cp-1": "heartbeat-charging",
    "cp-2": "heartbeat-fault",
    "cp-3": "heartbeat-troubles",
    "cp-4": "heartbeat-paused-by-schedule",
    "cp-5": "heartbeat-charge-now-limited",
}
NAMES = [one.name for one in presets().values()] + [name_of(language) for language in ("en", "de", LANGUAGE)]
OWN = re.compile(  # names, ids, currencies, time zones, the code of the second factor, addresses, scripts' places
    "|".join(map(re.escape, NAMES))
    + r"|cp-\d+|[A-Z]{3}\b|[A-Z][A-Za-z_]+(?:/[A-Za-z_-]+){1,2}|(?:[A-Z0-9]{4} ){7}[A-Z0-9]{4}"
    r"|[A-Z0-9]{4}(?:-[A-Z0-9]{4}){2}|(?:otpauth://|http://|www\.)\S+|{\w+}|tesla"
)
NO_PAGES = (
    "/api/",
    "/static/",
    "/docs",
    "/openapi.json",
    "/metrics",
    "/healthz",
    "/livez",
    "/worker.js",
    "/manifest",
    "/offline",
)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    """Homes that each show a different state."""
    clock = HandClock(START_MS + 10 * DAY_MS)
    with pytest.MonkeyPatch.context() as patch, running_bridge(tmp_path_factory.mktemp("street"), clock) as bridge:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        for name, role in PEOPLE.items():
            bridge.add_person(name, PASSWORD, role)
        for unit_id in (*STATES, NEVER):
            _home(bridge, unit_id)
            if unit_id == SILENT:
                clock.advance(40 * MINUTE_MS)
                bridge.send_canary()
        _vehicle(bridge)
        driver = Visitor(bridge, DRIVER)
        driver.post("/charge-points/cp-1/support", text=TEXT)
        driver.post("/account/units/cp-1", name="Гараж", time_zone="Europe/London", currency="GBP", rate="24.5")
        Visitor(bridge, SUPPORT).post("/charge-points/cp-1/jobs", reason=TEXT)
        for path in ("limit", "pause", "override"):
            driver.post(f"/charge-points/cp-1/charging/{path}", "/charge-points/cp-1/charging", amps="16", hours="1")
        speak_pseudo(patch)
        yield bridge


def _home(bridge: Bridge, unit_id: str) -> None:
    new = bridge.add_unit(unit_id)
    give(bridge, new.claim_code, DRIVER)
    entrust(bridge, unit_id, INSTALLER)
    with bridge.app_state.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE units SET owned_from_ms = {START_MS - DAY_MS} WHERE id = '{unit_id}'")
    if unit_id in STATES:
        unit = Unit(bridge, unit_id, new.secret).connect()
        unit.publish(f"cp/{unit_id}/heartbeat", sample(STATES[unit_id]))


def _vehicle(bridge: Bridge) -> None:
    with bridge.app_state.database.writing() as connection:
        person_id = find_person(connection, DRIVER).id
        car = {"provider": "tesla", "car_id": "1", "vin": "5", "name": "Ёж", "created_ms": 0, "person_id": person_id}
        add_row(connection, car | {"state": State.ACCESS_LOST.value, "since_ms": START_MS})


@pytest.mark.parametrize("name", [*PEOPLE, ""], ids=[*PEOPLE.values(), "stranger"])
def test_what_a_page_says_is_in_the_catalogue(street: Bridge, name: str) -> None:
    client = Visitor(street, name).client if name else street.stranger()
    client.headers["Accept-Language"] = LANGUAGE
    paths = dict.fromkeys(
        path
        for unit_id in (*STATES, NEVER)
        for method, path in routes_of(client.app, {"unit_id": unit_id, "preset_id": "economy-7"})
        if method == "GET" and not path.startswith(NO_PAGES)
    )
    strays: dict[str, list[str]] = {}
    pages = 0
    for path in paths:
        answer = client.get(path)
        if answer.headers.get("content-type", "").startswith("text/html"):
            pages += 1
            for stray in strays_of(answer.text):
                if not NO_WORDS.fullmatch(OWN.sub("", said_in(stray))):
                    strays.setdefault(stray, []).append(path)
    assert pages > 60
    assert [f"{stray!r} on {sorted(where)[:3]}" for stray, where in strays.items()] == []
