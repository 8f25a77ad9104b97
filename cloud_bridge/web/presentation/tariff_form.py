"""The form of a tariff: filled in from the stored tariff, and parsed as it was typed. Pure."""

import re
from typing import NamedTuple

from cloud_bridge.store.sites import Tariff
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.presentation.hours import clock
from cloud_bridge.words import formats
from cloud_bridge.words import gettext as _

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_RATE = re.compile(r"(\d{1,3})(?:[.,](\d{1,2}))?", re.ASCII)


class TariffForm(NamedTuple):
    """The content of the fields."""

    rate: str = ""
    off_peak_rate: str = ""
    off_peak_from: str = "00:00"
    off_peak_to: str = "05:00"


def filled(tariff: Tariff | None) -> TariffForm:
    if tariff is None:
        return TariffForm()
    if tariff.off_peak_rate is None:
        return TariffForm(formats.shortest(tariff.rate / 100))
    hours = (clock(tariff.off_peak_from), clock(tariff.off_peak_to))
    return TariffForm(formats.shortest(tariff.rate / 100), formats.shortest(tariff.off_peak_rate / 100), *hours)


def read(form: TariffForm) -> Tariff | None:
    """Parse the form. Return None if no rate was typed, so that the price is unknown. Raises Refused with the field's name."""
    rate, off_peak_rate = _rate(form, "rate"), _rate(form, "off_peak_rate")
    if rate is None:
        if off_peak_rate is not None:
            raise refused("rate", _("Enter the rate of the other hours, too."))
        return None
    if off_peak_rate is None:
        return Tariff(rate)
    begin, end = _minute(form, "off_peak_from"), _minute(form, "off_peak_to")
    if begin == end:
        raise refused("off_peak_to", _("Enter a time other than the one at which these hours begin."))
    return Tariff(rate, off_peak_rate, begin, end)


def refused(field: str, words: str) -> Refused:
    return Refused(_("This tariff was not taken"), f"{words} {_('Nothing was changed.')}", field=field)


def _rate(form: TariffForm, name: str) -> int | None:
    """Return the rate in hundredths, or None for an empty field."""
    text = getattr(form, name).strip()
    if not text:
        return None
    match = _RATE.fullmatch(text)
    if match is None:
        raise refused(name, _("Enter a number from 0 to 999.99, such as 24.5."))
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def _minute(form: TariffForm, name: str) -> int:
    match = _TIME.fullmatch(getattr(form, name).strip())
    if match is None:
        raise refused(name, _("Enter a time, such as 05:30."))
    return int(match[1]) * 60 + int(match[2])
