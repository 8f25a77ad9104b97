"""`python -m hil_tests.bench quirks`: does an odd charger cost a contact or an intent, or cause a wrong value?

Each charger of the table has its own unit at one real bridge. The bridge's counter of contacts must grow by the frames
sent and by nothing else. Random frames follow, made from those of the table.
"""

import random
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from websockets.exceptions import InvalidStatus

from hil_tests.bench.quirks.bent import bent
from hil_tests.bench.quirks.charger import Do, QuirkyCharger
from hil_tests.bench.quirks.table import QUIRKS, Quirk
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.ports import free_ports

FRAMES = 10_000  # random frames
OF_ONE_UNIT = 2_000  # less than its quota
SETTLED_EVERY = 50


class Came(NamedTuple):
    """The results of one charger."""

    sent: int
    contacts: int
    errors: int  # CALLERRORs beyond the permitted ones
    unknown: list[str]  # values that the API does not show as expected

    @property
    def held(self) -> bool:
        return self.sent == self.contacts and self.errors == 0 and not self.unknown


class Bridge:
    """A bridge with a unit for each of these identities."""

    def __init__(self, folder: Path, identities: list[str]) -> None:
        [self.port] = free_ports(1)
        self.cloud = CloudFixture(folder, environment={"CHARGEKEEPER_OCPP_PORT": str(self.port)})
        self.cloud.start()
        added = self.cloud.commands(*(["unit", "add", one, "--ocpp"] for one in identities))
        self.keys = {str(one["user"]): str(one["secret"]) for one in added}
        self.unit_ids = {str(one["user"]): str(one["id"]) for one in added}

    @property
    def contacts(self) -> int:
        return int(self.cloud.get("/healthz")["counters"]["contacts"])


def run(frames: int, seed: int) -> bool:
    """Run all chargers and print a table. Return whether everything held."""
    strangers = [f"bent-{number}" for number in range(-(-frames // OF_ONE_UNIT))]
    identities = [one.identity or f"quirk-{number}" for number, one in enumerate(QUIRKS)]
    with tempfile.TemporaryDirectory() as folder:
        bridge = Bridge(Path(folder), identities + strangers)
        try:
            found = [_meet(bridge, quirk, identity) for quirk, identity in zip(QUIRKS, identities, strict=True)]
            bent_ones = _bend(bridge, strangers, frames, seed)
        finally:
            bridge.cloud.stop()
    _print(found, bent_ones, seed)
    return all(one.held for one in [*found, bent_ones])


def _meet(bridge: Bridge, quirk: Quirk, identity: str) -> Came:
    before, key = bridge.contacts, bridge.keys[identity]
    sent_key = quirk.key.format(key=key, hex=key.encode().hex())
    try:
        charger = QuirkyCharger(bridge.port, quirk.path, identity, sent_key, quirk.offers)
    except InvalidStatus:
        unknown = _unknown(bridge, quirk, identity) + ([] if quirk.refused else ["refused"])
        return Came(0, bridge.contacts - before, 0, unknown)
    expected, settled = 0, 0
    for frame in quirk.says:
        charger.say(frame)
        if not isinstance(frame, Do):
            expected += 1
            charger.settle()
            settled += 1
    unknown = _unknown(bridge, quirk, identity)
    charger.close()
    lost_intents = expected - charger.results - quirk.unreadable
    if lost_intents > 0:
        unknown.append(f"{lost_intents} of {expected} not answered")
    return Came(charger.sent, bridge.contacts - before, max(0, charger.errors - quirk.unreadable), unknown)


def _unknown(bridge: Bridge, quirk: Quirk, identity: str) -> list[str]:
    here = f"/api/charge-points/{bridge.unit_ids[identity]}"
    told: dict[str, Any] = bridge.cloud.get(here)
    if "sessions" in quirk.known:
        told["sessions"] = [one["energy_wh"] or 0 for one in bridge.cloud.get(f"{here}/sessions")["sessions"]]
    return [f"{name} {told[name]}, not {value}" for name, value in quirk.known.items() if told[name] != value]


def _bend(bridge: Bridge, identities: list[str], frames: int, seed: int) -> Came:
    """Send random frames. Each is a contact, and none closes the connection."""
    before, rng, sent = bridge.contacts, random.Random(seed), 0
    samples = [frame for quirk in QUIRKS for frame in quirk.says if isinstance(frame, list)]
    for number, identity in enumerate(identities):
        offers = ("ocpp2.0.1",) if number % 2 else ("ocpp1.6",)
        charger = QuirkyCharger(bridge.port, "/ocpp/{id}", identity, bridge.keys[identity], offers)
        for turn in range(min(OF_ONE_UNIT, frames - number * OF_ONE_UNIT)):
            charger.say(bent(rng, samples))
            if turn % SETTLED_EVERY == 0:
                charger.settle()
        charger.settle()
        charger.close()
        sent += charger.sent
    failed = int(bridge.cloud.get("/healthz")["counters"]["failed_messages"])
    return Came(sent, bridge.contacts - before, 0, [f"{failed} faults of ours"] if failed else [])


def _print(found: list[Came], bent_ones: Came, seed: int) -> None:
    rows = [(quirk.where, quirk.what, came) for quirk, came in zip(QUIRKS, found, strict=True)]
    rows.append((f"seed {seed}", "random frames, bent from these", bent_ones))
    for where, what, came in rows:
        said = "held" if came.held else "; ".join(came.unknown) or "NOT HELD"
        lost, invented = max(0, came.sent - came.contacts), max(0, came.contacts - came.sent)
        print(f"{where:18} {what:48} frames {came.sent:6} lost {lost} invented {invented} errors {came.errors}  {said}")
    all_of_them = [*found, bent_ones]
    lost = sum(max(0, one.sent - one.contacts) for one in all_of_them)
    invented = sum(max(0, one.contacts - one.sent) for one in all_of_them)
    errors = sum(one.errors for one in all_of_them)
    print(f"{len(found)} quirks: contacts lost {lost}, invented {invented}; CALLERRORs for what can be read {errors}")
    sys.stdout.flush()
