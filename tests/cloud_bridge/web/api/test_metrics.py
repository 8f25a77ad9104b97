"""Are the metrics available for Prometheus, and only for those who run the service?"""

from cloud_bridge.store.access import Scope
from cloud_bridge.store.tokens import add_token
from tests.cloud_bridge.running import Bridge, Unit


def test_totals_are_told_without_a_label_for_each_unit(bridge: Bridge) -> None:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.publish("cp/cp-1/heartbeat", b"{}")
    said = bridge.client.get("/metrics").text
    assert 'chargekeeper_messages_total{what="contacts"} 1.0' in said
    assert "chargekeeper_units 1.0" in said
    assert "chargekeeper_connections 1.0" in said
    assert "cp-1" not in said


def test_metrics_need_a_token_with_the_scope(bridge: Bridge) -> None:
    assert bridge.stranger().get("/metrics").status_code == 401
    with bridge.app_state.database.writing() as connection:
        reader = add_token(connection, 0)
        operator = add_token(connection, 0, [Scope.READ, Scope.OPERATE])
    for token, status in ((reader, 403), (operator, 200)):
        answer = bridge.stranger().get("/metrics", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status
