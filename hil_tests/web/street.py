"""A street for screenshots, mission.py and test_street.py. Each home shows a different state.

The bridge is a real process, which receives messages of the wire contract. Its wall clock shows an evening of 2026, so that
pictures are reproducible; `settle` gives stored rows round times.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from hil_tests.demo.browser import Browser
from hil_tests.demo.month import month_before, write_month
from hil_tests.fixtures.background import Background
from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.sim.car_account import Car, CarAccount
from hil_tests.sim.car_account_web import create_app, served
from hil_tests.web.cloud_fixture import DAY_MS, WebCloudFixture

SHOWN_CLOCK = Path(__file__).with_name("shown_clock")
EVENING_S = 1_773_170_640  # Tuesday 10 March 2026, 19:24 UTC, which is also local time in Great Britain
BEFORE_S = EVENING_S - 600  # when everybody moves in
MINUTE_MS = 60_000
CLIENT_ID = "chargekeeper-street"
PEOPLE = {
    "dora": "driver",  # charges, and has connected a car
    "hana": "driver",  # waits for off-peak hours
    "sam": "driver",  # has a silent charger
    "rita": "driver",  # has a red light
    "lou": "driver",  # has lost access to the car account
    "carl": "driver",  # has a car but no charger
    "dan": "driver",  # has four chargers at a depot
    "ingo": "installer",
    "sue": "support",
    "olga": "operator",
}
HOMES = {"dora": "CK-0001", "hana": "CK-0002", "sam": "CK-0003", "rita": "CK-0004", "lou": "CK-0005"}
STATES: dict[str, dict[str, Any]] = {  # by driver: contents of the heartbeat
    "dora": {"s": "C2", "a": 32, "w": 7360, "e": 412_600, "f": [], "l": 32, "y": "installer", "i": ["override"]},
    "hana": {
        "s": "B1",
        "a": 0,
        "w": 0,
        "e": 125_010,
        "f": [],
        "l": 0,
        "y": "schedule",
        "u": EVENING_S + 5 * 3600 + 360,
    },
    "sam": {"s": "C2", "a": 16, "w": 3680, "e": 88_000, "f": []},
    "rita": {"s": "B1", "a": 0, "w": 0, "e": 51_200, "f": ["rcd_ac"]},
    "lou": {"s": "A1", "a": 0, "w": 0, "e": 203_900, "f": []},
}
DEPOT = {  # dan's chargers: id -> name, state and network. Two have been silent for SILENT_HOURS
    "CK-0011": ("Depot, bay 1", "C2", "23430"),
    "CK-0012": ("Depot, bay 2", "A1", "23430"),
    "CK-0013": ("Depot, bay 3", "B1", "23430"),
    "CK-0014": ("Depot, bay 4", "C2", "23410"),
}
SILENT_BAYS, SILENT_HOURS = ("CK-0012", "CK-0013"), 3
VERSIONS = {
    "1.4.0": ("CK-0001", "CK-0002", "CK-0004", "CK-0005", "CK-0011"),
    "1.3.2": ("CK-0003", *SILENT_BAYS, "CK-0014"),
}
SILENT_MINUTES = 34
AVOIDED = "mon-sun 00:00-00:30 05:30-24:00"  # hours without charging: dora and hana have cheap electricity in between
PLUGGED_MINUTES = 101  # minutes ago, by dora
IDLE_WH = 400_200  # of her meter before that
ASKED = "The light is red since this morning. May I use it?"
SAID = "It has dropped out twice this week, always when the bins are out. Can you have a look?"
WHY = "Weak signal: the median of two weeks is 14. Try a better place for the antenna first."
LOUS = {  # lou's contact details
    "full_name": "Lou Lister",
    "phone": "0161 496 0000",
    "address": "12 Canal Street\nManchester M1 3HE",
    "access_notes": "The gate sticks: push.",
}
ANSWERED = "Thank you, we see it: the signal is weak there. Ingo will call you and put up a better antenna."


class EveningCloud(WebCloudFixture):
    """A bridge whose wall clock shows a given time."""

    def __init__(self, folder: Path) -> None:
        self._shown_s, self._since_s = float(BEFORE_S), 0.0
        super().__init__(folder, environment={"PYTHONPATH": str(SHOWN_CLOCK), "SHOWN_TIME_S": str(BEFORE_S)})

    def start_bridge(self) -> None:
        self._since_s = time.monotonic()
        super().start_bridge()

    def show(self, at_s: int) -> None:
        """Set the time that the bridge shows from its next start on."""
        self._shown_s = float(at_s)
        self.bridge.environment["SHOWN_TIME_S"] = str(at_s)

    def now_s(self) -> float:
        return self._shown_s + time.monotonic() - self._since_s


class Street:
    """The bridge, the people, the chargers and the car makers. `accounts` are the drivers' accounts at their car makers."""

    def __init__(self, folder: Path, background: Background) -> None:
        self._background = background
        self.place = EveningCloud(folder)
        prefix = f"{self.place.address}/vehicles/return/"
        self.accounts = {name: CarAccount(CLIENT_ID, prefix, [_car(name)]) for name in ("dora", "lou", "carl")}
        makers = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        for name, account in self.accounts.items():
            makers.mount(f"/{name}", create_app(account))
        self.makers = makers

    def introduce_makers(self, address: str) -> None:
        """Write the bridge's configuration of car makers, which it reads at its start."""
        settings = [f'public_url = "{self.place.address}"\nlook_every_s = 3600\n']
        settings += [_provider(name, f"{address}/{name}") for name in self.accounts]
        (self.place.folder / "vehicles.toml").write_text("\n".join(settings))

    def move_in(self) -> None:
        """Add the people, chargers and cars, and send their first messages."""
        place = self.place
        place.people(PEOPLE)
        place.homes({unit_id: driver for driver, unit_id in HOMES.items()} | dict.fromkeys(DEPOT, "dan"))
        place.commands(*(["unit", "assign", unit_id, "ingo"] for unit_id in HOMES.values()))
        for driver in ("dora", "hana"):
            self.charger(HOMES[driver]).report("event", t=BEFORE_S, k="schedule", d={"to": AVOIDED})
        self.report("dora", s="A1", a=0, w=0, e=IDLE_WH, i=[])
        self.report(*HOMES)
        self._report_bays(*DEPOT)
        self._background.run(self._visit_pages())

    def charger(self, unit_id: str) -> MqttUnit:
        """Return the connection of a charger."""
        return next(one for one in self.place.chargers if one.name == unit_id)

    def report(self, *drivers: str, **other: Any) -> None:
        """Send a heartbeat of these drivers' chargers; `other` overrides values."""
        for driver in drivers:
            said = STATES[driver] | other
            self.charger(HOMES[driver]).report("heartbeat", t=EVENING_S, m="smart", q=19, o="23415", **said)

    def speak(self) -> None:
        """Send a heartbeat of all chargers that are not silent, so that none of them is late."""
        self.report(*(driver for driver in HOMES if driver != "sam"))
        self._report_bays(*(unit_id for unit_id in DEPOT if unit_id not in SILENT_BAYS))

    def _report_bays(self, *unit_ids: str) -> None:
        for unit_id in unit_ids:
            _, state, network = DEPOT[unit_id]
            said = {"s": state, "m": "smart", "q": 17, "o": network, "a": 0, "w": 0, "e": 64_000, "f": []}
            self.charger(unit_id).report("heartbeat", t=EVENING_S, **said)

    async def _visit_pages(self) -> None:
        """Do what people do once on the pages: connect cars, exchange messages, raise jobs."""
        place = self.place
        for name in self.accounts:
            async with Browser(place.address) as driver:
                await driver.log_in(name, place.logins[name])
                await driver.connect_vehicle(name)
        async with Browser(place.address) as lou:
            await lou.log_in("lou", place.logins["lou"])
            await lou.send_form("/account/details", **LOUS)
        async with Browser(place.address) as sam, Browser(place.address) as sue:
            await sam.log_in("sam", place.logins["sam"])
            await sam.send_form(f"/charge-points/{HOMES['sam']}/support", text=SAID)
            await sue.log_in("sue", place.logins["sue"])
            await sue.send_form("/support/1", text=ANSWERED)
            await sue.send_form(f"/charge-points/{HOMES['lou']}/jobs", reason=WHY)
        self.accounts["lou"].lose_access()
        async with Browser(place.address) as lou:
            await lou.log_in("lou", place.logins["lou"])
            await lou.send_form("/account/vehicles/2/refresh", "/account/vehicles/2")
        async with Browser(place.address) as rita:
            await rita.log_in("rita", place.logins["rita"])
            await rita.send_form(f"/charge-points/{HOMES['rita']}/support", text=ASKED)
        async with Browser(place.address) as ingo:
            await ingo.log_in("ingo", place.logins["ingo"])
            await ingo.send_form("/jobs/1/accept", "/jobs/1", moves="0")
            for number, step in enumerate(("arrive", "measure", "fit"), 1):
                await ingo.send_form(f"/jobs/1/{step}", "/jobs/1", moves=str(number))

    def settle_log(self) -> None:
        """Give the entries of the security log the times for the picture."""
        began_ms = (EVENING_S - 3 * 3600) * 1000
        self.place.store(f"UPDATE security_events SET at_ms = {began_ms} + id * {2 * MINUTE_MS}")

    def settle(self) -> None:
        """Stop the bridge, give stored rows the times for the pictures, and start it again at the evening."""
        now_ms = EVENING_S * 1000
        self.place.stop_bridge()
        self.place.show(EVENING_S)
        write_month(self.place.folder / "chargekeeper.db", HOMES["dora"], month_before(now_ms), now_ms)
        self.place.two_weeks_of_signal(HOMES["lou"])
        silent_ms, dora, hana = SILENT_MINUTES * MINUTE_MS, HOMES["dora"], HOMES["hana"]
        bays_ms, day_ago_ms = SILENT_HOURS * 60 * MINUTE_MS, now_ms - DAY_MS
        self.place.store(
            f"UPDATE messages SET sent_ms = {now_ms - 3 * 3600_000} + id * {40 * MINUTE_MS}",
            f"UPDATE conversations SET newest_ms = {now_ms - 3 * 3600_000} + id * {80 * MINUTE_MS}",
            f"UPDATE jobs SET raised_ms = {now_ms - 9 * DAY_MS}, visited_ms = {now_ms - 4 * DAY_MS}",
            f"UPDATE jobs SET before_csq = 11, before_operator = '23415', before_ms = {now_ms - 4 * DAY_MS - 40 * MINUTE_MS}",
            f"UPDATE job_events SET at_ms = {now_ms - 9 * DAY_MS} + id * 3600000",
            f"UPDATE vehicles SET since_ms = {now_ms - 26 * 3600_000}, seen_ms = {now_ms - 6 * MINUTE_MS},"
            f" heard_ms = {now_ms - 6 * MINUTE_MS}",
            f"UPDATE contacts SET last_contact_ms = {now_ms} - 121000, latest_ms = {now_ms} - 121000",
            f"UPDATE heartbeats SET received_ms = {now_ms} - 121000",
            f"UPDATE contacts SET last_contact_ms = {now_ms - silent_ms}, latest_ms = {now_ms - silent_ms},"
            f" listened_ms = listened_ms - {silent_ms} WHERE unit_id = '{HOMES['sam']}'",
            f"UPDATE heartbeats SET received_ms = {now_ms - silent_ms} WHERE unit_id = '{HOMES['sam']}'",
            f"UPDATE units SET first_contact_ms = {day_ago_ms}, owned_from_ms = {day_ago_ms} WHERE id = '{HOMES['sam']}'",
            f"UPDATE ownerships SET from_ms = {day_ago_ms} WHERE unit_id = '{HOMES['sam']}'",
            "UPDATE signal_5min SET lowest = lowest + 6, highest = highest + 6, total = total + 6 * samples"
            f" WHERE unit_id = '{HOMES['lou']}' AND from_ms > {now_ms - 4 * DAY_MS}",
            f"DELETE FROM contact_gaps WHERE unit_id = '{HOMES['lou']}' AND to_ms > {now_ms - 4 * DAY_MS}",
            f"UPDATE power SET received_ms = {now_ms - PLUGGED_MINUTES * MINUTE_MS} - (plugged = 0) * {MINUTE_MS}"
            f" WHERE unit_id = '{dora}'",
            f"INSERT INTO tariffs (unit_id, rate, off_peak_rate, off_peak_from, off_peak_to)"
            f" VALUES ('{hana}', 2800, 850, 30, 330)",
            "INSERT INTO ready_plans (unit_id, person_id, vehicle_id, set_ms, ready_ms, begin_ms, target_percent,"
            " capacity_kwh, power_w, hours, hours_ms, judged_ms, watched, verdict, percent, full_ms)"
            " SELECT units.id, owner_id, vehicles.id,"
            f" {now_ms}, {now_ms + 696 * MINUTE_MS}, {now_ms}, 80, 60, 7400, '{AVOIDED}', {now_ms}, {now_ms}, '{{}}',"
            f" 'on-track', 80, {now_ms + 88 * MINUTE_MS} FROM units JOIN vehicles ON vehicles.person_id = owner_id"
            f" WHERE units.id = '{dora}'",
            f"UPDATE contacts SET last_contact_ms = {now_ms - bays_ms}, latest_ms = {now_ms - bays_ms},"
            f" listened_ms = listened_ms - {bays_ms} WHERE unit_id IN {SILENT_BAYS}",
            f"UPDATE heartbeats SET received_ms = {now_ms - bays_ms} WHERE unit_id IN {SILENT_BAYS}",
            *(f"UPDATE units SET name = '{name}' WHERE id = '{unit_id}'" for unit_id, (name, _, _) in DEPOT.items()),
            *(f"UPDATE units SET firmware = '{version}' WHERE id IN {units}" for version, units in VERSIONS.items()),
            "DELETE FROM listening_gaps",
            f"UPDATE listening SET until_ms = {now_ms}, latest_ms = 0",
        )
        self.place.start_bridge()
        for unit_id in (HOMES["sam"], *SILENT_BAYS):
            self.place.wait_until_noticed(unit_id)


