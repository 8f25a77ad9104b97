"""The form of a tariff: filled with what is stored, or read as it was typed. Pure."""

import re
from dataclasses import dataclass, field

from cloud_bridge.store.sites import Tariff
from cloud_bridge.web.presentation.hours import clock

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_RATE = re.compile(r"(\d{1,3})(?:[.,](\d{1,2}))?", re.ASCII)
RATE = "Enter a number from 0 to 999.99, such as 24.5."


@dataclass
class TariffForm:
    """What stands in the fields, and what is wrong with it, by field."""

    rate: str = ""
    off_peak_rate: str = ""
    off_peak_from: str = "00:00"
    off_peak_to: str = "05:00"
    errors: dict[str, str] = field(default_factory=dict)


def filled(tariff: Tariff | None) -> TariffForm:
    if tariff is None:
        return TariffForm()
    if tariff.off_peak_rate is None:
        return TariffForm(f"{tariff.rate / 100:g}")
    hours = (clock(tariff.off_peak_from), clock(tariff.off_peak_to))
    return TariffForm(f"{tariff.rate / 100:g}", f"{tariff.off_peak_rate / 100:g}", *hours)


def read(form: TariffForm) -> Tariff | None:
    """None: no rate was typed, so that the price is not known; or there are errors now in the form."""
    rate = _rate(form, "rate")
    off_peak_rate = _rate(form, "off_peak_rate")
    if off_peak_rate is not None and not form.rate.strip():
        form.errors["rate"] = "Enter the rate of the other hours, too."
    begin, end = _minute(form, "off_peak_from"), _minute(form, "off_peak_to")
    if off_peak_rate is not None and begin == end and not form.errors:
        form.errors["off_peak_to"] = "Enter a time other than the one at which these hours begin."
    if form.errors or rate is None:
        return None
    return Tariff(rate) if off_peak_rate is None else Tariff(rate, off_peak_rate, begin, end)


def _rate(form: TariffForm, name: str) -> int | None:
    """In hundredths; None for an empty field, and for one with an error."""
    text = getattr(form, name).strip()
    match = _RATE.fullmatch(text)
    if match is None:
        if text:
            form.errors[name] = RATE
        return None
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def _minute(form: TariffForm, name: str) -> int:
    match = _TIME.fullmatch(getattr(form, name).strip())
    if match is None:
        form.errors[name] = "Enter a time, such as 05:30."
        return 0
    return int(match[1]) * 60 + int(match[2])
