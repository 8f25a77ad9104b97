"""With a running broker: does a unit without the time, and no other, get it as a command?"""

import asyncio
import json
from pathlib import Path

import pytest

from cloud_bridge.telling_time import AGAIN_MS, TimeTeller
from cloud_bridge.verified_time import OFF_MS
from tests.cloud_bridge.running import DEADLINE_S, START_MS, Bridge, Machine, Unit, running_bridge, sample
from tests.wire_schema import complaints


def connected(bridge: Bridge) -> Unit:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.subscribe("cp/cp-1/command")
    return unit


def heartbeat_at(number: int, unit_time_s: int) -> bytes:
    return json.dumps(json.loads(sample("heartbeat-idle")) | {"n": number, "t": unit_time_s}).encode()


def tell(bridge: Bridge, teller: TimeTeller) -> None:
    asyncio.run_coroutine_threadsafe(teller.tell(), bridge.app_state.loop).result(DEADLINE_S)


def test_a_unit_without_the_time_is_told_it_and_not_all_the_time(bridge: Bridge) -> None:
    unit, teller = connected(bridge), TimeTeller(bridge.app_state)
    unit.publish("cp/cp-1/heartbeat", sample("heartbeat-time-unknown"))
    tell(bridge, teller)
    assert unit.heard.wait(DEADLINE_S)
    (said,) = unit.commands
    assert (said["do"], said["t"]) == ("time", START_MS // 1000)
    assert complaints("command", said) == []
    assert set(said) == set(json.loads(sample("command-time")))

    for number in (2, 3):
        bridge.clock.advance(AGAIN_MS // 2)
        unit.publish("cp/cp-1/heartbeat", sample("heartbeat-time-unknown").replace(b'"n":1', b'"n":%d' % number))
        tell(bridge, teller)
    bridge.until(lambda: len(unit.commands) == 2, "told again after a while")


def test_a_unit_whose_time_cannot_be_is_told_it_though_its_message_is_refused(bridge: Bridge) -> None:
    unit, teller = connected(bridge), TimeTeller(bridge.app_state)
    unit.publish("cp/cp-1/heartbeat", b'{"n":1,"b":1,"t":4294967295}')
    tell(bridge, teller)
    assert unit.heard.wait(DEADLINE_S)
    assert [(said["do"], said["t"]) for said in unit.commands] == [("time", START_MS // 1000)]
    assert bridge.counter("bad_payloads") == 1


@pytest.mark.parametrize("off_s", [OFF_MS // 1000 + 1, 3_600, -3_600, 3 * 365 * 86_400])
def test_a_unit_whose_clock_is_wrong_is_told_the_time(bridge: Bridge, off_s: int) -> None:
    unit, teller = connected(bridge), TimeTeller(bridge.app_state)
    unit.publish("cp/cp-1/heartbeat", heartbeat_at(1, START_MS // 1000 + off_s))
    tell(bridge, teller)
    assert unit.heard.wait(DEADLINE_S)
    assert [(said["do"], said["t"]) for said in unit.commands] == [("time", START_MS // 1000)]
    assert bridge.counter("wrong_unit_clocks") == 1
    unit.publish("cp/cp-1/heartbeat", heartbeat_at(2, START_MS // 1000))
    tell(bridge, teller)
    assert bridge.counter("wrong_unit_clocks") == 1


def test_while_our_own_clock_is_in_doubt_no_unit_is_corrected(tmp_path: Path) -> None:
    machine = Machine()
    with running_bridge(tmp_path, clock_from=lambda floor_ms: machine.clock(floor_ms)) as bridge:
        unit, teller = connected(bridge), TimeTeller(bridge.app_state)
        machine.set_by(3_600_000)
        unit.publish("cp/cp-1/heartbeat", heartbeat_at(1, START_MS // 1000))
        tell(bridge, teller)
        assert bridge.counter("wrong_unit_clocks") == 0


def test_a_unit_that_knows_the_time_is_left_alone(bridge: Bridge) -> None:
    unit, teller = connected(bridge), TimeTeller(bridge.app_state)
    unit.publish("cp/cp-1/heartbeat", heartbeat_at(1, bridge.clock.now_ms() // 1000 + OFF_MS // 1000))
    unit.publish("cp/cp-1/event", sample("event-boot-time-unknown"))
    tell(bridge, teller)
    assert bridge.command("cp-1", sample("command-limit"))
    assert unit.heard.wait(DEADLINE_S)
    assert [said["do"] for said in unit.commands] == ["limit"]
