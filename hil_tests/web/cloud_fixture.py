"""A cloud in use: drivers, an installer, support, an operator, and chargers that report or are silent.

The bridge is a real process with the real clock. To let time pass, a test stops the bridge, moves its stored times back and
starts it again. It then looks as if the bridge had listened all the time and received nothing.
"""

import math
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from hil_tests.fixtures.authenticator import code_of
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.fixtures.passed_time import minutes_pass

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 60_000
FIVE_MINUTES_MS = 300_000
DAY_MS = 24 * 3600 * 1000


class WebCloudFixture(CloudFixture):
    """A running cloud with people and chargers, whose time tests can advance. `logins` maps names to passwords.

    With `named`, its address is the name localhost, for which browsers accept passkeys without TLS.
    """

    def __init__(
        self, folder: Path, tls: bool = False, named: bool = False, environment: dict[str, str] | None = None
    ) -> None:
        super().__init__(folder, environment=environment, tls=tls)
        if named:
            self.address = self.bridge.environment["CHARGEKEEPER_PUBLIC_URL"] = f"http://localhost:{self.http_port}"
        self.logins: dict[str, str] = {}
        self.recovery_codes: dict[str, list[str]] = {}  # name -> unused codes
        self.chargers: list[MqttUnit] = []
        self.start()

    def person(self, name: str, role: str) -> None:
        """Add a person."""
        self.logins[name] = self.command("user", "add", name, "--role", role)["password"]

    def people(self, roles: dict[str, str]) -> None:
        """Add people, name to role, in one process: each start takes a second of processor time."""
        made = self.commands(*(["user", "add", name, "--role", role] for name, role in roles.items()))
        self.logins |= {name: one["password"] for name, one in zip(roles, made, strict=True)}

    def unit(self, unit_id: str, owner: str) -> dict[str, Any]:
        """Add a charger and claim it. Return its id, secret and claim code."""
        made = self.command("unit", "add", unit_id)
        self.command("unit", "claim", made["claim_code"], owner)
        return made

    def charger(self, unit_id: str, owner: str) -> MqttUnit:
        """Add a charger, claim it for the owner, and connect it."""
        charger = self.connect((unit_id, self.unit(unit_id, owner)["secret"]))
        self.chargers.append(charger)
        return charger

    def homes(self, owners: dict[str, str]) -> None:
        """Add, claim and connect chargers, id to owner, in one process."""
        made = self.commands(*(["unit", "add", unit_id] for unit_id in owners))
        codes = (one["claim_code"] for one in made)
        self.commands(*(["unit", "claim", code, owner] for code, owner in zip(codes, owners.values(), strict=True)))
        self.chargers += [self.connect((unit_id, one["secret"])) for unit_id, one in zip(owners, made, strict=True)]

    def minutes_pass(self, minutes: int) -> None:
        """Move the stored times back while the bridge is stopped, as if it had listened for so long."""
        self.stop_bridge()
        minutes_pass(self.folder / "chargekeeper.db", minutes)
        self.start_bridge()

    def wait_until_noticed(self, unit_id: str) -> None:
        """Wait until the bridge has stored that this unit is silent. Raises TimeoutError."""
        deadline_s = time.monotonic() + PATIENCE_MS / 1000
        while time.monotonic() < deadline_s:
            with closing(sqlite3.connect(self.folder / "chargekeeper.db", timeout=10)) as store:
                found = store.execute("SELECT silent_ms FROM contacts WHERE unit_id = ?", (unit_id,)).fetchone()
            if found and found[0] is not None:
                return
            time.sleep(0.1)
        raise TimeoutError(f"the bridge did not notice that {unit_id} is silent")

    def now_s(self) -> float:
        """Return the bridge's wall clock, in seconds."""
        return time.time()

    def two_weeks_of_signal(self, unit_id: str) -> None:
        """Store two weeks of signal around the threshold, with two silences."""
        now_ms = int(self.now_s() * 1000)
        rows = [
            (
                at_ms // DAY_MS,
                unit_id,
                at_ms // FIVE_MINUTES_MS * FIVE_MINUTES_MS,
                "23415",
                csq - 1,
                csq + 1,
                csq * 5,
                5,
            )
            for index, at_ms in enumerate(range(now_ms - 14 * DAY_MS, now_ms, 3 * FIVE_MINUTES_MS))
            for csq in [round(14 + 4 * math.sin(index / 16))]
        ]
        gaps = [(unit_id, now_ms - days * DAY_MS, now_ms - days * DAY_MS + 3 * 3600_000) for days in (2, 5)]
        with closing(sqlite3.connect(self.folder / "chargekeeper.db", timeout=10)) as store, store:
            store.executemany("INSERT OR IGNORE INTO signal_5min VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            store.executemany("INSERT INTO contact_gaps (unit_id, from_ms, to_ms) VALUES (?, ?, ?)", gaps)
            weeks_ago = (now_ms - 14 * DAY_MS, unit_id)
            store.execute("UPDATE units SET first_contact_ms = ?1, owned_from_ms = ?1 WHERE id = ?2", weeks_ago)
            store.execute("UPDATE ownerships SET from_ms = ? WHERE unit_id = ?", weeks_ago)

    def store(self, *statements: str) -> None:
        """Execute SQL in the bridge's store, beside the bridge."""
        with closing(sqlite3.connect(self.folder / "chargekeeper.db", timeout=10)) as store, store:
            for statement in statements:
                store.execute(statement)

    def log_in(self, page: Page, name: str) -> None:
        """Log in on the pages, with the second factor if the role needs it."""
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{self.address}/login")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(self.logins[name])
        page.get_by_role("button", name="Log in", exact=True).click()
        page.wait_for_url(lambda url: not url.endswith("/login"))
        if "/login/second-factor" in page.url:
            self.set_up_second_factor(page, name)
            page.get_by_role("link", name="I have them").click()
        elif "/login/code" in page.url:
            page.get_by_text("I do not have the app here").click()
            page.get_by_label("Recovery code").fill(self.recovery_codes[name].pop())
            page.get_by_role("button", name="Use it").click()
        page.wait_for_url(lambda url: "/login" not in url)

    def set_up_second_factor(self, page: Page, name: str) -> None:
        """Set up the second factor on the page that asks for it; end on the page with the recovery codes."""
        key = page.locator("li code").first.inner_text()
        page.get_by_label("Code", exact=True).fill(code_of(key, self.now_s()))
        page.get_by_role("button", name="Continue").click()
        codes = page.locator("li code")
        codes.nth(9).wait_for()
        self.recovery_codes[name] = codes.all_inner_texts()
