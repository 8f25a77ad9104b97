"""The owner's schedule: the hours in which the vehicle is not charged, in local time. Pure.

Format: days and hours to avoid, `mon-fri 08:00-11:00 16:00-22:00; sat 10:00-12:00`. Start and end are exact to the second.
While the time is unknown, no hours are avoided: the vehicle is charged.
"""

from firmware.charging import uk_time

# The Electric Vehicles (Smart Charge Points) Regulations 2021, regulation 10: the default charging hours are outside these
# peak hours (from memory, unverified).
DEFAULT = "mon-fri 08:00-11:00 16:00-22:00"
OFF = "off"  # disabled by the owner
WEEK_S = 7 * 86400
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = 24  # pairs of hours


class BadSchedule(ValueError):
    """The text is not a valid schedule; the message is the reason."""


def read(text: str) -> tuple[tuple[int, int, int, int], ...]:
    """Return the hours to avoid: ((first day, last day, start, end), ...), seconds of the day. Raises BadSchedule.

    "" (not set yet) and "off" avoid nothing; "default" is the default of the regulations.
    """
    if text in ("", OFF):
        return ()
    hours: list[tuple[int, int, int, int]] = []
    for part in (DEFAULT if text == "default" else text).split(";"):
        words = part.split()
        if len(words) < 2:
            raise BadSchedule("needs days and hours, as in: %s" % DEFAULT)
        first, last = _days(words[0])
        hours.extend((first, last) + _hours(word) for word in words[1:])
    if len(hours) > LONGEST:
        raise BadSchedule("needs %d pairs of hours or fewer" % LONGEST)
    return tuple(hours)


def complaint(text: str) -> str | None:
    """Return why the text is not a valid schedule, or None if it is."""
    try:
        read(text)
    except BadSchedule as bad:
        return str(bad)
    return None


def avoided_until(hours: tuple[tuple[int, int, int, int], ...], epoch_s: int | None) -> int | None:
    """Return the end, in seconds of the local day, of the hours to avoid at `epoch_s` (UTC); None outside them."""
    if epoch_s is None or not hours:  # four times a second, and most units have none
        return None
    weekday, second = uk_time.local(epoch_s)
    for first, last, begins, ends in hours:
        if first <= weekday <= last and begins <= second < ends:
            return ends
    return None


def allowed_again_s(hours: tuple[tuple[int, int, int, int], ...], epoch_s: int) -> int | None:
    """Return the end, UTC, of the hours to avoid at `epoch_s`, also across midnight; None if it is not within a week."""
    end_s = epoch_s
    while end_s - epoch_s < WEEK_S:
        until_s = avoided_until(hours, end_s)
        if until_s is None:
            return end_s
        later_s = end_s + until_s - uk_time.local(end_s)[1]
        # A change of clocks in between: an hour less or more, unless the end is in the skipped hour.
        changed_s = later_s + (uk_time.is_summer(end_s) - uk_time.is_summer(later_s)) * uk_time.HOUR_S
        end_s = changed_s if uk_time.is_summer(changed_s) == uk_time.is_summer(later_s) else later_s
    return None


def _days(word: str) -> tuple[int, int]:
    first, _, last = word.partition("-")
    last = last or first
    if first not in DAYS or last not in DAYS or DAYS.index(last) < DAYS.index(first):
        raise BadSchedule("days are mon to sun, or mon-fri: not %s" % word)
    return DAYS.index(first), DAYS.index(last)


def _hours(word: str) -> tuple[int, int]:
    start, _, end = word.partition("-")
    begins, ends = _second(start), _second(end)
    if begins is None or ends is None or ends <= begins:
        raise BadSchedule("hours are 00:00-24:00 within one day: not %s" % word)
    return begins, ends


def _second(word: str) -> int | None:
    """Return the second of the day of HH:MM, or None."""
    if len(word) != 5 or word[2] != ":" or not (word[:2] + word[3:]).isdigit():
        return None
    hour, minute = int(word[:2]), int(word[3:])
    return hour * 3600 + minute * 60 if minute < 60 and (hour < 24 or word == "24:00") else None
