"""Texts of alerts that need other modules: the cost of a charge, and how to restore access to a car account."""

from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy import Connection

from cloud_bridge.alerts.done import Charged
from cloud_bridge.alerts.https_post import ANSWERED
from cloud_bridge.distances import Distances
from cloud_bridge.store.sites import currency_of, tariff_of, time_zone_of
from cloud_bridge.vehicles.repository import Vehicle
from cloud_bridge.web.presentation.cost import Span, cost
from cloud_bridge.web.presentation.vehicle_words import card
from cloud_bridge.words import gettext as _

ANY_ZONE, ANY_DISTANCES = "UTC", Distances.KILOMETRES  # the text contains neither a time nor a distance


def charge_cost(connection: Connection, unit_id: str, charge: Charged) -> Callable[[], str] | None:
    """Return a function that gives the cost in the site's currency; None if the tariff or the energy is unknown."""
    tariff = tariff_of(connection, unit_id)
    if tariff is None or charge.energy_wh is None:
        return None
    drawing = Span(charge.from_ms // 1000, charge.to_ms // 1000)
    found = cost(charge.energy_wh, drawing, tariff, time_zone_of(connection, unit_id))
    return None if found is None else partial(currency_of(connection, unit_id).amount, found)


def undelivered(trouble: str) -> str:
    """Return why an alert was not delivered. `trouble` is the stored text: a reason of alerts/, and optionally the kind of
    error."""
    if trouble.startswith(ANSWERED):
        return _("it answered {status}").format(status=trouble.removeprefix(ANSWERED))
    reason, mark, kind = trouble.partition(": ")
    return f"{_(reason)}{mark}{kind}"


def lost_in_words(makers: Mapping[str, str]) -> Callable[[Vehicle, int], str]:
    """Return a function that words a lost access as the vehicle's page does. `makers` are the providers' titles by name."""

    def in_words(vehicle: Vehicle, now_ms: int) -> str:
        maker = makers.get(vehicle.provider, vehicle.provider)
        problem = card(vehicle, maker, now_ms, ANY_ZONE, ANY_DISTANCES).problem
        if problem is None:  # the reason comes from a newer version
            return _("We have lost access to {car}. Its page says what to do.").format(car=vehicle.name)
        return f"{problem.title}. {problem.meaning} {problem.remedy}"

    return in_words
