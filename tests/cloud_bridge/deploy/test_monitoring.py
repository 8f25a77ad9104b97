"""Do the Prometheus rules fire when they should, by Prometheus's own promtool, and are their metrics exported?"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from tests.cloud_bridge.deploy.deployed import DEPLOY
from tests.cloud_bridge.running import Bridge, Unit

MONITORING = DEPLOY / "monitoring"
PROMTOOL = shutil.which("promtool")
RULES = yaml.safe_load((MONITORING / "rules.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())
METRIC = re.compile(r"\bchargekeeper_\w+")
OF_PROMETHEUS = "up"

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not here: Debian's package prometheus has it")

BACKUP_FAILED = 'node_systemd_unit_state{name="chargekeeper-backup.service", state="failed"}'
BACKUP_TIMER = 'node_systemd_timer_last_trigger_seconds{name="chargekeeper-backup.timer"}'

# Half an hour with one value a minute: (series, its values, the alert at the end).
CASES = [
    ('up{job="chargekeeper", instance="a"}', "1x30", None),
    ('up{job="chargekeeper", instance="a"}', "0x30", "ChargekeeperDown"),
    ("chargekeeper_listening", "1x30", None),
    ("chargekeeper_listening", "0x30", "ChargekeeperHearsNothing"),
    ("chargekeeper_store_trouble", "1x30", "ChargekeeperCannotStore"),
    ("chargekeeper_waiting", "4000x30", None),
    ("chargekeeper_waiting", "5001x30", "ChargekeeperFallsBehind"),
    ("chargekeeper_upkeep", "1x30", None),
    ("chargekeeper_upkeep", "0x30", "ChargekeeperUpkeepStands"),
    ('chargekeeper_duty_late{duty="alerts"}', "1x30", "ChargekeeperDutyLate"),
    ("chargekeeper_rejected", "3x30", None),
    ("chargekeeper_rejected", "0+1x30", "ChargekeeperDataKeptAside"),
    ('chargekeeper_messages_total{what="failed_messages"}', "0+1x30", "ChargekeeperFaultOfOurs"),
    ('chargekeeper_messages_total{what="contacts"}', "0+1x30", None),
    ('chargekeeper_messages_total{what="letters_failed"}', "0+1x30", "ChargekeeperAlertsNotDelivered"),
    ('chargekeeper_messages_total{what="alerts_given_up"}', "0+1x30", "ChargekeeperAlertsNotDelivered"),
    ("chargekeeper_units_duplicate", "1x30", "ChargekeeperTwoWithOneIdentity"),
    ("chargekeeper_security_log_dropped", "0+1x30", "ChargekeeperSecurityLogDropped"),
    (BACKUP_FAILED, "0x30", None),
    (BACKUP_FAILED, "1x30", "ChargekeeperBackupMissing"),
    (BACKUP_TIMER, "0x30", None),  # it has not run yet
    (BACKUP_TIMER, "-90000x30", None),  # promtool's time begins at 0: 25 hours before that
    (BACKUP_TIMER, "-93600x30", "ChargekeeperBackupMissing"),
]
SILENT = [(1000, 11, False), (1000, 50, False), (1000, 51, True), (20, 10, False), (20, 11, True)]


def values(told: str) -> str:
    """Return the values in promtool's notation: 3x30 is 3+0x30."""
    return told if "+" in told else told.replace("x", "+0x")


def test_every_rule_is_tried() -> None:
    assert {rule["alert"] for rule in RULES} == {alert for *_, alert in CASES if alert} | {"ChargekeeperManySilent"}


def test_every_rule_says_how_urgent_it_is_and_what_to_do() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]


def test_every_metric_that_is_asked_for_is_told(bridge: Bridge) -> None:
    unit = Unit(bridge, "cp-1", bridge.add_unit("cp-1").secret).connect()
    unit.publish("cp/cp-1/heartbeat", b"{}")
    told = set(METRIC.findall(bridge.client.get("/metrics").text))
    asked = {name for rule in RULES for name in METRIC.findall(rule["expr"])}
    asked |= {name for panel in DASHBOARD["panels"] for one in panel["targets"] for name in METRIC.findall(one["expr"])}
    assert asked and asked <= told


def test_the_dashboard_names_what_it_shows() -> None:
    panels = DASHBOARD["panels"]
    assert all(panel["title"] and panel["description"] and panel["targets"] for panel in panels)
    assert len({panel["id"] for panel in panels}) == len(panels)


@needs_promtool
def test_prometheus_takes_the_files() -> None:
    for words in (["check", "rules", "rules.yml"], ["check", "config", "--syntax-only", "prometheus.yml"]):
        promtool(MONITORING, *words)


@needs_promtool
def test_prometheus_takes_what_the_dashboard_asks(tmp_path: Path) -> None:
    asked = [one["expr"] for panel in DASHBOARD["panels"] for one in panel["targets"]]
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(asked)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool(tmp_path, "check", "rules", "panels.yml")


@needs_promtool
def test_each_rule_alerts_when_it_should(tmp_path: Path) -> None:
    tries = [story({series: values(told)}, alert) for series, told, alert in CASES]
    for units, silent, is_told in SILENT:
        series = {"chargekeeper_units": f"{units}+0x30", "chargekeeper_units_silent": f"{silent}+0x30"}
        tries.append(story(series, "ChargekeeperManySilent" if is_told else None))
    shutil.copy(MONITORING / "rules.yml", tmp_path)
    (tmp_path / "stories.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tries})
    )
    promtool(tmp_path, "test", "rules", "stories.yml")


def story(series: dict[str, str], alert: str | None) -> dict[str, Any]:
    """Return a test of half an hour with this alert, and no other, at its end; None: no alert."""
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": told} for name, told in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "29m",
                "exp_samples": [] if alert is None else [{"labels": f'{{alertname="{alert}"}}', "value": 1}],
            }
        ],
    }


def promtool(folder: Path, *words: str) -> None:
    done = subprocess.run([str(PROMTOOL), *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
