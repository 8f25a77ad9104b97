"""Does a real Prometheus, with the files of the guide, read a running bridge?"""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.ports import free_ports

PROMETHEUS = shutil.which("prometheus")
MONITORING = CHECKOUT / "cloud_bridge" / "deploy" / "monitoring"
WITHIN_S = 60.0

pytestmark = pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not here: it is a package of Debian's")


class Prometheus:
    """A Prometheus with the guide's configuration. Only address, token file and intervals are this test's."""

    def __init__(self, folder: Path, bridge_port: int, token: str) -> None:
        folder.mkdir()
        (self.port,) = free_ports(1)
        self.log = folder / "prometheus.log"
        (folder / "token").write_text(token)
        (folder / "token").chmod(0o600)
        shutil.copy(MONITORING / "rules.yml", folder)
        configuration = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
        configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        (job,) = configuration["scrape_configs"]
        job["authorization"]["credentials_file"] = str(folder / "token")
        job["static_configs"][0]["targets"] = [f"127.0.0.1:{bridge_port}"]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    str(PROMETHEUS),
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdout=output,
                stderr=output,
                preexec_fn=die_with_parent,
            )

    def asked(self, expression: str) -> list[Any]:
        """Return the result of a query. Raises OSError while Prometheus does not answer."""
        words = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/query?{words}", timeout=WITHIN_S) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
            return found

    def wait_for(self, expression: str) -> list[Any]:
        give_up_s = time.monotonic() + WITHIN_S
        while time.monotonic() < give_up_s and self._process.poll() is None:
            try:
                if found := self.asked(expression):
                    return found
            except OSError:
                pass  # Prometheus is still starting
            time.sleep(0.1)
        raise AssertionError(f"{expression} found nothing\n{self.log.read_text()[-2000:]}")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(WITHIN_S)


@contextmanager
def prometheus(cloud: CloudFixture, token: str) -> Iterator[Prometheus]:
    running = Prometheus(cloud.folder / "prometheus", cloud.http_port, token)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[CloudFixture]:
    fixture = CloudFixture(tmp_path)
    try:
        fixture.start()
        yield fixture
    finally:
        fixture.stop()


def test_it_reads_the_bridge_with_the_token_of_the_guide(cloud: CloudFixture) -> None:
    cloud.add_units(["cp-1"])
    token = cloud.command("token", "add", "--name", "prometheus", "--scope", "read", "--scope", "operate")["token"]
    with prometheus(cloud, token) as running:
        running.wait_for('up{job="chargekeeper"} == 1')
        running.wait_for("max(chargekeeper_units) == 1")
        dashboard = json.loads((MONITORING / "dashboard.json").read_text())
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                running.asked(target["expr"])  # raises if Prometheus rejects the expression
        assert running.asked('ALERTS{severity="page"}') == []


def test_a_bridge_that_lets_it_not_in_counts_as_down(cloud: CloudFixture) -> None:
    token = cloud.command("token", "add", "--name", "reader", "--scope", "read")["token"]
    with prometheus(cloud, token) as running:
        running.wait_for('up{job="chargekeeper"} == 0')
        running.wait_for('ALERTS{alertname="ChargekeeperDown", alertstate="pending"}')
