"""Does the HTTP API report the truth, and only to those who may read it?"""

from pathlib import Path

import pytest

from cloud_bridge.contact import OUTAGE_AFTER_MS
from cloud_bridge.durations import MINUTE_MS
from cloud_bridge.store.access import Role
from cloud_bridge.store.tokens import add_token
from cloud_bridge.web.api import paging
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import START_MS, TOKEN, Bridge, HandClock, Unit, running_bridge, sample

HEARTBEAT = "cp/cp-1/heartbeat"


def test_a_unit_that_was_just_added(bridge: Bridge) -> None:
    bridge.add_unit("cp-1")
    said = bridge.read("cp-1")
    assert said["id"] == "cp-1"
    assert said["last_contact"] is None
    assert said["contact"] == "never"
    for key in ("state", "mode", "csq", "operator", "faults", "amps", "watts", "total_wh"):
        assert said[key] is None


def test_the_firmware_is_that_of_the_last_boot(bridge: Bridge) -> None:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    bridge.add_unit("cp-2")
    for number, (payload, version) in enumerate(BOOTS):
        unit.publish("cp/cp-1/event", payload.replace(b'"n":0', b'"n":%d' % number))
        assert bridge.read("cp-1")["firmware"] == version
        bridge.clock.advance(1)
    assert [one["firmware"] for one in bridge.client.get("/api/charge-points").json()] == ["0.1.0", None]
    unit.publish("cp/cp-1/event", sample("event-fault-raised"))
    assert bridge.read("cp-1")["firmware"] == "0.1.0"


def test_the_contactor_s_closings_are_those_of_the_last_daily_report(bridge: Bridge) -> None:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    assert bridge.read("cp-1")["contactor_closings"] is None
    unit.publish("cp/cp-1/event", sample("event-boot-tls"))
    assert bridge.read("cp-1")["contactor_closings"] is None
    unit.publish("cp/cp-1/event", sample("event-day"))
    assert bridge.read("cp-1")["contactor_closings"] == 1302
    assert [one["contactor_closings"] for one in bridge.client.get("/api/charge-points").json()] == [1302]
    for number, closings in enumerate((b"-1", b'"1303"', b"true", b"1e400", b"99999999999999999999")):
        unit.publish("cp/cp-1/event", b'{"n":%d,"b":99,"k":"day","d":{"closings":%s}}' % (number, closings))
        assert bridge.read("cp-1")["contactor_closings"] in (None, 1302)


def test_the_modem_is_that_of_the_last_boot(bridge: Bridge) -> None:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    assert bridge.read("cp-1")["modem"] is None
    unit.publish("cp/cp-1/event", sample("event-modem").replace(b"A7670E-FASE", b"SIMCOM_SIM800L"))
    bridge.clock.advance(1)
    unit.publish("cp/cp-1/event", sample("event-modem").replace(b'"n":2', b'"n":3'))
    assert bridge.read("cp-1")["modem"] == "A7670E-FASE"
    assert [one["modem"] for one in bridge.client.get("/api/charge-points").json()] == ["A7670E-FASE"]
    bridge.clock.advance(1)
    unit.publish("cp/cp-1/event", b'{"n":4,"b":9,"k":"modem","d":{"model":null,"family":"sim800"}}')
    assert bridge.read("cp-1")["modem"] is None


BOOTS = (
    (sample("event-boot").replace(b"0.1.0", b"0.0.9"), "0.0.9"),
    (sample("event-boot-time-unknown"), None),  # of a firmware that does not report it
    (b'{"n":0,"b":9,"k":"boot","d":{"v":7}}', None),
    (sample("event-boot").replace(b"0.1.0", b"x" * 99), "x" * 40),
    (sample("event-boot"), "0.1.0"),
)


def test_who_limits_the_current_is_told(bridge: Bridge) -> None:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.publish(HEARTBEAT, sample("heartbeat-paused-by-schedule"))
    said = bridge.read("cp-1")
    assert (said["limited_by"], said["limited_until_s"]) == ("schedule", 1768215600)


@pytest.mark.parametrize(
    ("silence_ms", "contact"),
    [(0, "online"), (30 * MINUTE_MS, "online"), (30 * MINUTE_MS + 1, "silent"), (31 * MINUTE_MS, "silent")],
)
def test_silence_begins_after_thirty_minutes(bridge: Bridge, silence_ms: int, contact: str) -> None:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    bridge.clock.advance(silence_ms)
    said = bridge.read("cp-1")
    assert said["contact"] == contact
    assert said["silence_ms"] == silence_ms
    assert said["last_contact"] == "2026-01-01T00:00:00.000Z"


def test_a_message_after_silence_is_online_again_at_once(bridge: Bridge) -> None:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.publish(HEARTBEAT, sample("heartbeat-idle"))
    bridge.clock.advance(31 * MINUTE_MS)
    assert bridge.read("cp-1")["contact"] == "silent"
    unit.publish(HEARTBEAT, b"not even JSON")
    assert bridge.read("cp-1")["contact"] == "online"


