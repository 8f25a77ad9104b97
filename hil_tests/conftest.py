"""One running system for the whole session: a cloud and three units.

The house is what most tests use; it is brought back to rest before each. Garage and shed are plugged in and
get into trouble at the start, the one by its network and the other by its modem, and are watched while the
house is being tested: their stories take minutes.
"""

import json
import secrets
import socket
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hil_tests.bridge import Bridge
from hil_tests.cloud import Cloud
from hil_tests.rig.background import Background
from hil_tests.rig.contract import Observation, Rig
from hil_tests.rig.virtual import VirtualRig
from hil_tests.watch import Watch

HEARTBEAT_S = 5  # the shortest that the unit takes
CONSOLE_WITHIN_S = 10
CHARGING_WITHIN_S = 5
LINK_WITHIN_S = 60
REST_WITHIN_S = 20
BUTTON_S = 0.4  # the rig holds it for 0.2 s


@dataclass(frozen=True)
class Site:
    """A unit on its rig, and the cloud's view of it."""

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
    """Everything that runs."""

    house: Site
    garage: Troubled  # its network is cut
    shed: Troubled  # its modem hangs
    first_contact_after_s: float  # of the house, from the first process's start; infinite if there was none


def charging(seen: Observation) -> bool:
    """Energy permitted, contactor closed, current offered."""
    return seen.pilot == "C2" and seen.contactor and seen.amps >= 6


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Units, modems, broker, store: all of it, from nothing, in a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("the system")
    background = Background()
    token = secrets.token_urlsafe(16)
    http_port, mqtt_port = free_ports(2)
    bridge = Bridge(http_port, mqtt_port, folder, token)
    started_s = time.monotonic()
    names = ("house", "garage", "shed")
    rigs = [VirtualRig(background, folder / name, seed) for seed, name in enumerate(names)]
    try:
        background.run(bridge.start())
        sites = []
        for rig, name in zip(rigs, names, strict=True):
            unit_id = f"CK-{name}"
            made = background.run(bridge.command("unit", "add", unit_id))
            introduce(rig, unit_id, made["secret"], bridge)
            sites.append(Site(rig, Cloud(bridge.address, token, unit_id)))
        house = sites[0]
        first_contact_s = _first_contact_s(house.cloud)
        garage = _trouble(sites[1], lambda rig: rig.network(up=False))
        shed = _trouble(sites[2], lambda rig: rig.disturb_modem("hang"))
    except Exception:
        for rig in rigs:
            print(rig.story())
        raise
    else:
        yield System(house, garage, shed, first_contact_s - started_s)
        garage.watch.stop()
        shed.watch.stop()
    finally:
        for rig in rigs:
            rig.close()
        background.run(bridge.stop())
        background.close()


@pytest.fixture
def rig(system: System) -> Rig:
    """The house's unit at rest: mains on, network up, nothing broken, no car, nothing left to clear."""
    bring_to_rest(system.house.rig)
    return system.house.rig


@pytest.fixture
def cloud(system: System, rig: Rig) -> Cloud:
    """The cloud's view of the house, once the unit has a proven link to it."""
    rig.wait_for(lambda seen: seen.mode == "smart", LINK_WITHIN_S)
    return system.house.cloud


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


def bring_to_rest(rig: Rig) -> None:
    """Undoes whatever a test left behind."""
    for name in rig.observe().faults:
        rig.fault(name, False)
    rig.unplug()
    if not rig.observe().mains:
        rig.mains(True)
    rig.network(up=True, csq=22)
    rig.wait_for(lambda seen: bool(seen.unit), CONSOLE_WITHIN_S)
    rig.button()
    time.sleep(BUTTON_S)  # a press that is still going on would count for the next test's session
    rig.wait_for(_at_rest, REST_WITHIN_S)


def _at_rest(seen: Observation) -> bool:
    """By the instruments and by the unit's own words, which are up to a second old."""
    measured = seen.pilot == "A1" and not seen.contactor
    return measured and seen.unit.get("phase") == "idle" and seen.unit.get("faults") == "-"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """A failing test shows what the rig saw: its story, the firmware's words, the modem's dialogue."""
    report = yield
    running = getattr(item, "funcargs", {}).get("system")
    if report.failed and isinstance(running, System):
        report.sections.append(("the house's rig", running.house.rig.story()))
    return report


def _trouble(site: Site, trouble: Callable[[Rig], None]) -> Troubled:
    """Starts a charge, then the trouble, then the watch."""
    site.cloud.wait_for(lambda told: told["last_contact"] is not None, LINK_WITHIN_S)
    site.rig.plug()
    site.rig.wait_for(charging, CHARGING_WITHIN_S)
    site.cloud.wait_for(lambda told: told["state"] == "C2", CHARGING_WITHIN_S)
    trouble(site.rig)
    time.sleep(1)  # what was on its way arrives
    last_contact: str = site.cloud.look()["last_contact"]
    return Troubled(site, Watch(site.rig, lambda seen: charging(seen) and not seen.red), last_contact)


def _first_contact_s(cloud: Cloud) -> float:
    """When the cloud first heard the unit, on the monotonic clock."""
    try:
        cloud.wait_for(lambda told: told["last_contact"] is not None, LINK_WITHIN_S)
    except AssertionError:
        return float("inf")  # for the test of it to say
    return time.monotonic()


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now; found together so that they differ."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
