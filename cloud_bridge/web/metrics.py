"""`GET /metrics` for Prometheus: totals only. A hundred thousand units with a label each would be its end."""

from collections.abc import Iterator
from dataclasses import asdict

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from cloud_bridge.house import House
from cloud_bridge.store.access import Scope
from cloud_bridge.store.tables import contacts, units
from cloud_bridge.web.access import ApiAsker, HouseOf, require
from cloud_bridge.web.view import is_listening

router = APIRouter()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(house: HouseOf, asker: ApiAsker) -> Response:
    """Prometheus' text format. Needs a token with the scope `operate`."""
    require(asker, Scope.OPERATE)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Totals(house))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Totals(Collector):
    """Read from the running house when asked."""

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterator[Metric]:
        house = self._house
        messages = CounterMetricFamily(
            "chargekeeper_messages", "What came in and what was turned away, since the start.", labels=["what"]
        )
        for name, count in asdict(house.counters).items():
            messages.add_metric([name], count)
        yield messages
        with house.database.reading() as connection:
            known = connection.execute(select(func.count()).select_from(units)).scalar_one()
            silent = connection.execute(select(func.count()).where(contacts.c.silent_ms.is_not(None))).scalar_one()
        listened_ms = house.ledger.listened_ms
        for name, about, value in (
            ("units", "Charge points that were added.", known),
            ("units_silent", "Charge points that were noticed silent.", silent),
            ("connections", "Connections of units that are open.", house.broker.connections),
            ("waiting", "Messages that are not in the store yet.", house.recorder.waiting),
            ("rejected", "Messages kept aside since the start: the store refuses their data.", house.recorder.rejected),
            ("store_trouble", "1 while the store cannot be written.", house.recorder.trouble is not None),
            ("listening", "1 while our own canary comes through.", is_listening(house)),
            ("listened_timestamp_seconds", "When it came through last.", (listened_ms or 0) / 1000),
            ("strangers", "Ids in quarantine.", len(house.quarantine.strangers)),
        ):
            yield GaugeMetricFamily(f"chargekeeper_{name}", about, value=float(value))
