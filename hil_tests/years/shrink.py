"""Cuts a failing story to the shortest list of happenings that still breaks the promise, and to the days that it needs."""

from collections.abc import Callable

from hil_tests.years.story import DAY_S, Happening, Story

AFTER_DAYS = 0.25  # how long a cut story continues after its last happening


def shrink(story: Story, breaks: Callable[[Story], bool], tries: int = 200) -> Story:
    """`breaks` runs a story. Remove halves first, then smaller pieces, down to single happenings. At most `tries` runs."""
    left = tries

    def still(happenings: list[Happening]) -> Story | None:
        nonlocal left
        if left <= 0:
            return None
        left -= 1
        shorter = story._replace(happenings=tuple(happenings))
        return shorter if breaks(shorter) else None

    best, size = story, max(1, len(story.happenings) // 2)
    while left > 0 and best.happenings:
        at = 0
        before = len(best.happenings)
        while at < len(best.happenings):
            happenings = list(best.happenings)
            shorter = still(happenings[:at] + happenings[at + size :])
            if shorter is None:
                at += size
            else:
                best = shorter
        if size == 1 and len(best.happenings) == before:
            break
        size = max(1, size // 2)
    if best.happenings:
        last = best.happenings[-1]
        days = (last.at_s + last.lasts_s) / DAY_S + AFTER_DAYS
        if days < best.days and breaks(sooner := best._replace(days=days)):
            return sooner
    return best
