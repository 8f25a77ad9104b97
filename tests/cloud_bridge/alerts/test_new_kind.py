"""Is an alert kind added by the files that .github/CONTRIBUTING.md lists, and no others?"""

import json
from pathlib import Path

from tests.copied_tree import CopiedTree

LOOK = """
import json
from pathlib import Path
import pytest
from cloud_bridge.alerts.kinds import AlertKind
from tests.cloud_bridge import alerting
from tests.cloud_bridge.people import Visitor
from cloud_bridge.store.people import Role
from tests.cloud_bridge.running import running_bridge
with running_bridge(Path("store")) as bridge, pytest.MonkeyPatch.context() as patched:
    sent = alerting.webhooks(patched)
    unit = alerting.unit_of(bridge, alerting.driver(bridge, "dora", (AlertKind.OPENED,)), "home-1")
    unit.publish("cp/home-1/event", b'{"b":1,"n":1,"k":"tamper","d":{"open":true}}')
    bridge.until(lambda: bridge.read("home-1")["last_contact"], "contact")
    alerting.look(bridge)
    page = Visitor(bridge, "ann", Role.DRIVER).read("/account/notifications")
    print(json.dumps({"alerts": sent, "page": page}))
"""


def test_a_new_alert_kind_takes_four_files(tmp_path: Path) -> None:
    tree = CopiedTree(tmp_path)
    tree.change(
        "cloud_bridge/alerts/kinds.py",
        {
            '    WEAK_SIGNAL = "weak_signal"': '    OPENED = "opened"\n    WEAK_SIGNAL = "weak_signal"',
            "    AlertKind.FAULT: HOUR_MS,": "    AlertKind.OPENED: HOUR_MS,\n    AlertKind.FAULT: HOUR_MS,",
            "        AlertKind.FAULT: f": '        AlertKind.OPENED: f"{unit_name} was opened.",\n        AlertKind.FAULT: f',
        },
    )
    tree.change(
        "cloud_bridge/alerts/detection.py",
        {
            '        elif row.kind == "boot"': '        elif row.kind == "tamper" and details.get("open") is True:\n'
            "            yield Happening(AlertKind.OPENED, row.unit_id, row.received_ms)\n"
            '        elif row.kind == "boot"'
        },
    )
    tree.change(
        "cloud_bridge/web/pages/everyone/own_data.py",
        {'    AlertKind.FAULT: "': '    AlertKind.OPENED: "It was opened",\n    AlertKind.FAULT: "'},
    )
    tree.run("-m", "tests.cloud_bridge.openapi")  # the fourth file
    seen = json.loads(tree.run("-c", LOOK))
    assert [alert["words"] for alert in seen["alerts"]] == ["home-1 was opened."]
    assert "It was opened" in seen["page"]
    tests = ("tests/cloud_bridge/web/api/test_openapi.py",)
    tree.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not client", *tests)
