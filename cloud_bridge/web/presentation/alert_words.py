"""What alerts say besides their own words: the cost of a charge, and how to get a lost car account back."""

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

ANY_ZONE, ANY_DISTANCES = "UTC", Distances.KILOMETRES  # no time and no distance is said


def charge_cost(connection: Connection, unit_id: str, charge: Charged) -> Callable[[], str] | None:
    """Says it in the site's currency; None where the tariff or the energy is not known."""
    tariff = tariff_of(connection, unit_id)
    if tariff is None or charge.energy_wh is None:
        return None
    drawing = Span(charge.from_ms // 1000, charge.to_ms // 1000)
    found = cost(charge.energy_wh, drawing, tariff, time_zone_of(connection, unit_id))
    return None if found is None else partial(currency_of(connection, unit_id).amount, found)


def undelivered(trouble: str) -> str:
    """Why an alert was not delivered, as the store has it: a reason of alerts/, and perhaps what kind of error it was."""
    if trouble.startswith(ANSWERED):
        return _("it answered {status}").format(status=trouble.removeprefix(ANSWERED))
    reason, mark, kind = trouble.partition(": ")
    return f"{_(reason)}{mark}{kind}"


def lost_in_words(makers: Mapping[str, str]) -> Callable[[Vehicle, int], str]:
    """As the vehicle's page says it. `makers` are the titles of the providers by their names."""

    def in_words(vehicle: Vehicle, now_ms: int) -> str:
        maker = makers.get(vehicle.provider, vehicle.provider)
        problem = card(vehicle, maker, now_ms, ANY_ZONE, ANY_DISTANCES).problem
        if problem is None:  # of a reason that a newer version knows
            return _("We have lost access to {car}. Its page says what to do.").format(car=vehicle.name)
        return f"{problem.title}. {problem.meaning} {problem.remedy}"

    return in_words
