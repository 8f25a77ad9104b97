"""The evidence of a charge point, and the advice drawn from it, for the pages of support and installers."""

from typing import Any

from cloud_bridge.app_state import AppState
from cloud_bridge.store.units import Unit
from cloud_bridge.support.advice import advise
from cloud_bridge.support.evidence import Evidence
from cloud_bridge.web.presentation import charts, network_words
from cloud_bridge.web.presentation.dashboard import troubles
from cloud_bridge.web.presentation.facts import latest_signal, networks, restarts, signal, silences, weak_time
from cloud_bridge.web.presentation.series import silent_by_hour
from cloud_bridge.web.presentation.view import charge_point
from cloud_bridge.words import formats
from cloud_bridge.words import gettext as _


def what_to_do(app_state: AppState, unit: Unit, evidence: Evidence) -> dict[str, Any]:
    """Return advice and troubles for the templates."""
    point = charge_point(app_state, unit)
    boots = None if point.duplicate is None else (point.duplicate.boot, point.duplicate.other_boot)
    return {"advice": advise(evidence, boots), "troubles": troubles(point, for_installer=True)}


def evidence_tables(unit: Unit, before: Evidence, after: Evidence | None = None) -> dict[str, Any]:
    """Return the tables for the templates: of one time, or before and after a visit."""
    times = [before] if after is None else [before, after]
    gaps = [gap for time in times for gap in time.gaps]
    return {
        "before": _facts(before),
        "after": after and _facts(after),
        "last_hour": _last_hour(times[-1]),
        "chart": charts.signal_chart(unit.time_zone, *times),
        "gaps": gaps,
        "by_hour": charts.hour_bars(silent_by_hour(gaps, unit.time_zone)),
        "moves": network_words.told(move for time in times for move in time.moves),
        "unreadable": sum(time.unreadable for time in times),
    }


def _facts(evidence: Evidence) -> list[tuple[str, str]]:
    return [
        (
            _("Available"),
            _("not known") if evidence.availability is None else formats.percent(evidence.availability, 1),
        ),
        (_("Silent"), silences(evidence.gaps)),
        (_("Signal"), signal(evidence.signal)),
        (_("Weak signal"), weak_time(evidence.signal)),
        (_("Networks"), networks(evidence.signal)),
        (_("Restarts"), restarts(evidence)),
    ]


def _last_hour(evidence: Evidence) -> dict[str, str]:
    """Return those of the facts that make sense for one hour, by name."""
    hour = evidence.last_hour
    return {
        _("Silent"): silences(evidence.silent_last_hour),
        _("Signal"): latest_signal(hour),
        _("Weak signal"): weak_time(hour),
        _("Networks"): networks(hour),
    }
