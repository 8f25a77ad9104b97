"""One running system: a cloud, and the units of a rig that talk to it.

The house is what most tests use. Garage and shed, where the rig has so many units, are plugged in and get into trouble at the
start, the one by its network and the other by its modem, and are watched while the house is being tested: their stories
take minutes.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hil_tests.bridge import Bridge, free_ports
from hil_tests.cloud import Cloud
from hil_tests.rig.background import Background
from hil_tests.rig.contract import Observation, Rig
from hil_tests.rig.rigs import RigKind
from hil_tests.watch import Watch

HEARTBEAT_S = 5  # the shortest that the unit takes
CONSOLE_WITHIN_S = 10
CHARGING_WITHIN_S = 5
LINK_WITHIN_S = 60
REST_WITHIN_S = 20
BUTTON_S = 0.4  # the rig holds it for 0.2 s

Trouble = Callable[[Rig], None]


@dataclass(frozen=True)
class Site:
    """A unit on its rig, and the cloud's view of it."""

    kind: RigKind
    rig: Rig
    cloud: Cloud


@dataclass(frozen=True)
class Troubled:
    """A site that got into trouble while charging, and is watched since: it has to charge on and not turn red."""

    site: Site
    watch: Watch
    last_contact: str  # as it got into trouble


@dataclass(frozen=True)
class System:
    """Everything that runs. Garage and shed are None where the rig has one unit alone."""

    house: Site
    garage: Troubled | None  # its network is cut
    shed: Troubled | None  # its modem hangs
    first_contact_after_s: float  # of the house, from the first process's start; infinite if there was none


@contextmanager
def running(kind: RigKind, folder: Path) -> Iterator[System]:
    """Units, modems, broker, store: all of it, from nothing."""
    background = Background()
    token = secrets.token_urlsafe(16)
    http_port, mqtt_port = free_ports(2)
    bridge = Bridge(http_port, mqtt_port, folder, token)
    started_s = time.monotonic()

    def site(unit_id: str, rig: Rig) -> Site:
        made = background.run(bridge.command("unit", "add", unit_id))
        introduce(rig, unit_id, made["secret"], bridge)
        return Site(kind, rig, Cloud(bridge.address, token, unit_id, kind.time_scale))

    try:
        with kind.opened(folder, background) as rigs, ThreadPoolExecutor() as at_once:
            try:
                background.run(bridge.start())
                house, *others = map(site, ("CK-house", "CK-garage", "CK-shed"), rigs)
                first_contact_s = _first_contact_s(house)
                garage, shed = at_once.map(get_into, (cut_network, hang_modem), others) if others else (None, None)
            except Exception:
                for rig in rigs:
                    print(rig.story())
                raise
            yield System(house, garage, shed, first_contact_s - started_s)
            for troubled in (garage, shed):
                if troubled:
                    troubled.watch.stop()
    finally:
        background.run(bridge.stop())
        background.close()


def charging(seen: Observation) -> bool:
    """Energy permitted, contactor closed, current offered."""
    return seen.pilot == "C2" and seen.contactor and seen.amps >= 6


def introduce(rig: Rig, unit_id: str, secret: str, bridge: Bridge) -> None:
    """Tells a unit over its console who it is and whom to call."""
    rig.wait_for(lambda seen: bool(seen.unit), CONSOLE_WITHIN_S)
    wanted = {
        "id": unit_id,
        "secret": secret,
        "broker": "127.0.0.1",
        "port": bridge.mqtts_port,
        "tethered": False,
        "heartbeat_idle_s": HEARTBEAT_S,
        "heartbeat_charging_s": HEARTBEAT_S,
    }
    for words in (*bridge.authority_words(), f"provision {json.dumps(wanted)}"):
        rig.console(words)


def bring_to_rest(site: Site) -> None:
    """Undoes whatever a test left behind: mains on, network up, nothing broken, no car, nothing left to clear."""
    rig, offers = site.rig, site.kind.offers
    for name in rig.observe().faults:
        rig.fault(name, False)
    rig.unplug()
    if not rig.observe().mains:
        rig.mains(True)
    if "modem_line" in offers:
        rig.network(up=True, csq=22)
    rig.wait_for(lambda seen: bool(seen.unit), CONSOLE_WITHIN_S)
    if "button" in offers:
        rig.button()
        time.sleep(BUTTON_S)  # a press that is still going on would count for the next test's session
    else:
        rig.console("clear")
    rig.wait_for(_at_rest, REST_WITHIN_S)


def _at_rest(seen: Observation) -> bool:
    """By the instruments and by the unit's own words, which are up to a second old."""
    measured = seen.pilot == "A1" and not seen.contactor
    return measured and seen.unit.get("phase") == "idle" and seen.unit.get("faults") == "-"


def cut_network(rig: Rig) -> None:
    """The garage's trouble."""
    rig.network(up=False)


def hang_modem(rig: Rig) -> None:
    """The shed's; when it wakes it talks at another speed."""
    rig.disturb_modem("speed")
    rig.disturb_modem("hang")


def get_into(trouble: Trouble, site: Site) -> Troubled:
    """Starts a charge, then the trouble, then the watch."""
    site.cloud.wait_for(lambda told: told["last_contact"] is not None, LINK_WITHIN_S)
    site.rig.plug()
    site.rig.wait_for(charging, CHARGING_WITHIN_S)
    site.cloud.wait_for(lambda told: told["state"] == "C2", CHARGING_WITHIN_S)
    trouble(site.rig)
    time.sleep(1)  # what was on its way arrives
    last_contact: str = site.cloud.look()["last_contact"]
    return Troubled(site, Watch(site.rig, lambda seen: charging(seen) and not seen.red), last_contact)


def _first_contact_s(house: Site) -> float:
    """When the cloud first heard the unit, on the monotonic clock."""
    if "modem_line" not in house.kind.offers:
        return float("inf")
    try:
        house.cloud.wait_for(lambda told: told["last_contact"] is not None, LINK_WITHIN_S)
    except AssertionError:
        return float("inf")  # for the test of it to say
    return time.monotonic()
