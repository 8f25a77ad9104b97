"""Calendar months in the time zone of a site. Pure."""

import re
from datetime import date, datetime
from typing import NamedTuple

from cloud_bridge.time_zones import local_time, zone_or_utc
from cloud_bridge.words import formats

FORM = re.compile(r"(20[2-9][0-9])-(0[1-9]|1[0-2])")  # no data is older than 2020


class Month(NamedTuple):
    """A month of a year; `month` is 1 to 12."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02}"

    @property
    def name(self) -> str:
        """The month's name and year in the reader's language: October 2026."""
        return formats.month(date(self.year, self.month, 1))

    @property
    def before(self) -> "Month":
        return Month(self.year - 1, 12) if self.month == 1 else Month(self.year, self.month - 1)

    @property
    def after(self) -> "Month":
        return Month(self.year + 1, 1) if self.month == 12 else Month(self.year, self.month + 1)

    def begins_ms(self, time_zone: str) -> int:
        """Return the start of the month in the time zone, in UTC milliseconds since 1970."""
        return int(datetime(self.year, self.month, 1, tzinfo=zone_or_utc(time_zone)).timestamp() * 1000)

    def ends_ms(self, time_zone: str) -> int:
        """Return the end of the month, exclusive, in UTC milliseconds since 1970."""
        return self.after.begins_ms(time_zone)


def read_month(text: str) -> Month | None:
    """Parse a month of 2020 to 2099 such as "2026-10". Return None for any other text."""
    found = FORM.fullmatch(text)
    return None if found is None else Month(int(found[1]), int(found[2]))


def month_of(at_ms: int, time_zone: str) -> Month:
    """Return the month of a time in the time zone of the site."""
    local = local_time(at_ms, time_zone)
    return Month(local.year, local.month)


def months_back(newest: Month, oldest: Month, most: int) -> list[Month]:
    """Return the months from the newest back to the oldest, at most `most` of them."""
    found: list[Month] = []
    while newest >= oldest and len(found) < most:
        found.append(newest)
        newest = newest.before
    return found