@contextmanager
def street(folder: Path) -> Iterator[Street]:
    """Run a new street with everybody moved in."""
    background = Background()
    made = Street(folder, background)
    try:
        with served(made.makers) as address:
            made.place.stop_bridge()
            made.introduce_makers(address)
            made.place.start_bridge()
            made.move_in()
            yield made
    finally:
        made.place.stop()
        background.close()


def _car(name: str) -> Car:
    title = {"dora": "Blue", "lou": "Zoe", "carl": "Leaf"}[name]
    percent = {"dora": 64.0, "lou": 81.0, "carl": 37.0}[name]
    charging = name == "dora"

    def read() -> dict[str, object]:
        return {
            "battery_percent": percent,
            "plugged_in": charging,
            "charging": charging,
            "range_km": round(3.8 * percent),
        }

    return Car(name, f"WCK0STREET000{name.upper():>04}", title, read)


def _provider(name: str, address: str) -> str:
    return f"""[provider.{name}]
kind = "generic"
title = "{_MAKERS[name]}"
client_id = "{CLIENT_ID}"
authorise_url = "{address}/authorize"
token_url = "{address}/token"
revoke_url = "{address}/revoke"
api_url = "{address}/api"
scopes = ["offline_access", "vehicle:read"]
"""


_MAKERS = {"dora": "Demo Motors", "lou": "Orion Cars", "carl": "Vela"}