def test_the_time_between_two_runs_of_ours_is_not_the_unit_s_silence(tmp_path: Path) -> None:
    clock = HandClock()
    with running_bridge(tmp_path, clock) as bridge:
        unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
        unit.publish(HEARTBEAT, sample("heartbeat-idle"))
        bridge.send_canary()
    clock.advance(60 * MINUTE_MS)
    with running_bridge(tmp_path, clock) as bridge:
        assert bridge.read("cp-1")["contact"] == "unknown"
        bridge.send_canary()
        assert bridge.read("cp-1")["contact"] == "unknown"
        for _ in range(30 * MINUTE_MS // OUTAGE_AFTER_MS):
            clock.advance(OUTAGE_AFTER_MS)
            bridge.send_canary()
        assert bridge.read("cp-1")["contact"] == "unknown"
        clock.advance(1)
        assert bridge.read("cp-1")["contact"] == "silent"
        bridge.send_canary()
    with running_bridge(tmp_path, clock) as bridge:
        assert bridge.read("cp-1")["contact"] == "silent", "what we have listened was stored"


def test_the_list_has_every_unit_by_id(bridge: Bridge) -> None:
    for unit_id in ("b", "a", "c"):
        bridge.add_unit(unit_id)
    assert [one["id"] for one in bridge.client.get("/api/charge-points").json()] == ["a", "b", "c"]


def test_a_long_list_comes_in_pages_that_lead_on(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE", 2)
    for unit_id in ("e", "b", "d", "a", "c"):
        bridge.add_unit(unit_id)
    told, path = [], "/api/charge-points"
    while path:
        answer = bridge.client.get(path)
        told.append([one["id"] for one in answer.json()])
        path = answer.links.get("next", {}).get("url", "")
    assert told == [["a", "b"], ["c", "d"], ["e"]]
    assert bridge.client.get("/api/charge-points?after=%00").status_code == 422


def test_an_unknown_unit_is_404(bridge: Bridge) -> None:
    assert bridge.client.get("/api/charge-points/nobody").status_code == 404


@pytest.mark.parametrize("path", ["/api/charge-points", "/api/charge-points/cp-1"])
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer guess", "Bearer \xfcber", f"Basic {TOKEN}", TOKEN])
def test_without_a_valid_token_nothing_is_told(bridge: Bridge, path: str, header: str | None) -> None:
    bridge.add_unit("cp-1")
    client = bridge.stranger()
    response = client.get(path, headers=[] if header is None else [(b"Authorization", header.encode("latin-1"))])
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "cp-1" not in response.text


def test_a_token_of_the_store_is_as_good_as_that_of_the_environment(bridge: Bridge) -> None:
    bridge.add_unit("cp-1")
    with bridge.app_state.database.writing() as connection:
        token = add_token(connection, START_MS)
    response = bridge.stranger().get("/api/charge-points/cp-1", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200


def test_a_stranger_is_told_only_whether_the_service_is_well(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    dora = Visitor(bridge, "dora", Role.DRIVER).client
    for client in (bridge.stranger(), dora):
        assert client.get("/healthz").json() == {"status": "ok"}
    monkeypatch.setattr(bridge.app_state.recorder, "_trouble", "disk full")
    for client in (bridge.stranger(), dora):
        response = client.get("/healthz")
        assert (response.status_code, response.json()) == (503, {"status": "in trouble"})


def test_a_process_that_lacks_something_is_not_ready_and_says_why(bridge: Bridge) -> None:
    lacks: list[str] = ["no login is answered yet"]
    bridge.app_state.duties.require(lambda: lacks[0] if lacks else None)
    response = bridge.client.get("/healthz")
    assert response.status_code == 503
    assert (response.json()["status"], response.json()["trouble"]) == ("not ready", "no login is answered yet")
    lacks.clear()
    assert bridge.client.get("/healthz").status_code == 200


def test_health_counts(bridge: Bridge) -> None:
    Unit(bridge, "nobody", "guess").connect()
    response = bridge.client.get("/healthz")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["counters"]["refused_unknown_unit"] == 1


def test_health_and_metrics_say_whether_this_process_does_the_upkeep(bridge: Bridge) -> None:
    assert bridge.client.get("/healthz").json()["upkeep"] == {"here": False, "since": None}
    assert "chargekeeper_upkeep 0.0" in bridge.client.get("/metrics").text
    bridge.app_state.leadership.look()
    bridge.clock.advance(1000)
    assert bridge.client.get("/healthz").json()["upkeep"] == {"here": True, "since": "2026-01-01T00:00:00.000Z"}
    metrics = bridge.client.get("/metrics").text
    assert "chargekeeper_upkeep 1.0" in metrics
    assert "chargekeeper_upkeep_since_timestamp_seconds 1.7672256e+09" in metrics


def test_health_says_when_nothing_can_be_stored(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    bridge.send_canary()
    assert bridge.client.get("/healthz").json()["listening"]
    monkeypatch.setattr(bridge.app_state.recorder, "_trouble", "disk full")
    response = bridge.client.get("/healthz")
    assert response.status_code == 503
    assert response.json()["trouble"] == "disk full"
    assert not response.json()["listening"], "what would not be acknowledged is not heard"


def test_answers_are_never_kept_by_the_browser(bridge: Bridge) -> None:
    response = bridge.client.get("/api/charge-points")
    assert response.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_a_body_of_no_stated_or_of_any_length_is_refused(bridge: Bridge) -> None:
    assert bridge.client.post("/login", content=iter([b"name=x"])).status_code == 411
    assert bridge.client.post("/login", content=b"x" * 70_000).status_code == 413
