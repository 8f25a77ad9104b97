"""The owner's hours: when the vehicle is not charged, in local time. Pure.

Written as the days with their hours to avoid, `mon-fri 08:00-11:00 16:00-22:00; sat 10:00-12:00`; nothing else is
avoided. Each hour begins to the second and ends to the second. An unknown time avoids nothing: it charges.
"""

from firmware.charging import uk_time

# The Electric Vehicles (Smart Charge Points) Regulations 2021, regulation 10: the default hours lie outside these. The
# hours are remembered and not read from its text (unverified).
DEFAULT = "mon-fri 08:00-11:00 16:00-22:00"
OFF = "off"  # removed by the owner
WEEK_S = 7 * 86400
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = 24  # pairs of hours


class BadSchedule(ValueError):
    """Why the text is no schedule."""


def read(text):
    """((first day, last day, from second, to second), ...) of the hours to avoid; BadSchedule says what is wrong.

    "" (nothing was chosen yet) and "off" avoid nothing; "default" is the default of the regulations.
    """
    if text in ("", OFF):
        return ()
    hours: list = []
    for part in (DEFAULT if text == "default" else text).split(";"):
        words = part.split()
        if len(words) < 2:
            raise BadSchedule("needs days and hours, as in: %s" % DEFAULT)
        first, last = _days(words[0])
        hours.extend((first, last) + _hours(word) for word in words[1:])
    if len(hours) > LONGEST:
        raise BadSchedule("needs %d pairs of hours or fewer" % LONGEST)
    return tuple(hours)


def complaint(text):
    """What is wrong with the text, or None."""
    try:
        read(text)
    except BadSchedule as bad:
        return str(bad)
    return None


def avoided_until(hours, epoch_s):
    """The second of the local day at which the hour to avoid ends that `epoch_s` (UTC) lies in; None outside them all."""
    if epoch_s is None:
        return None
    weekday, second = uk_time.local(epoch_s)
    for first, last, begins, ends in hours:
        if first <= weekday <= last and begins <= second < ends:
            return ends
    return None


def allowed_again_s(hours, epoch_s):
    """When the hours to avoid end that `epoch_s` lies in, UTC, also across midnight; None if that is not within a week."""
    end_s = epoch_s
    while end_s - epoch_s < WEEK_S:
        until_s = avoided_until(hours, end_s)
        if until_s is None:
            return end_s
        later_s = end_s + until_s - uk_time.local(end_s)[1]
        # The clocks change in between: an hour less or more, unless the end lies in the hour that there is not.
        changed_s = later_s + (uk_time.is_summer(end_s) - uk_time.is_summer(later_s)) * uk_time.HOUR_S
        end_s = changed_s if uk_time.is_summer(changed_s) == uk_time.is_summer(later_s) else later_s
    return None


def _days(word):
    first, _, last = word.partition("-")
    last = last or first
    if first not in DAYS or last not in DAYS or DAYS.index(last) < DAYS.index(first):
        raise BadSchedule("days are mon to sun, or mon-fri: not %s" % word)
    return DAYS.index(first), DAYS.index(last)


def _hours(word):
    begins, _, ends = word.partition("-")
    begins, ends = _second(begins), _second(ends)
    if begins is None or ends is None or ends <= begins:
        raise BadSchedule("hours are 00:00-24:00 within one day: not %s" % word)
    return begins, ends


def _second(word):
    """Of HH:MM, or None."""
    if len(word) != 5 or word[2] != ":" or not (word[:2] + word[3:]).isdigit():
        return None
    hour, minute = int(word[:2]), int(word[3:])
    return hour * 3600 + minute * 60 if minute < 60 and (hour < 24 or word == "24:00") else None
