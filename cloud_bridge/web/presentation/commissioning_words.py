"""The commissioning record in words: for its page, and for the PDF. Pure."""

from typing import NamedTuple

from cloud_bridge.commissioning import FITTED, ORDERED, RCD_TRIP_MAX_MS, Steps
from cloud_bridge.store.commissioning import Record
from cloud_bridge.values import NO_CSQ, PASS_ABOVE_CSQ
from cloud_bridge.web.presentation.words import moment
from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _

EARTHING = {
    "TN-S": N_("TN-S: separate neutral and earth"),
    "TN-C-S": N_("TN-C-S (PME): the charger guards against an open PEN conductor"),
    "TT": N_("TT: earth electrode of its own"),
}
BOOSTS = {
    "none": N_("Good enough without a boost"),
    FITTED: N_("A signal boost is fitted"),
    ORDERED: N_("Too weak: a signal boost is ordered"),
}
VIA = {"console": N_("on the console"), "cloud": N_("on the job page, beside the charger")}


class Line(NamedTuple):
    name: str
    value: str


def lines(record: Record, time_zone: str) -> list[Line]:
    """Return every step with its result, and who commissioned it, when and with which firmware."""
    steps = record.steps
    return [
        Line(_("Rating of the circuit"), _("{amps} A").format(amps=steps.amps)),
        Line(_("Earthing arrangement"), _(EARTHING[steps.earth])),
        Line(_("Polarity"), _("Right")),
        Line(
            _("RCD test"),
            _("Trips after {ms} ms, allowed are {most} ms").format(ms=steps.rcd_ms, most=RCD_TRIP_MAX_MS),
        ),
        Line(_("Mobile signal"), _signal(steps)),
        Line(_("Commissioned by"), steps.by),
        Line(_("When"), moment(record.at_ms, time_zone)),
        Line(_("How"), _(VIA[record.via])),
        Line(_("Firmware"), record.firmware or _("not known")),
    ]


def _signal(steps: Steps) -> str:
    csq = _("no reading") if steps.csq == NO_CSQ else f"CSQ {formats.count(steps.csq)}"
    said = _("{csq}, must be greater than {above}. {boost}.")
    return said.format(csq=csq, above=PASS_ABOVE_CSQ, boost=_(BOOSTS[steps.boost]))
