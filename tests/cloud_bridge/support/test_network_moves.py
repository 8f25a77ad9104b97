"""Is every network decision of a unit described on the driver's and the installer's page?"""

import pytest

from cloud_bridge.store.access import Role
from cloud_bridge.support.network_moves import Move, network_moves
from cloud_bridge.web.presentation import network_words
from modem import recovery_ladder, roaming
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge, Unit, sample


def row(kind: str, payload: str, unit_time_s: int | None = None) -> dict[str, object]:
    return {"kind": kind, "payload": payload, "unit_time_s": unit_time_s, "received_ms": 5000}


def test_both_pages_say_what_it_did_and_why(bridge: Bridge) -> None:
    unit = Unit(bridge, "home-1", bridge.add_unit("home-1").secret).connect()
    unit.publish("cp/home-1/event", sample("event-network-decision"))
    unit.publish("cp/home-1/event", b'{"n":65,"b":4,"k":"networks","d":{"23410":17,"23415":22}}')
    bridge.clock.advance(1)
    support = Visitor(bridge, "sam", Role.SUPPORT)
    for path in ("/charge-points/home-1/history", "/charge-points/home-1/jobs"):
        said = support.read(path)
        assert "Moved to O2" in said
        assert "Vodafone passes no data; O2 has CSQ 17" in said
        assert "Vodafone at CSQ 22, O2 at CSQ 17" in said


def test_a_scan_without_signal_is_not_a_strong_one() -> None:
    """99 means no reading; scans of LTE families report it."""
    payload = '{"k":"networks","d":{"23410":99,"23430":3,"23415":22}}'
    (move,) = network_moves([row("networks", payload)])
    assert move.why == "23415 at CSQ 22, 23430 at CSQ 3, 23410 (signal not measured)"


def test_the_time_is_the_units_own_where_it_knew_it() -> None:
    payload = '{"k":"network","d":{"do":"survey","o":"23415","why":"x"}}'
    assert network_moves([row("network", payload), row("network", payload, 3)]) == [
        Move(5000, "survey", "23415", "x"),
        Move(3000, "survey", "23415", "x"),
    ]


@pytest.mark.parametrize("details", ['{"from":"23430","to":"23415"}', '{"do":7}', "{}"])
def test_what_says_no_decision_is_none(details: str) -> None:
    payload = f'{{"k":"network","d":{details}}}'
    assert network_moves([row("network", payload), row("network", '{"k":"network"}'), row("boot", payload)]) == []


def test_there_are_words_for_everything_that_a_unit_does() -> None:
    decisions = {roaming.STAY, roaming.SURVEY, roaming.SWITCH, roaming.AUTOMATIC, "refused"}
    remedies = {do for _, do in recovery_ladder.LADDER} | {
        recovery_ladder.CONFIGURE,
        recovery_ladder.LOOK_FOR_FORBIDDEN,
        "clear forbidden",
    }
    assert decisions | remedies <= set(network_words.DID)


def test_a_word_of_a_newer_unit_is_told_as_one_that_we_do_not_know() -> None:
    assert network_words.told([Move(1, "{0.x} new", None, "why")])[0].did == "A step that we do not know ({0.x} new)"


@pytest.mark.parametrize("command", ["AT+CIICR: ERROR", "AT+NETOPEN: +NETOPEN: 1", "AT+QIACT=1: ERROR"])
def test_the_modems_own_words_are_not_for_people(command: str) -> None:
    move = Move(0, "reshut", None, f"1 min without contact: {command}")
    assert network_words.told([move])[0].why == "1 min without contact: the network opens no data service"
