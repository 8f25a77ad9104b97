"""`GET /metrics` for Prometheus: totals only. A hundred thousand units with a label each would be its end."""

from collections.abc import Iterator
from dataclasses import asdict

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cloud_bridge.app_state import AppState
from cloud_bridge.store.access import Scope
from cloud_bridge.store.duplicates import count_duplicates
from cloud_bridge.store.firmware import count_versions
from cloud_bridge.store.troubles import count_troubled
from cloud_bridge.store.units import count_silent, count_units
from cloud_bridge.store.unknown_clients import count_unknown_clients
from cloud_bridge.troubles import COUNTED, KNOWN
from cloud_bridge.version import VERSION
from cloud_bridge.web.api.schema import ACCESS_PROBLEMS
from cloud_bridge.web.presentation.view import is_listening
from cloud_bridge.web.security.access import ApiAsker, StateDep, require

router = APIRouter()


@router.get("/metrics", response_class=Response, responses=ACCESS_PROBLEMS | {200: {"content": {"text/plain": {}}}})
def metrics(app_state: StateDep, asker: ApiAsker) -> Response:
    """Prometheus' text format. Needs a token with the scope `operate`."""
    require(asker, Scope.OPERATE)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Totals(app_state))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Totals(Collector):
    """Read from the running bridge when asked."""

    def __init__(self, app_state: AppState) -> None:
        self._app_state = app_state

    def collect(self) -> Iterator[Metric]:
        app_state = self._app_state
        messages = CounterMetricFamily(
            "chargekeeper_messages", "What came in and what was turned away, since the start.", labels=["what"]
        )
        for name, count in asdict(app_state.counters).items():
            messages.add_metric([name], count)
        yield messages
        build = GaugeMetricFamily("chargekeeper_build_info", "1, with the version that runs.", labels=["version"])
        build.add_metric([VERSION], 1)
        yield build
        with app_state.database.reading() as connection:
            known = count_units(connection)
            silent = count_silent(connection)
            duplicates = count_duplicates(connection, app_state.clock.now_ms())
            strangers = count_unknown_clients(connection)
            versions = count_versions(connection)
            troubled, by_trouble = count_troubled(connection, set(KNOWN).difference(COUNTED))
        troubles = GaugeMetricFamily(
            "chargekeeper_troubles", "Charge points whose last heartbeat reports this trouble.", labels=["trouble"]
        )
        for name, count in sorted(by_trouble.items()):
            troubles.add_metric([name], count)
        yield troubles
        firmware = GaugeMetricFamily(
            "chargekeeper_units_by_firmware", "Charge points by the version that they run.", labels=["version"]
        )
        for version, count in versions:
            firmware.add_metric([version or "not told"], count)
        yield firmware
        age = GaugeMetricFamily("chargekeeper_duty_age_seconds", "Since the last success of a duty.", labels=["duty"])
        late = GaugeMetricFamily("chargekeeper_duty_late", "1 while that is too long ago.", labels=["duty"])
        failures = CounterMetricFamily("chargekeeper_duty_failures", "Turns of a duty that failed.", labels=["duty"])
        for duty in app_state.duties.states():
            age.add_metric([duty.name], duty.age_s)
            late.add_metric([duty.name], duty.is_late)
            failures.add_metric([duty.name], duty.failures)
        yield age
        yield late
        yield failures
        last_ok_ms = app_state.ledger.last_ok_ms
        since_ms = app_state.leadership.since_ms
        for name, about, value in (
            ("units", "Charge points that were added.", known),
            ("units_silent", "Charge points that were noticed silent.", silent),
            ("units_troubled", "Charge points whose last heartbeat reports any trouble.", troubled),
            ("units_duplicate", "Charge points whose identity a second one uses too.", duplicates),
            ("connections", "Connections of units that are open.", app_state.connections),
            ("waiting", "Messages that are not in the store yet.", app_state.recorder.waiting),
            (
                "rejected",
                "Messages kept aside since the start: the store refuses their data.",
                app_state.recorder.rejected,
            ),
            (
                "security_log_dropped",
                "Entries of the security log lost since the start: they could not wait any longer for the store.",
                app_state.security_log.dropped,
            ),
            ("store_trouble", "1 while the store cannot be written.", app_state.recorder.trouble is not None),
            ("listening", "1 while the canary of each part of the units comes through.", is_listening(app_state)),
            ("listened_timestamp_seconds", "When it came through last.", (last_ok_ms or 0) / 1000),
            (
                "upkeep",
                "1 while this process does the upkeep; one of all that share the database.",
                since_ms is not None,
            ),
            ("upkeep_since_timestamp_seconds", "When it began to; 0 while it does not.", (since_ms or 0) / 1000),
            ("strangers", "Ids that said something and are no charge points, of all processes.", strangers),
        ):
            yield GaugeMetricFamily(f"chargekeeper_{name}", about, value=float(value))
