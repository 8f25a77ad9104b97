"""Does the History page say in plain words what a charge point did for a vehicle?"""

import pytest

from cloud_bridge.store.access import Role
from cloud_bridge.support.evidence import VEHICLE_EVENTS
from cloud_bridge.support.unit_events import UnitEvent
from cloud_bridge.web.presentation import vehicle_event_words
from firmware.charging import sequence
from tests.cloud_bridge.people import PASSWORD, Visitor, give
from tests.cloud_bridge.running import Bridge, Unit, sample
from tests.wire_schema import SCHEMA


def test_the_history_page_lists_wake_ups_and_rests_of_the_contactor(bridge: Bridge) -> None:
    new = bridge.add_unit("home-1")
    bridge.add_person("dora", PASSWORD, Role.DRIVER)
    give(bridge, new.claim_code, "dora")
    unit = Unit(bridge, "home-1", new.secret).connect()
    driver = Visitor(bridge, "dora")
    assert "What it did for the vehicle" not in driver.read("/charge-points/home-1/history")
    for name in ("event-wake-up", "event-contactor-rest", "event-draws-more"):
        unit.publish("cp/home-1/event", _now(sample(name)))
    bridge.clock.advance(1)
    said = driver.read("/charge-points/home-1/history")
    assert "What it did for the vehicle" in said
    assert "Tried to wake the vehicle Stopped offering current for 3 seconds, and offered it again" in said
    assert "Did not switch on for 40 seconds The vehicle had started and stopped too often" in said
    assert "Offered 2 A less The vehicle drew more current than it was offered" in said


def _now(payload: bytes) -> bytes:
    """Remove the time of the sample, which may be before the owner's time."""
    head, _, rest = payload.partition(b'"t":')
    return head + rest.partition(b",")[2]


def test_there_are_words_for_every_way_to_wake_a_vehicle() -> None:
    assert set(vehicle_event_words.WOKE) == set(SCHEMA["event.wake_up"]["by"].bound.split("|"))
    assert (sequence.NUDGE_MS, sequence.REPLUG_MS) == (3000, 4000), "the words say so"


@pytest.mark.parametrize("details", [{}, {"s": None}, {"s": "40"}, {"s": -1}, {"s": True}])
def test_a_rest_of_unknown_length_is_one_all_the_same(details: dict[str, object]) -> None:
    (told,) = vehicle_event_words.told([UnitEvent(0, "contactor_rest", details)])
    assert told.did == "Waited before it switched on again"


@pytest.mark.parametrize("details", [{}, {"a": 0}, {"a": "2"}])
def test_a_vehicle_that_obeys_no_offer_is_one_all_the_same(details: dict[str, object]) -> None:
    (told,) = vehicle_event_words.told([UnitEvent(0, "draws_more", details)])
    assert told.did == "Stopped for 10 minutes"


def test_there_are_words_for_every_kind() -> None:
    assert set(vehicle_event_words._TOLD) == set(VEHICLE_EVENTS)


@pytest.mark.parametrize("details", [{}, {"by": 7}, {"by": "singing"}])
def test_a_wake_up_of_a_newer_unit_is_one_all_the_same(details: dict[str, object]) -> None:
    (told,) = vehicle_event_words.told([UnitEvent(0, "wake_up", details)])
    assert told.did == "Tried to wake the vehicle"
