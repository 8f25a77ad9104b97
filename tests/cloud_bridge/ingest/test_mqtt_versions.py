"""Does a broker that only supports MQTT 3.1.1 work as well for us as one with MQTT 5?"""

from pathlib import Path

from tests.cloud_bridge.outside_broker import outside_bridge
from tests.cloud_bridge.running import START_MS

HEARTBEAT = b'{"n":1,"b":1,"s":"A1"}'


def test_mqtt_5_is_tried_and_3_1_1_is_taken(tmp_path: Path) -> None:
    with outside_bridge(tmp_path) as bridge:
        bridge.add_unit("home-1")
        bridge.broker.deliver("cp/home-1/heartbeat", HEARTBEAT, 77)
        bridge.until_acknowledged(77)
        assert bridge.contact_ms("home-1") == START_MS
    assert bridge.broker.levels == [5, 4]
