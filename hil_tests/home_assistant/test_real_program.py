"""Does the real Home Assistant show exactly what the cloud has, and does the charge point receive its commands?"""

import time
from typing import Any

from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.fixtures.passed_time import minutes_pass
from hil_tests.home_assistant.conftest import Home

CHARGING: dict[str, Any] = {"s": "C2", "m": "smart", "q": 17, "a": 16, "w": 3600, "e": 123_456, "f": []}
VALUES = {
    "sensor.one_contact": "online",
    "sensor.one_state": "charging",
    "sensor.one_power": "3600",
    "sensor.one_energy": "123.456",
    "sensor.one_current_offered": "16",
    "sensor.one_mobile_signal": "17",
    "sensor.one_mode": "smart",
    "sensor.one_faults": "none",
    "binary_sensor.one_fault": "off",
    "number.one_current_limit": "16",
}
OF_CONTACT = {"sensor.one_last_contacted", "sensor.one_contact", "sensor.one_last_order"}  # available when silent
NAMES = {
    f"chargekeeper_one_{name}" for name in ("last_contact", "contact", "state", "power", "energy", "current_offered")
}
NAMES |= {f"chargekeeper_one_{name}" for name in ("limited_by", "fault", "faults", "signal", "mode", "order")}
NAMES |= {f"chargekeeper_one_{name}" for name in ("charge_now", "pause", "clear", "limit")}


def beat(unit: MqttUnit, **changed: Any) -> None:
    """Send a heartbeat with the time. Without it, a unit would receive one more command, which sets the time."""
    unit.report("heartbeat", t=int(time.time()), **CHARGING | changed)


def charging(dora: Home) -> MqttUnit:
    """Connect the unit; return it when Home Assistant has its values."""
    unit = dora.cloud.connect(dora.units["one"])
    unit.subscribe_to_commands()
    beat(unit)
    beat(dora.cloud.connect(dora.units["two"]))
    assert dora.home.add_mqtt(dora.port, "dora", dora.token)["type"] == "create_entry"
    for entity_id, state in VALUES.items():
        dora.until(entity_id, state)
    return unit


def test_values_and_orders(dora: Home) -> None:
    assert dora.home.add_mqtt(dora.port, "dora", "x" * 43)["errors"] == {"base": "cannot_connect"}
    unit = charging(dora)
    assert dora.entities() == NAMES, "and nothing of the unit that is nobody's"
    told = dora.cloud.charge_point("one")["last_contact"]
    assert dora.state("sensor.one_last_contacted") == f"{told[:19]}+00:00"
    (energy,) = [
        one for one in dora.home.ask("recorder/list_statistic_ids") if one["statistic_id"] == "sensor.one_energy"
    ]
    assert (energy["has_sum"], energy["statistics_unit_of_measurement"]) == (True, "kWh"), (
        "the Energy dashboard takes it"
    )

    dora.home.call("number/set_value", "number.one_current_limit", value=10)
    limit = unit.next_command()
    assert (limit["do"], limit["amps"]) == ("limit", 10)
    unit.report("result", id=limit["id"], ok=False, y="time unknown")
    dora.until("sensor.one_last_order", "limit 10 A: refused (time unknown)")
    assert dora.state("number.one_current_limit") == "16", "what was refused is not shown"

    dora.home.call("number/set_value", "number.one_current_limit", value=10)
    limit = unit.next_command()
    unit.report("result", id=limit["id"], ok=True)
    beat(unit, a=10, l=10, y="cloud")
    dora.until("number.one_current_limit", "10")
    assert dora.state("sensor.one_limited_by") == "cloud"

    for button, do in (("charge_now", "override"), ("pause", "pause"), ("clear_limit_and_pause", "resume")):
        dora.home.call("button/press", f"button.one_{button}")
        assert unit.next_command()["do"] == do
    beat(unit, s="C1", a=0, w=0, f=["rcd_ac"])
    dora.until("sensor.one_state", "fault")
    assert (dora.state("binary_sensor.one_fault"), dora.state("sensor.one_faults")) == ("on", "rcd ac")
    assert dora.state("number.one_current_limit") == "unknown", "nothing is allowed, and no limit is that"


def test_availability_is_contact_and_restarts_keep_everything(dora: Home) -> None:
    unit = charging(dora)
    dora.cloud.stop_bridge()
    dora.until("sensor.one_contact", "unavailable")
    unit.close()
    minutes_pass(dora.cloud.folder / "chargekeeper.db", 120)
    dora.cloud.start()
    dora.until("sensor.one_contact", "silent")
    states = {key: one["state"] for key, one in dora.home.states().items() if ".one_" in key}
    assert {key for key, state in states.items() if state != "unavailable"} == OF_CONTACT, states

    dora.home.stop()
    dora.home.start()
    dora.until("sensor.one_contact", "silent")
    dora.until("sensor.one_power", "unavailable")
    beat(dora.cloud.connect(dora.units["one"]))
    for entity_id, state in VALUES.items():
        dora.until(entity_id, state)
    assert dora.entities() == NAMES


def test_what_is_sold_is_gone_also_if_nobody_was_there(dora: Home) -> None:
    charging(dora)
    dora.claim("two")
    dora.until("sensor.two_power", "unknown")  # its values from before the claim are not hers
    dora.cloud.command("unit", "release", "one")
    dora.home.until(lambda: not dora.entities() & NAMES, "what was sold stays")
    assert "chargekeeper_two_power" in dora.entities()

    dora.cloud.stop_bridge()
    dora.cloud.command("unit", "release", "two")
    dora.cloud.start()
    dora.home.until(lambda: not dora.entities(), "what was sold while we did not run stays")
    assert not [one for one in dora.home.ask("config/device_registry/list") if one["manufacturer"] == "Chargekeeper"]
