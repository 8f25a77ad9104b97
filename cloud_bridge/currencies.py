"""Currencies of sites (ISO 4217). Prices are stored in hundredths of the minor unit in which people are told them. Pure."""

from typing import NamedTuple

from cloud_bridge.time_zones import GREAT_BRITAIN


class Currency(NamedTuple):
    """`minor`: what the price of a kilowatt-hour is told in, which is 10 to the power of `digits` to one of the currency."""

    code: str
    sign: str  # before the amount
    minor: str
    digits: int = 2

    def amount(self, minor: float) -> str:
        """£5.54; rounded here and nowhere before."""
        return f"{self.sign}{minor / 10**self.digits:.{self.digits}f}"

    def major(self, minor: float) -> float:
        """For programs and tables: of the currency itself, to its last digit."""
        return float(f"{minor / 10**self.digits:.{self.digits}f}")

    def rate(self, hundredths: int) -> str:
        """8.5p, or 8.5 cents"""
        number = f"{hundredths / 100:g}"
        return f"{number}p" if self.minor == "pence" else f"{number} {self.minor}"


_ALL = (
    Currency("AUD", "A$", "cents"),
    Currency("BRL", "R$", "centavos"),
    Currency("CAD", "C$", "cents"),
    Currency("CHF", "CHF ", "rappen"),
    Currency("CZK", "CZK ", "haléřů"),
    Currency("DKK", "DKK ", "øre"),
    Currency("EUR", "€", "cents"),
    Currency("GBP", "£", "pence"),
    Currency(
        "HUF", "HUF ", "forints", 0
    ),  # ISO 4217 has 2 digits; the fillér is no coin since 1999, and no bill has it
    Currency("ILS", "₪", "agorot"),
    Currency("INR", "₹", "paise"),
    Currency("ISK", "ISK ", "krónur", 0),
    Currency("JPY", "¥", "yen", 0),
    Currency("KRW", "₩", "won", 0),
    Currency("NOK", "NOK ", "øre"),
    Currency("NZD", "NZ$", "cents"),
    Currency("PLN", "PLN ", "groszy"),
    Currency("RON", "RON ", "bani"),
    Currency("SEK", "SEK ", "öre"),
    Currency("SGD", "S$", "cents"),
    Currency("TRY", "₺", "kuruş"),
    Currency("UAH", "₴", "kopiyok"),
    Currency("USD", "$", "cents"),
    Currency("ZAR", "R", "cents"),
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
    """That of the code; without one, or with one that this version does not know, that of the time zone's country."""
    return CURRENCIES.get(code or "") or CURRENCIES[_OF_ZONE.get(time_zone, DEFAULT)]
