"""The operator's fleet by silence, and the public page that says how the service itself is."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.store.access import Scope
from cloud_bridge.store.fleet import Silent, longest_unheard, never_heard, silent_units
from cloud_bridge.web import words
from cloud_bridge.web.access import HouseOf, person_of
from cloud_bridge.web.dashboard import describe
from cloud_bridge.web.page import MAX_FIELD, PersonOf, only, page
from cloud_bridge.web.view import charge_point

INCIDENT_MS = 10 * 60 * 1000  # units that fall silent within this of each other
INCIDENT_SIZE = 5  # and at least so many of one network: one mast, not so many broken units
STATUS_DAYS = 30
DAY_MS = 24 * 3600 * 1000

router = APIRouter(include_in_schema=False)


class Incident(NamedTuple):
    """Units of one network that fell silent together."""

    network: str
    since_ms: int  # of the first
    size: int


@router.get("/fleet", dependencies=[only(Scope.SUPPORT)])
def fleet(request: Request, house: HouseOf, person: PersonOf, q: str = "") -> Response:
    search = q.strip()[:MAX_FIELD]
    with house.database.reading() as connection:
        units = longest_unheard(connection, person, search)
        never = [] if search else never_heard(connection, person)
        silent = silent_units(connection, person)
    content: dict[str, Any] = {
        "boards": [describe(charge_point(house, unit)) for unit in units],
        "never": never,
        "silent": len(silent),
        "networks": Counter(network_of(unit) for unit in silent).most_common(),
        "incidents": incidents(silent),
        "search": search,
    }
    return page(request, "fleet.html", person, **content)


@router.get("/status")
def status(request: Request, house: HouseOf) -> Response:
    """For everybody: whether we are listening, and when we were not. Nothing of any charger."""
    now_ms = house.clock.now_ms()
    gaps = [gap for gap in house.ledger.gaps(now_ms) if gap.to_ms > now_ms - STATUS_DAYS * DAY_MS]
    deaf_ms = sum(gap.to_ms - max(gap.from_ms, now_ms - STATUS_DAYS * DAY_MS) for gap in gaps)
    content: dict[str, Any] = {
        "listening": house.ledger.open_gap(now_ms) is None and house.ledger.listened_ms is not None,
        "storing": house.recorder.trouble is None,
        "listened_ms": house.ledger.listened_ms,
        "gaps": gaps[-50:],
        "share": 1 - deaf_ms / (STATUS_DAYS * DAY_MS),
        "days": STATUS_DAYS,
        "now_ms": now_ms,
    }
    return page(request, "status.html", person_of(request), **content)


def incidents(silent: Sequence[Silent]) -> list[Incident]:
    """What fell silent together on one network, newest first."""
    found: list[Incident] = []
    by_network: dict[str, list[int]] = {}
    for unit in silent:
        by_network.setdefault(network_of(unit), []).append(unit.since_ms)
    for network, times in by_network.items():
        times.sort()
        first = 0
        for at in range(1, len(times) + 1):
            if at == len(times) or times[at] - times[at - 1] > INCIDENT_MS:
                if at - first >= INCIDENT_SIZE:
                    found.append(Incident(network, times[first], at - first))
                first = at
    return sorted(found, key=lambda incident: -incident.since_ms)


def network_of(unit: Silent) -> str:
    """The network it was last on, in words."""
    try:
        said = json.loads(unit.heartbeat or "{}")
    except ValueError:
        said = {}
    plmn = said.get("o") if isinstance(said, dict) else None
    return words.operator_name(plmn if isinstance(plmn, str) else None) or "Not known"
