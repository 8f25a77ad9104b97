"""The real Home Assistant, in a separate environment (environment.py), set up over HTTP as a person would do it.

The onboarding creates a user, a form adds MQTT, and the REST and WebSocket APIs return its states. It listens on loopback and
installs nothing (`--skip-pip`).
"""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from websockets.sync.client import connect

from hil_tests.fixtures.children import die_with_parent

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 60.0
ANSWER_WITHIN_S = 30.0
WITHIN_S = 60.0
LOG_TAIL = 3000  # characters in the report of a failure

CONFIGURATION = """\
homeassistant:
  name: Home
  country: GB
  currency: GBP
  unit_system: metric
  time_zone: Europe/London
  latitude: 51.5
  longitude: -0.1
  elevation: 20
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
websocket_api:
config:
frontend:
recorder:
  commit_interval: 1
history:
energy:
"""

# Only the user step of its onboarding is left: the other steps add services on the internet.
ONBOARDING = {
    "version": 4,
    "minor_version": 1,
    "key": "onboarding",
    "data": {"done": ["core_config", "analytics", "integration"]},
}

State = dict[str, Any]


class HomeAssistant:
    """Nothing runs before `start`. The folder is kept, so that it is the same home after a restart."""

    def __init__(self, venv: Path, folder: Path, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._client_id = f"{self.address}/"
        self._command = [str(venv / "bin" / "hass"), "-c", str(folder), "--skip-pip", "--log-no-color"]
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._tokens: dict[str, Any] = {}

    def start(self) -> None:
        """Start it; return when it answers and its set-up is complete. The first start creates its user."""
        if not self._folder.exists():
            (self._folder / ".storage").mkdir(parents=True)
            (self._folder / ".storage" / "onboarding").write_text(json.dumps(ONBOARDING))
            (self._folder / "configuration.yaml").write_text(CONFIGURATION.format(port=self._port))
        with (self._folder / "program.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, preexec_fn=die_with_parent)
        self.until(lambda: self._answers("/manifest.json"), "it never answered", READY_WITHIN_S)
        if not self._tokens:
            self._make_user()
        self.until(lambda: self.get("/api/config")["state"] == "RUNNING", "it never ran", READY_WITHIN_S)

    def stop(self) -> None:
        """Stop it as systemd does."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def add_mqtt(self, port: int, user: str, password: str) -> dict[str, Any]:
        """Send the form "Settings, Devices, Add integration, MQTT". Return its answer, in which `type` is `create_entry` if
        Home Assistant has connected."""
        flow = self.post("/api/config/config_entries/flow", {"handler": "mqtt", "show_advanced_options": False})
        said = {"broker": "127.0.0.1", "port": port, "username": user, "password": password}
        answer: dict[str, Any] = self.post(f"/api/config/config_entries/flow/{flow['flow_id']}", said)
        return answer

    def states(self) -> dict[str, State]:
        """Return all states by entity id."""
        return {one["entity_id"]: one for one in self.get("/api/states")}

    def call(self, service: str, entity_id: str, **data: Any) -> None:
        """Call a service such as `number/set_value`."""
        self.post(f"/api/services/{service}", {"entity_id": entity_id, **data})

    def ask(self, kind: str, **words: Any) -> Any:
        """Send a command to the WebSocket API and return its result."""
        with connect(f"{self.address.replace('http', 'ws')}/api/websocket", open_timeout=ANSWER_WITHIN_S) as socket:
            socket.recv(ANSWER_WITHIN_S)
            socket.send(json.dumps({"type": "auth", "access_token": self._tokens["access_token"]}))
            socket.recv(ANSWER_WITHIN_S)
            socket.send(json.dumps({"id": 1, "type": kind, **words}))
            answer = json.loads(socket.recv(ANSWER_WITHIN_S))
        assert answer["success"], answer
        return answer["result"]

    def browser_storage(self) -> str:
        """Return the local storage of its frontend after a login, for a browser to be logged in."""
        kept = {
            **self._tokens,
            "hassUrl": self.address,
            "clientId": self._client_id,
            "expires": (time.time() + 1700) * 1000,
        }
        return json.dumps(kept)

    def log(self) -> str:
        return (self._folder / "program.log").read_text("utf-8", "replace")

    def get(self, path: str) -> Any:
        """Get JSON from its REST API. Raises OSError."""
        return self._request(path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Post JSON to its REST API. Raises OSError."""
        return self._request(path, json.dumps(body).encode())

    def until(self, condition: Callable[[], object], complaint: str, within_s: float = WITHIN_S) -> None:
        give_up_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < give_up_s, f"{complaint}\n{self.log()[-LOG_TAIL:]}"
            time.sleep(0.1)

    def _make_user(self) -> None:
        user = {"name": "Dora", "username": "dora", "password": "correct horse", "language": "en"}
        code = self.post("/api/onboarding/users", {**user, "client_id": self._client_id})["auth_code"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": self._client_id}
        request = urllib.request.Request(f"{self.address}/auth/token", data=urlencode(form).encode())
        with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:
            self._tokens = json.load(answer)

    def _answers(self, path: str) -> bool:
        with suppress(OSError):
            self.get(path)
            return True
        return False

    def _request(self, path: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._tokens:
            headers["Authorization"] = f"Bearer {self._tokens['access_token']}"
        request = urllib.request.Request(f"{self.address}{path}", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise OSError(f"{path}: {error.code} {error.read()[:500]!r}") from error
