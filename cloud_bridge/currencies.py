"""Currencies of sites (ISO 4217). Prices are stored in hundredths of the minor unit in which they are shown. Pure."""

from typing import NamedTuple

from cloud_bridge.time_zones import GREAT_BRITAIN
from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _


class Currency(NamedTuple):
    """A currency. `minor` is the unit in which the price of a kilowatt-hour is shown; 10**`digits` of it are one major
    unit."""

    code: str
    sign: str  # before the amount, in English
    minor: str
    digits: int = 2

    def amount(self, minor: float) -> str:
        """Format an amount in minor units: £5.54. Amounts are rounded here and nowhere before."""
        return formats.money(minor / 10**self.digits, self.code, self.sign, self.digits)

    def major(self, minor: float) -> float:
        """Return an amount in major units for programs and tables, rounded to `digits` digits."""
        return float(f"{minor / 10**self.digits:.{self.digits}f}")

    def rate(self, hundredths: int) -> str:
        """Format a price per kilowatt-hour: 8.5p, or 8.5 cents."""
        number = formats.shortest(hundredths / 100)
        return _("{number}p").format(number=number) if self.minor == "pence" else f"{number} {_(self.minor)}"


_ALL = (
    Currency("AUD", "A$", N_("cents")),
    Currency("BRL", "R$", N_("centavos")),
    Currency("CAD", "C$", N_("cents")),
    Currency("CHF", "CHF ", N_("rappen")),
    Currency("CZK", "CZK ", N_("haléřů")),
    Currency("DKK", "DKK ", N_("øre")),
    Currency("EUR", "€", N_("cents")),
    Currency("GBP", "£", N_("pence")),
    Currency(
        "HUF", "HUF ", N_("forints"), 0
    ),  # ISO 4217 has 2 digits; the fillér is no coin since 1999, and no bill has it
    Currency("ILS", "₪", N_("agorot")),
    Currency("INR", "₹", N_("paise")),
    Currency("ISK", "ISK ", N_("krónur"), 0),
    Currency("JPY", "¥", N_("yen"), 0),
    Currency("KRW", "₩", N_("won"), 0),
    Currency("NOK", "NOK ", N_("øre")),
    Currency("NZD", "NZ$", N_("cents")),
    Currency("PLN", "PLN ", N_("groszy")),
    Currency("RON", "RON ", N_("bani")),
    Currency("SEK", "SEK ", N_("öre")),
    Currency("SGD", "S$", N_("cents")),
    Currency("TRY", "₺", N_("kuruş")),
    Currency("UAH", "₴", N_("kopiyok")),
    Currency("USD", "$", N_("cents")),
    Currency("ZAR", "R", N_("cents")),
)
CURRENCIES = {currency.code: currency for currency in _ALL}
DEFAULT = "GBP"

_EURO = (
    "Amsterdam Athens Berlin Bratislava Brussels Busingen Dublin Helsinki Lisbon Ljubljana Luxembourg Madrid Malta Mariehamn"
    " Monaco Paris Podgorica Riga Rome San_Marino Sofia Tallinn Vatican Vienna Vilnius Zagreb"
)
_OF_ZONES: dict[str, tuple[str, ...]] = {
    "GBP": tuple(GREAT_BRITAIN),
    "EUR": (*(f"Europe/{city}" for city in _EURO.split()), "Asia/Nicosia", "Atlantic/Canary", "Atlantic/Madeira"),
    "CHF": ("Europe/Zurich", "Europe/Vaduz"),
    "CZK": ("Europe/Prague",),
    "DKK": ("Europe/Copenhagen", "Atlantic/Faroe"),
    "HUF": ("Europe/Budapest",),
    "ISK": ("Atlantic/Reykjavik",),
    "NOK": ("Europe/Oslo", "Arctic/Longyearbyen"),
    "PLN": ("Europe/Warsaw",),
    "RON": ("Europe/Bucharest",),
    "SEK": ("Europe/Stockholm",),
    "TRY": ("Europe/Istanbul",),
    "UAH": ("Europe/Kyiv", "Europe/Kiev"),
    "ILS": ("Asia/Jerusalem",),
    "INR": ("Asia/Kolkata",),
    "JPY": ("Asia/Tokyo",),
    "KRW": ("Asia/Seoul",),
    "SGD": ("Asia/Singapore",),
    "NZD": ("Pacific/Auckland",),
    "ZAR": ("Africa/Johannesburg",),
    "AUD": tuple(
        f"Australia/{city}" for city in ("Adelaide", "Brisbane", "Darwin", "Hobart", "Melbourne", "Perth", "Sydney")
    ),
    "BRL": ("America/Sao_Paulo",),
    "CAD": tuple(f"America/{city}" for city in ("Edmonton", "Halifax", "Toronto", "Vancouver", "Winnipeg")),
    "USD": tuple(f"America/{city}" for city in ("Anchorage", "Chicago", "Denver", "Los_Angeles", "New_York", "Phoenix"))
    + ("Pacific/Honolulu",),
}
_OF_ZONE = {zone: code for code, zones in _OF_ZONES.items() for zone in zones}


def currency_for(code: str | None, time_zone: str) -> Currency:
    """Return the currency with the code. If there is none or this version does not know it, return that of the time
    zone's country; the default is GBP."""
    return CURRENCIES.get(code or "") or CURRENCIES[_OF_ZONE.get(time_zone, DEFAULT)]
