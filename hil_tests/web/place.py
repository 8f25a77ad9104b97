"""A cloud that is being used: drivers, an installer, support, an operator, and chargers that talk or are silent.

The bridge is a real process with the real clock. Time is moved by stopping it, setting back what it stored, and starting
it again: for everybody else some minutes have passed in which it listened and heard nothing.
"""

import json
import math
import queue
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Page

from hil_tests.bridge import Bridge, free_ports
from hil_tests.rig.background import Background

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 20_000
ACKNOWLEDGED_WITHIN_S = 10
FIVE_MINUTES_MS = 300_000
DAY_MS = 24 * 3600 * 1000


class Charger:
    """A unit that says what it is told to say."""

    def __init__(self, unit_id: str, secret: str, mqtt_port: int) -> None:
        self.id = unit_id
        self._sequence = 0
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=unit_id)
        self._client.username_pw_set(unit_id, secret)
        self._client.reconnect_delay_set(1, 1)  # s, after the bridge was away
        self._connected = threading.Event()
        self._client.on_connect = lambda *_: self._connected.set()
        self._client.on_disconnect = lambda *_: self._connected.clear()
        self._client.connect("127.0.0.1", mqtt_port)
        self._client.loop_start()

    def says(self, kind: str, **keys: Any) -> None:
        """Returns when it is acknowledged."""
        assert self._connected.wait(ACKNOWLEDGED_WITHIN_S), "no connection to the bridge"
        self._sequence += 1
        said = {"n": self._sequence, "b": 1, **keys}
        sent = self._client.publish(f"cp/{self.id}/{kind}", json.dumps(said), 1)
        sent.wait_for_publish(ACKNOWLEDGED_WITHIN_S)

    def listen(self) -> "queue.Queue[dict[str, Any]]":
        """Where its commands arrive from now on."""
        heard: queue.Queue[dict[str, Any]] = queue.Queue()
        granted = threading.Event()
        self._client.on_message = lambda _client, _data, message: heard.put(json.loads(message.payload))
        self._client.on_subscribe = lambda *_: granted.set()
        self._client.subscribe(f"cp/{self.id}/command", 1)
        assert granted.wait(ACKNOWLEDGED_WITHIN_S)
        return heard

    def leave(self) -> None:
        """Says nothing more."""
        self._client.disconnect()
        self._client.loop_stop()


class Place:
    """The bridge and who is known to it. `logins` are name to password."""

    def __init__(self, folder: Path) -> None:
        self.http_port, self.mqtt_port = free_ports(2)
        self._folder = folder
        self._background = Background()
        self.bridge = Bridge(self.http_port, self.mqtt_port, folder)
        self._background.run(self.bridge.start())
        self.address = self.bridge.address
        self.logins: dict[str, str] = {}
        self.chargers: list[Charger] = []

    def close(self) -> None:
        """Ends what was started."""
        for charger in self.chargers:
            charger.leave()
        self._background.run(self.bridge.stop())
        self._background.close()

    def command(self, *words: str) -> dict[str, Any]:
        """The operator's command line."""
        return self._background.run(self.bridge.command(*words))

    def person(self, name: str, role: str) -> None:
        """Adds somebody."""
        self.logins[name] = self.command("user", "add", name, "--role", role)["password"]

    def unit(self, unit_id: str, owner: str) -> dict[str, Any]:
        """Adds a charger and claims it: its id, secret and claim code."""
        made = self.command("unit", "add", unit_id)
        self.command("unit", "claim", made["claim_code"], owner)
        return made

    def charger(self, unit_id: str, owner: str) -> Charger:
        """A charger of the owner's that talks."""
        made = self.unit(unit_id, owner)
        charger = Charger(unit_id, made["secret"], self.mqtt_port)
        self.chargers.append(charger)
        return charger

    def minutes_pass(self, minutes: int) -> None:
        """Moves the clock."""
        self.stop()
        back_ms = minutes * 60_000
        self.store(
            f"UPDATE contacts SET last_contact_ms = last_contact_ms - {back_ms}",
            f"UPDATE heartbeats SET received_ms = received_ms - {back_ms}",
            f"UPDATE contact_gaps SET from_ms = from_ms - {back_ms}, to_ms = to_ms - {back_ms}",
        )
        self.start()

    def stop(self) -> None:
        """No bridge for a while."""
        self._background.run(self.bridge.stop())

    def start(self) -> None:
        self._background.run(self.bridge.start())

    def two_weeks_of_signal(self, unit_id: str) -> None:
        """A signal around the line, and two silences."""
        now_ms = int(time.time() * 1000)
        rows = [
            (unit_id, at_ms // FIVE_MINUTES_MS * FIVE_MINUTES_MS, "23415", csq - 1, csq + 1, csq * 5, 5)
            for index, at_ms in enumerate(range(now_ms - 14 * DAY_MS, now_ms, 3 * FIVE_MINUTES_MS))
            for csq in [round(14 + 4 * math.sin(index / 16))]
        ]
        gaps = [(unit_id, now_ms - days * DAY_MS, now_ms - days * DAY_MS + 3 * 3600_000) for days in (2, 5)]
        with closing(sqlite3.connect(self._folder / "chargekeeper.db", timeout=10)) as store, store:
            store.executemany("INSERT OR IGNORE INTO signal_5min VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            store.executemany("INSERT INTO contact_gaps VALUES (?, ?, ?)", gaps)
            store.execute("UPDATE units SET first_contact_ms = ? WHERE id = ?", (now_ms - 14 * DAY_MS, unit_id))

    def store(self, *statements: str) -> None:
        """Changes what is stored behind the bridge's back."""
        with closing(sqlite3.connect(self._folder / "chargekeeper.db", timeout=10)) as store, store:
            for statement in statements:
                store.execute(statement)

    def log_in(self, page: Page, name: str) -> None:
        """As a person does it."""
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{self.address}/login")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(self.logins[name])
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(lambda url: "/login" not in url)
