"""What an owner says about the site of a charge point: name, time zone, currency, and the price of a kilowatt-hour."""

from typing import NamedTuple
from zoneinfo import available_timezones

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from cloud_bridge.currencies import CURRENCIES, Currency, currency_for
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.tables import tariffs, units
from cloud_bridge.words import gettext as _

MAX_NAME = 100
MAX_RATE = 99_999  # just below 1,000 pence
MINUTES_A_DAY = 24 * 60


class Tariff(NamedTuple):
    """Rates per kWh, in hundredths of a penny (or of the minor unit of the site's currency). The off-peak rate applies
    from one minute of the site's day to another, which may be past midnight."""

    rate: int
    off_peak_rate: int | None = None
    off_peak_from: int = 0
    off_peak_to: int = 0


class Prices(NamedTuple):
    tariff: Tariff | None  # None: the price is not known
    currency: Currency


def describe_site(connection: Connection, unit_id: str, name: str, time_zone: str) -> None:
    """Set name and time zone. Raises BridgeError for a name that is too long or a zone that does not exist, unless the
    zone is stored already: then another machine knows it."""
    if len(name) > MAX_NAME or not name.isprintable():
        raise BridgeError(_("a name has up to {most} printable characters").format(most=MAX_NAME))
    kept = connection.execute(select(units.c.time_zone).where(units.c.id == unit_id)).scalar()
    if time_zone != kept and time_zone not in available_timezones():
        raise BridgeError(_("{zone} is no time zone").format(zone=f"{time_zone!r}"))
    connection.execute(update(units).where(units.c.id == unit_id).values(name=name.strip(), time_zone=time_zone))


def time_zone_of(connection: Connection, unit_id: str) -> str:
    return str(connection.execute(select(units.c.time_zone).where(units.c.id == unit_id)).scalar_one())


def set_currency(connection: Connection, unit_id: str, code: str) -> None:
    """Set the currency. Raises BridgeError for one that is not in currencies.py."""
    if code not in CURRENCIES:
        raise BridgeError(_("{code} is no currency that we know").format(code=f"{code!r}"))
    connection.execute(update(units).where(units.c.id == unit_id).values(currency=code))


def currency_of(connection: Connection, unit_id: str) -> Currency:
    """The owner's choice, or that of the time zone."""
    return prices_of(connection, unit_id).currency


def tariff_of(connection: Connection, unit_id: str) -> Tariff | None:
    return prices_of(connection, unit_id).tariff


def prices_of(connection: Connection, unit_id: str) -> Prices:
    """Tariff and currency."""
    row = connection.execute(_PRICES, {"unit": unit_id}).one_or_none()
    if row is None:
        return Prices(None, currency_for(None, ""))
    code, time_zone, rate, *off_peak = row
    return Prices(None if rate is None else Tariff(rate, *off_peak), currency_for(code, time_zone))


_PRICES = (
    select(units.c.currency, units.c.time_zone, *(tariffs.c[name] for name in Tariff._fields))
    .outerjoin(tariffs, tariffs.c.unit_id == units.c.id)
    .where(units.c.id == bindparam("unit"))
)


def set_tariff(connection: Connection, unit_id: str, tariff: Tariff | None) -> None:
    """Set the tariff; None: the price is not known. Raises BridgeError for an impossible one."""
    connection.execute(delete(tariffs).where(tariffs.c.unit_id == unit_id))
    if tariff is None:
        return
    rates = [tariff.rate] if tariff.off_peak_rate is None else [tariff.rate, tariff.off_peak_rate]
    minutes = (tariff.off_peak_from, tariff.off_peak_to)
    if not all(0 <= rate <= MAX_RATE for rate in rates) or not all(0 <= minute < MINUTES_A_DAY for minute in minutes):
        raise BridgeError(_("a price is from 0 to 999.99, an hour from 00:00 to 23:59"))
    connection.execute(insert(tariffs), {"unit_id": unit_id, **tariff._asdict()})
