"""What a charge point did for a vehicle that does not follow the standard, in words. Pure."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from cloud_bridge.support.unit_events import UnitEvent
from cloud_bridge.web.presentation import words
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

# How the unit wakes a vehicle (firmware/charging/sequence.py): it holds the pilot steady for 3 s, or in state F for 4 s.
WOKE = {
    "nudging": N_("Stopped offering current for 3 seconds, and offered it again"),
    "replugging": N_("Behaved for 4 seconds as if the plug had been pulled"),
}


class Told(NamedTuple):
    at_ms: int
    did: str
    why: str


def told(events: Iterable[UnitEvent]) -> list[Told]:
    """Describe events of the kinds in VEHICLE_EVENTS (support/evidence.py)."""
    return [_TOLD[one.kind](one) for one in events]


def _wake_up(event: UnitEvent) -> Told:
    how = event.details.get("by")
    did = WOKE.get(how) if isinstance(how, str) else None
    why = _(did or N_("The vehicle did not take the current that was offered"))
    return Told(event.at_ms, _("Tried to wake the vehicle"), why)


def _rest(event: UnitEvent) -> Told:
    rest = _seconds(event.details.get("s"))
    did = (
        _("Waited before it switched on again")
        if rest is None
        else _("Did not switch on for {length}").format(length=rest)
    )
    return Told(event.at_ms, did, _("The vehicle had started and stopped too often; this spares the contactor"))


def _draws_more(event: UnitEvent) -> Told:
    by_a = event.details.get("a")
    known = type(by_a) is int and by_a > 0
    did = _("Offered {amps} less").format(amps=f"{by_a} A") if known else _("Stopped for 10 minutes")
    return Told(event.at_ms, did, _("The vehicle drew more current than it was offered"))


def _seconds(value: Any) -> str | None:
    return words.exactly(value * 1000) if type(value) is int and value > 0 else None


_TOLD = {"wake_up": _wake_up, "contactor_rest": _rest, "draws_more": _draws_more}
