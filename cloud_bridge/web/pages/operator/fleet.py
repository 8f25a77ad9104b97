"""The operator's fleet page, and the public status page of the service."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from cloud_bridge.app_state import AppState
from cloud_bridge.authority_files import present_authority
from cloud_bridge.durations import DAY_MS
from cloud_bridge.store import authorities
from cloud_bridge.store.access import Role, Scope
from cloud_bridge.store.duplicates import count_duplicates
from cloud_bridge.store.firmware import firmware_versions
from cloud_bridge.store.fleet import Order, SilentMinute, found_page, page_of, silent_by_site
from cloud_bridge.store.units import count_units
from cloud_bridge.troubles import AFTER_THE_END, SOON_DAYS, SOONEST_DAYS, when_it_ends
from cloud_bridge.web.connections import Reading
from cloud_bridge.web.errors import NotTheirs
from cloud_bridge.web.page import MAX_FIELD, PersonOf, only, page, viewer_of
from cloud_bridge.web.presentation import words
from cloud_bridge.web.presentation.dashboard import describe
from cloud_bridge.web.presentation.view import charge_point, is_listening
from cloud_bridge.web.security.access import StateDep
from cloud_bridge.words import gettext as _

INCIDENT_MS = 10 * 60 * 1000  # units that fall silent within this time of each other are one incident
INCIDENT_SIZE = 5  # if there are at least so many on one network: then it is a mast rather than broken units
STATUS_DAYS = 30
SORTED_BY = (Order.SITE, Order.NETWORK, Order.SILENCE, Order.FIRMWARE)  # columns by which the table can be sorted

router = APIRouter(include_in_schema=False)


class Ending(NamedTuple):
    """A certificate authority that expires within SOONEST_DAYS."""

    when: str
    units: int  # number of units whose connections it verifies
    is_soon: bool
    is_ordered: bool  # the units were ordered to trust the next one


class Head(NamedTuple):
    """The head of a sortable column."""

    link: str  # to the table sorted by this column, or reversed if it is already
    sorted: str  # value of aria-sort; empty if the table is sorted by another column


class Incident(NamedTuple):
    """Units of one network that fell silent together."""

    network: str
    since_ms: int  # when the first of them fell silent
    size: int


@router.get("/fleet", dependencies=[only(Scope.SUPPORT)])
def fleet(
    request: Request,
    app_state: StateDep,
    connection: Reading,
    person: PersonOf,
    by: Order = Order.SILENCE,
    backwards: bool = False,
    network: str | None = None,
    firmware: Annotated[str | None, Query(max_length=MAX_FIELD)] = None,
    q: str = "",
    after: Annotated[Sequence[str], Query()] = (),
) -> Response:
    """Show a page of the fleet. A search covers the ids and names on all networks."""
    search, now_ms = q.strip()[:MAX_FIELD], app_state.clock.now_ms()
    network = None if search else network
    if firmware is not None:
        by = Order.FIRMWARE
    asked = (("network", network), ("firmware", firmware))
    narrowed = {name: value for name, value in asked if value is not None and not search}
    kept = {"q": search} if search else {"by": by, **({"backwards": "true"} if backwards else {}), **narrowed}
    try:
        if search:
            found = found_page(connection, person, search, after)
        else:
            found = page_of(connection, person, by, after, network, now_ms, firmware, backwards)
    except ValueError:  # an address that was typed by hand
        raise NotTheirs("page") from None
    content: dict[str, Any] = {
        "boards": [describe(charge_point(app_state, unit)) for unit in found.units],
        "next": f"/fleet?{urlencode({**kept, 'after': found.after}, doseq=True)}" if found.after else None,
        "heads": {} if search or firmware else heads(by, backwards, narrowed),
        "by": by,
        "network_name": None if network is None else network_name(network),
        "firmware": None if search else firmware,
        "versions": firmware_versions(connection, [unit.id for unit in found.units]),
        "search": search,
        "silent": sum(minute.units for minute in app_state.upkeep.silences),
        "networks": networks(app_state.upkeep.silences),
        "sites": [] if search or after else silent_by_site(connection, person),
        "units": count_units(connection),
        "duplicates": count_duplicates(connection, now_ms),
        "ending": [] if search or after else ending_authorities(app_state, connection, now_ms),
        "after_the_end": _(AFTER_THE_END),
        "incidents": [] if search or after else incidents(app_state.upkeep.silences),
    }
    return page(request, "operator/fleet.html", person, **content)


@router.get("/status")
def status(request: Request, app_state: StateDep) -> Response:
    """Show whether the service is listening, and its outages. Public, so it shows nothing about any charge point."""
    now_ms = app_state.clock.now_ms()
    gaps = [gap for gap in app_state.ledger.outages(now_ms) if gap.to_ms > now_ms - STATUS_DAYS * DAY_MS]
    outage_ms = sum(gap.to_ms - max(gap.from_ms, now_ms - STATUS_DAYS * DAY_MS) for gap in gaps)
    content: dict[str, Any] = {
        "listening": is_listening(app_state),
        "storing": app_state.recorder.trouble is None,
        "deaf": words.listed(app_state.ledger.deaf(now_ms)),
        "last_ok_ms": app_state.ledger.last_ok_ms,
        "gaps": gaps[-50:],
        "outage_ms": outage_ms,
        "days": STATUS_DAYS,
        "steps": [step for step in app_state.verified.steps() if step.at_ms > now_ms - STATUS_DAYS * DAY_MS],
        "now_ms": now_ms,
    }
    viewer = viewer_of(request)
    if viewer is not None and viewer.role is Role.OPERATOR:
        content["upkeep_since_ms"] = app_state.leadership.since_ms
    return page(request, "operator/status.html", viewer, **content)


def heads(by: Order, backwards: bool, narrowed: dict[str, str]) -> dict[Order, Head]:
    """Return the heads of the sortable columns. `narrowed` has the filters in force."""
    found = {}
    for order in SORTED_BY:
        is_it = order is by
        turned = {"backwards": "true"} if is_it and not backwards else {}
        query = urlencode({"by": order, **turned, **narrowed})
        found[order] = Head(f"/fleet?{query}", ("descending" if backwards else "ascending") if is_it else "")
    return found


def ending_authorities(app_state: AppState, connection: Connection, now_ms: int) -> list[Ending]:
    """Return the authorities that expire soon, the earliest first."""
    present, wanted = present_authority(app_state.settings), authorities.ordered(connection)
    found = authorities.in_use(connection, present.sha256 if present else None, now_ms + SOONEST_DAYS * DAY_MS)
    return [
        Ending(
            when_it_ends(one.expires_ms, now_ms),
            count,
            one.expires_ms - now_ms < SOON_DAYS * DAY_MS,
            wanted is not None and wanted.sha256 != one.sha256,
        )
        for one, count in found
    ]


def networks(silent: Sequence[SilentMinute]) -> list[tuple[str, str, int]]:
    """Return PLMN, name and number of silent units of each network, the largest number first."""
    count: Counter[str] = Counter()
    for minute in silent:
        count[minute.operator] += minute.units
    return [(operator, network_name(operator), units) for operator, units in count.most_common()]


def incidents(silent: Sequence[SilentMinute]) -> list[Incident]:
    """Return the groups of units that fell silent together on one network, newest first. `silent` has to be ordered by network
    and time."""
    found: list[Incident] = []
    latest_ms = 0
    for operator, first_ms, last_ms, units in silent:
        network = network_name(operator)
        if found and found[-1].network == network and first_ms - latest_ms <= INCIDENT_MS:
            found[-1] = found[-1]._replace(size=found[-1].size + units)
        else:
            found.append(Incident(network, first_ms, units))
        latest_ms = last_ms
    together = [incident for incident in found if incident.size >= INCIDENT_SIZE]
    return sorted(together, key=lambda incident: -incident.since_ms)


def network_name(operator: str) -> str:
    return words.operator_name(operator) or _("Not known")
