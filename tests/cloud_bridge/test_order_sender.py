"""Does a connected unit get its command, another one when it reconnects, and neither twice?"""

import asyncio

from cloud_bridge.order_sender import OrderSender
from cloud_bridge.releases.roll_out_states import UnitState
from cloud_bridge.store import roll_outs
from tests.cloud_bridge.releases.rolling_out import MADE, NAME, add_release, start, state_of
from tests.cloud_bridge.running import DEADLINE_S, Bridge, Unit


def send(bridge: Bridge) -> None:
    """Send as a process does that has just started."""
    sender = OrderSender(bridge.app_state)
    asyncio.run_coroutine_threadsafe(sender.send(), bridge.app_state.loop).result(DEADLINE_S)


def connected(bridge: Bridge, secret: str) -> Unit:
    unit = Unit(bridge, "cp-1", secret).connect()
    unit.subscribe("cp/cp-1/command")
    unit.publish("cp/cp-1/heartbeat", b'{"n":1,"b":1}')
    unit.publish("cp/cp-1/event", b'{"n":0,"b":1,"k":"boot","d":{"board":"tcall"}}')
    return unit


def state(bridge: Bridge) -> UnitState:
    with bridge.app_state.database.reading() as connection:
        return state_of(connection, "cp-1")[0]


def test_an_order_is_sent_once_and_answered(bridge: Bridge) -> None:
    unit = connected(bridge, bridge.add_unit("cp-1").secret)
    with bridge.app_state.database.writing() as connection:
        add_release(connection)
        number = start(connection)
    send(bridge)
    send(bridge)
    bridge.until(lambda: unit.commands, "an order")
    (order,) = unit.commands
    assert order | {"id": ""} == {"id": "", "do": "update", "v": "1.4.0", "h": NAME, "m": len(MADE.whole), "r": False}
    unit.publish("cp/cp-1/result", b'{"n":2,"b":1,"id":"%s","ok":true}' % order["id"].encode())
    assert state(bridge) is UnitState.TAKEN
    with bridge.app_state.database.writing() as connection:
        bridge.clock.advance(1000)
        roll_outs.stop(connection, number, "stopped", bridge.clock.now_ms())
    send(bridge)
    bridge.until(lambda: len(unit.commands) == 2, "the withdrawal")
    withdrawal = unit.commands[1]
    assert (withdrawal["do"], withdrawal["v"]) == ("update", "")
    unit.publish("cp/cp-1/result", b'{"n":3,"b":1,"id":"%s","ok":true}' % withdrawal["id"].encode())
    assert state(bridge) is UnitState.WITHDRAWN


def test_a_unit_that_is_away_gets_its_order_when_it_is_back(bridge: Bridge) -> None:
    """[S1-3a]"""
    secret = bridge.add_unit("cp-1").secret
    first = connected(bridge, secret)
    with bridge.app_state.database.writing() as connection:
        add_release(connection)
        start(connection)
    first.disconnect()
    bridge.until(lambda: not bridge.app_state.live.unit("cp-1").connected, "gone")
    send(bridge)
    assert state(bridge) is UnitState.WAITING
    second = connected(bridge, secret)
    send(bridge)
    bridge.until(lambda: second.commands, "an order")
    assert first.commands == []
    assert state(bridge) is UnitState.ORDERED
