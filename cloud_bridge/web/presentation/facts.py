"""A charge point's facts in words, as they stood when a message was sent: attached to it, so that nobody has to ask."""

import json

from cloud_bridge.durations import DAY_MS
from cloud_bridge.support.evidence import Evidence
from cloud_bridge.web.presentation import words
from cloud_bridge.web.presentation.dashboard import Around, describe
from cloud_bridge.web.presentation.view import ChargePoint

FACTS_OVER_MS = 7 * DAY_MS
UNREADABLE = ("Not shown", "What was stored with this message cannot be shown: its content is not valid.")


def facts_of(
    point: ChargePoint, week: Evidence, firmware: str | None, modem: str | None, closings: int | None
) -> list[tuple[str, str]]:
    """(name, value) pairs, most telling first. `firmware` is its version, `modem` the model, `closings` those of the
    contactor; None while unknown."""
    board = describe(point, Around(firmware=firmware, modem=modem, closings=closings))
    heartbeat = point.heartbeat
    return [
        ("Last contacted", board.last_contact_moment or "never"),
        ("Contact", board.glance.word),
        ("State", f"{board.state} ({heartbeat.state or 'not known'})"),
        ("Faults", ", ".join(board.faults) or "none"),
        ("Needs attention", "; ".join(trouble.title for trouble in board.troubles) or "nothing"),
        ("Silent in 7 days", silences(week)),
        ("Signal in 7 days", signal(week)),
        ("Networks in 7 days", networks(week)),
        ("Restarts in 7 days", restarts(week)),
        *((fact.label, fact.text) for fact in board.facts),
    ]


def as_text(facts: list[tuple[str, str]]) -> str:
    return json.dumps(facts)


def from_text(text: str | None) -> list[tuple[str, str]]:
    """One line that says so for facts that cannot be shown."""
    if text is None:
        return []
    try:
        return [(str(name), str(value)) for name, value in json.loads(text)]
    except (ValueError, TypeError, RecursionError):  # not as `as_text` writes them
        return [UNREADABLE]


def silences(evidence: Evidence) -> str:
    if not evidence.gaps:
        return "never"
    return f"{words.times(len(evidence.gaps))}, together {words.lasting(evidence.silent_ms)}"


def signal(evidence: Evidence) -> str:
    if evidence.typical_csq is None:
        return "no readings"
    return f"typically CSQ {evidence.typical_csq:.0f}, at worst {evidence.weakest_csq}"


def restarts(evidence: Evidence) -> str:
    if not evidence.boots:
        return "none"
    return words.times(evidence.boots) + (
        f", {words.times(evidence.brown_outs)} because the supply dipped" if evidence.brown_outs else ""
    )


def networks(evidence: Evidence) -> str:
    named = [
        f"{words.operator_name(network.operator) or 'unknown'} (CSQ {network.average_csq:.0f})"
        for network in evidence.networks
    ]
    return ", ".join(named) or "none seen"
