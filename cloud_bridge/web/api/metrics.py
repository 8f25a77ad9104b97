"""`GET /metrics` for Prometheus. Totals only: with a label for each of 100,000 units it would have too many series."""

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
    """Return the metrics in Prometheus' text format. Needs a token with the scope `operate`."""
    require(asker, Scope.OPERATE)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Totals(app_state))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Totals(Collector):
    """Reads the totals from the running bridge at each scrape."""

    def __init__(self, app_state: AppState) -> None:
        self._app_state = app_state

    def collect(self) -> Iterator[Metric]:
        app_state = self._app_state
        messages = CounterMetricFamily(
            "chargekeeper_messages", "Messages received and refused since the start, by counter.", labels=["what"]
        )
        for name, count in asdict(app_state.counters).items():
            messages.add_metric([name], count)
        yield messages
        build = GaugeMetricFamily(
            "chargekeeper_build_info", "1, labelled with the running version.", labels=["version"]
        )
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
            "chargekeeper_units_by_firmware", "Charge points by firmware version.", labels=["version"]
        )
        for version, count in versions:
            firmware.add_metric([version or "not told"], count)
        yield firmware
        age = GaugeMetricFamily("chargekeeper_duty_age_seconds", "Time since a duty last succeeded.", labels=["duty"])
        late = GaugeMetricFamily("chargekeeper_duty_late", "1 while a duty is overdue.", labels=["duty"])
        failures = CounterMetricFamily("chargekeeper_duty_failures", "Failed runs of a duty.", labels=["duty"])
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
            ("units", "Registered charge points.", known),
            ("units_silent", "Charge points recorded as silent.", silent),
            ("units_troubled", "Charge points whose last heartbeat reports any trouble.", troubled),
            ("units_duplicate", "Charge points whose identity a second charge point uses too.", duplicates),
            ("connections", "Open connections of charge points to this process.", app_state.connections),
            ("waiting", "Received messages that are not committed to the store yet.", app_state.recorder.waiting),
            (
                "rejected",
                "Messages set aside since the start because the store refuses their data.",
                app_state.recorder.rejected,
            ),
            (
                "security_log_dropped",
                "Entries of the security log dropped since the start because the store was unavailable for too long.",
                app_state.security_log.dropped,
            ),
            ("store_trouble", "1 while the store cannot be written.", app_state.recorder.trouble is not None),
            ("listening", "1 while the canary of every shard is received in time.", is_listening(app_state)),
            ("listened_timestamp_seconds", "When the canary was last received.", (last_ok_ms or 0) / 1000),
            (
                "upkeep",
                "1 while this process does the upkeep; only one of the processes that share the database does.",
                since_ms is not None,
            ),
            (
                "upkeep_since_timestamp_seconds",
                "When this process started the upkeep; 0 while it does not do it.",
                (since_ms or 0) / 1000,
            ),
            ("strangers", "Client ids that belong to no charge point, as seen by all processes.", strangers),
        ):
            yield GaugeMetricFamily(f"chargekeeper_{name}", about, value=float(value))
