"""Does time only count as listened while each way in was working?"""

from cloud_bridge.ingest.ways_in import MQTT, OCPP, WaysIn


def test_one_alone_says_it_itself() -> None:
    assert WaysIn().came(MQTT, 7) == 7
    assert WaysIn(OCPP).came(OCPP, 7) == 7


def test_of_two_the_one_that_is_behind_says_it() -> None:
    ways = WaysIn()
    ways.expect(OCPP)
    assert ways.came(MQTT, 1) is None, "a door that was never heard may have been deaf from the beginning"
    assert ways.came(OCPP, 2) == 1
    assert [ways.came(MQTT, at_ms) for at_ms in (5, 10, 15)] == [2, 2, 2]
    assert ways.came(OCPP, 16) == 15


def test_a_clock_that_was_set_back_is_followed() -> None:
    ways = WaysIn()
    ways.expect(OCPP)
    ways.came(MQTT, 1000)
    ways.came(OCPP, 1001)
    assert ways.came(MQTT, 500) == 500
    assert ways.came(OCPP, 501) == 500
