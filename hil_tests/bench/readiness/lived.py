"""How a night ends, and what was announced in it. A night has a number, and is the same each time.

A night is a miss if the vehicle is more than five percentage points below its target at the departure. If the vehicle's
account has not reported the battery since the last plug-in, it is a miss if the vehicle is below its target and its own
limit and drew nothing when its hours, or the night, ended: nobody could know more (hil_tests/sim/nights/night.py). A
night that ends within half a point of that line is neither a miss nor ready, and is counted separately, because
accounts report whole per cent.

The cause of a miss begins in good time if the night is also a miss when nothing begins or becomes visible in the last
three hours before the departure. To find out, the night is simulated again without that, and must end clear of that
line too. In some of these nights nobody could be sure by then: a silence counts after half an hour, and a vehicle rests
for up to 20 minutes. Simulated again without the last three hours and 45 minutes, they are no misses; they are counted
separately too.

The last announcement counts. It is in time if the driver got it three hours before the departure.

An announcement that a vehicle will not be ready is false if the vehicle is ready in the end. This holds even if the
announcement was withdrawn, or if something that happened later made it untrue, such as mains that returned or a fault
that ended. The only exception: nobody had plugged the vehicle in, the driver was told so, and a person has plugged it
in since. To find out, the night is simulated again without that plug-in.
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
    """The results of one night."""

    number: int
    is_miss: bool
    is_on_the_line: bool  # too close to call
    has_begun: bool  # for a miss: its cause began in good time
    could_be_seen: bool  # for a miss: and could be seen by then
    told: News | None  # the driver's last information; None: all is well
    told_before_s: int  # seconds before the departure
    was_told_miss: bool  # at any time
    was_right: bool  # the night is no miss only because the vehicle was plugged in after the announcement
    reason: str  # the first reason in an announcement
    troubles: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        return not self.is_miss and not self.is_on_the_line

    @property
    def is_announced(self) -> bool:
        """Whether a miss was announced in time."""
        return self.told is not None and self.told_before_s >= TOLD_BEFORE_S

    @property
    def is_missed(self) -> bool:
        """Whether the driver of a miss should have been told in time and was not."""
        return self.has_begun and not self.is_announced

    @property
    def is_false(self) -> bool:
        return self.was_told_miss and self.is_ready and not self.was_right


def live(number: int) -> Lived:
    """Simulate the night of this number."""
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
    """Yield the course of the night of this number, for each minute in which something changes."""
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
    """Return whether the night is also a miss without what begins later."""
    last_s = circumstances.ready_s - before_s
    again = _again(circumstances, night, without_after_s=last_s)
    return circumstances.plans[-1].at_s <= last_s and again.is_miss and not again.is_on_the_line


def _again(circumstances: Circumstances, night: Night, **without: int) -> Night:
    """Simulate the night again without a service, and return it at its end."""
    again = Night(circumstances, pauses=night.pauses, **without)
    again.live_again()
    return again


def _believed(announced: Iterable[Announcement]) -> Announcement | None:
    """Return the announcement that holds at the end, or None if the driver was told that all is well."""
    found: Announcement | None = None
    for one in announced:
        found = None if one.news is News.TAKEN_BACK else found or one
    return found


def _left(circumstances: Circumstances, at_s: int) -> str:
    """Return hours and minutes before the departure."""
    minutes = (circumstances.ready_s - at_s) // 60
    return f"-{minutes // 60:02d}:{minutes % 60:02d}"
