"""How a night ends, and what was announced in it. A night has a number, and is the same each time.

A night is a miss if the vehicle is more than five percentage points below its target at the departure. Of a vehicle whose
account has not told the battery since it was last plugged in, it is one if it is below its target and its own limit and
took nothing when its hours, or the night, ended: nobody could say more of it (hil_tests/sim/nights/night.py). A night that
ends within half a point of that line is neither a miss nor ready, and counted apart: accounts tell whole per cent.

A miss has a cause that begins in good time if it is one also when nothing begins, and nothing shows itself, in the last three
hours before the departure: to know it, the night is lived again without that, and has to end clear of that line too. Of those
there are some that nobody could be sure of by then: a silence is one after half an hour, a vehicle rests for up to 20 minutes.
Lived again without the last three hours and 45 minutes, they are none; they are counted apart too.

What was announced is what was said last. It is in time if the driver got it three hours before the departure.

An announcement that a vehicle will not be ready is false if it is ready in the end, also if it was taken back, and also if
only something that happened later made it untrue: mains that came back, a fault that went away. One alone is right: nobody
had plugged the vehicle in, the driver was told so, and somebody has plugged it in since. To know it, the night is lived again
in which nobody does.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from cloud_bridge.readiness.telling import News
from hil_tests.bench.readiness.service import Announcement, Service
from hil_tests.sim.nights.circumstances import Circumstances, draw
from hil_tests.sim.nights.night import Night

TOLD_BEFORE_S = 3 * 3600
SEEN_BEFORE_S = TOLD_BEFORE_S + 45 * 60


class Lived(NamedTuple):
    """One night."""

    number: int
    is_miss: bool
    is_on_the_line: bool  # between a miss and none
    has_begun: bool  # of a miss: its cause, in good time
    could_be_seen: bool  # and by then it could be told from what passes by itself
    told: News | None  # what the driver believes in the end; None: that all is well
    told_before_s: int  # the departure
    was_told_miss: bool  # at any time
    was_right: bool  # of an announcement in a night that is no miss: it was plugged in afterwards
    reason: str  # that was told
    troubles: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        return not self.is_miss and not self.is_on_the_line

    @property
    def is_announced(self) -> bool:
        """Of a miss: in time."""
        return self.told is not None and self.told_before_s >= TOLD_BEFORE_S

    @property
    def is_missed(self) -> bool:
        """A miss that the driver should have been told of in time."""
        return self.has_begun and not self.is_announced

    @property
    def is_false(self) -> bool:
        return self.was_told_miss and self.is_ready and not self.was_right


def live(number: int) -> Lived:
    """The night of this number."""
    circumstances = draw(number)
    night = Night(circumstances)
    service = Service(circumstances, night)
    for said in night.minutes():
        service.hear(said)
    ready_s, announced = circumstances.ready_s, service.announced
    last = _believed(announced)
    misses = [one for one in announced if one.news is News.WILL_MISS]
    is_miss = night.is_miss and not night.is_on_the_line
    plugs_until_s = misses[0].at_s if misses and not is_miss else None
    return Lived(
        number=number,
        is_miss=is_miss,
        is_on_the_line=night.is_on_the_line,
        has_begun=is_miss and _has_begun(circumstances, night, TOLD_BEFORE_S),
        could_be_seen=is_miss and _has_begun(circumstances, night, SEEN_BEFORE_S),
        told=None if last is None else last.news,
        told_before_s=0 if last is None else ready_s - last.at_s,
        was_told_miss=bool(misses),
        was_right=plugs_until_s is not None and _again(circumstances, night, plugs_until_s=plugs_until_s).is_miss,
        reason=next((one.reason for one in announced if one.news is not News.TAKEN_BACK), ""),
        troubles=tuple(circumstances.troubles),
    )


def live_some(numbers: Sequence[int]) -> list[Lived]:
    return [live(number) for number in numbers]


def story(number: int) -> Iterator[str]:
    """The night of this number, minute by minute where something changes."""
    circumstances = draw(number)
    night = Night(circumstances)
    service = Service(circumstances, night)
    yield str(circumstances)
    before: tuple[object, ...] = ()
    for said in night.minutes():
        known = len(service.announced)
        service.hear(said)
        for one in service.announced[known:]:
            yield f"{_left(circumstances, one.at_s)}  TOLD {one.news} {one.reason}"
        heartbeat = said.heard[-1] if said.heard else {}
        now = (heartbeat.get("s"), heartbeat.get("y"), service.found and service.found[:2])
        if (said.heard and now != before) or said.car:
            before = now if said.heard else before
            heard = f"{heartbeat or ''} {said.car or ''}"
            yield f"{_left(circumstances, said.at_s)}  {night.percent:5.1f} %  {heard} {service.found}"
    yield f"{'a miss' if night.is_miss else 'ready'} at {night.percent:.1f} %; {live(number)}"


def _has_begun(circumstances: Circumstances, night: Night, before_s: int) -> bool:
    """Whether a miss would be one too without what begins later."""
    last_s = circumstances.ready_s - before_s
    again = _again(circumstances, night, without_after_s=last_s)
    return circumstances.plans[-1].at_s <= last_s and again.is_miss and not again.is_on_the_line


def _again(circumstances: Circumstances, night: Night, **without: int) -> Night:
    """The night at its end, lived with nobody who listens."""
    again = Night(circumstances, pauses=night.pauses, **without)
    again.live_again()
    return again


def _believed(announced: Iterable[Announcement]) -> Announcement | None:
    """What the driver was told last, since when it holds. None: that all is well."""
    found: Announcement | None = None
    for one in announced:
        found = None if one.news is News.TAKEN_BACK else found or one
    return found


def _left(circumstances: Circumstances, at_s: int) -> str:
    """Hours and minutes before the departure."""
    minutes = (circumstances.ready_s - at_s) // 60
    return f"-{minutes // 60:02d}:{minutes % 60:02d}"
