"""Do pages say in plain words which node of a cluster does not receive, without calling units behind it silent?"""

from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cloud_bridge.contact import SILENT_AFTER_MS, Listened
from cloud_bridge.path_ledger import PathLedger
from cloud_bridge.paths import EVERY, path_number
from cloud_bridge.store.inbound_message import InboundMessage
from cloud_bridge.store.people import Role
from cloud_bridge.store.presence import Presence, record_presence
from cloud_bridge.store.record import record
from cloud_bridge.web.app import create_app
from cloud_bridge.web.presentation.words import listed
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import START_MS, TOKEN, running_bridge

N1, N2 = path_number("n1"), path_number("n2")
DOORS = (("n1", N1), ("n2", N2))
LONG_MS = 2 * SILENT_AFTER_MS


@pytest.mark.parametrize(
    ("node", "contact", "names_it"), [("n1", "silent", False), ("n2", "unknown", True), ("", "unknown", True)]
)
def test_of_a_unit_behind_a_deaf_node_nobody_says_that_it_is_silent(
    tmp_path: Path, node: str, contact: str, names_it: bool
) -> None:
    """n2 has been down for an hour; all units were last heard just before."""
    with running_bridge(tmp_path) as bridge:
        bridge.add_unit("cp-1")
        bridge.send_canary()
        ledger = PathLedger([], {}, {N1: "n1", N2: "n2"}, START_MS)
        heard = InboundMessage("cp-1", "heartbeat", START_MS, b"{}", None, False, doors=DOORS, stored_by_ms=START_MS)
        with bridge.app_state.database.writing() as connection:
            record_presence(connection, [Presence("cp-1", True, node, START_MS)])
            record(connection, [heard], START_MS)
        bridge.clock.advance(LONG_MS)
        now_ms = bridge.clock.now_ms()
        rows = {number: Listened(START_MS, 0, START_MS) for number in (N2, EVERY)}
        ledger.learn([], rows | {N1: Listened(now_ms, LONG_MS, now_ms)}, now_ms)
        app_state = replace(bridge.app_state, ledger=ledger)
        client = TestClient(create_app(app_state), headers={"Authorization": f"Bearer {TOKEN}"})
        assert client.get("/api/charge-points/cp-1").json()["contact"] == contact
        assert client.get("/healthz").json()["deaf_nodes"] == ["n2"]
        bridge.client = client
        dora = Visitor(bridge, "dora", Role.OPERATOR)
        assert "Part of our service is not listening: n2" in dora.get("/status")
        page = dora.get("/charge-points/cp-1")
        assert ("Part of our service is not listening now: n2." in page) == names_it


def test_names_in_a_row_read_as_people_say_them() -> None:
    assert [listed([]), listed(["n1"]), listed(["n1", "n2"]), listed(["n1", "n2", "n3"])] == [
        "",
        "n1",
        "n1 and n2",
        "n1, n2 and n3",
    ]
