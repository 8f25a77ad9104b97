"""A run second by second, and its figures. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from hil_tests.fleet.log import Logged
from hil_tests.fleet.scenarios import KILLS, Do, Step


class Quantiles(NamedTuple):
    """Quantiles of some values; 0 without values."""

    p50: float
    p99: float
    worst: float


class Second(NamedTuple):
    """The events of one second of a run."""

    at_s: int  # since the first unit connected
    messages: int  # acknowledged messages
    logins: int
    wait_ms: Quantiles  # from the first PUBLISH on a connection to its PUBACK
    connected: int
    unacknowledged: int


class Return(NamedTuple):
    """How long units were without an acknowledgement after a step, in seconds."""

    step: Step
    after_s: Quantiles
    never: int  # units with an acknowledgement before the step, and none since


class Speed(NamedTuple):
    """The figures of the whole run."""

    seconds: float  # from the first acknowledgement to the last
    messages: int
    busiest: int  # most messages in one second
    wait_ms: Quantiles
    logins: int
    most_logins: int  # most logins in one second
    login_ms: Quantiles
    returns: list[Return]
    never: int  # units without any acknowledged message


def quantiles(values: Sequence[float]) -> Quantiles:
    if not values:
        return Quantiles(0.0, 0.0, 0.0)
    ordered = sorted(values)
    return Quantiles(ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], ordered[-1])


def timeline(logged: Logged, begin_ms: float) -> list[Second]:
    """Return every second from `begin_ms` to the last event."""
    waits: dict[int, list[float]] = defaultdict(list)
    logins: dict[int, int] = defaultdict(int)
    samples: dict[int, tuple[int, int]] = {}
    for one in logged.deliveries:
        if one.is_acknowledged:
            waits[_second(one.ended_ms, begin_ms)].append(one.ended_ms - one.sent_ms)
    for login in logged.logins:
        logins[_second(login.at_ms, begin_ms)] += 1
    for sample in logged.samples:
        connected, unacknowledged = samples.get(_second(sample.at_ms, begin_ms), (0, 0))
        samples[_second(sample.at_ms, begin_ms)] = connected + sample.connected, unacknowledged + sample.unacknowledged
    if not (waits or logins or samples):
        return []
    seconds, last = [], (0, 0)
    for at_s in range(max(waits.keys() | logins.keys() | samples.keys()) + 1):
        last = samples.get(at_s, last)
        seconds.append(Second(at_s, len(waits[at_s]), logins[at_s], quantiles(waits[at_s]), *last))
    return seconds


def speed(logged: Logged, seconds: Sequence[Second], steps: Sequence[Step], begin_ms: float, units: int) -> Speed:
    """Return the figures. `seconds` is the timeline of the same run, and `units` the number of units."""
    acknowledged = [one for one in logged.deliveries if one.is_acknowledged]
    times = [one.ended_ms for one in acknowledged]
    return Speed(
        (max(times) - min(times)) / 1000 if times else 0.0,
        len(acknowledged),
        max((one.messages for one in seconds), default=0),
        quantiles([one.ended_ms - one.sent_ms for one in acknowledged]),
        len(logged.logins),
        max((one.logins for one in seconds), default=0),
        quantiles([one.took_ms for one in logged.logins]),
        [_return(step, logged, begin_ms) for step in steps if step.do in (Do.DROP, *KILLS)],
        units - len({one.unit_id for one in acknowledged}),
    )


def _return(step: Step, logged: Logged, begin_ms: float) -> Return:
    at_ms = begin_ms + step.at_s * 1000
    before: set[str] = set()
    first_ms: dict[str, float] = {}
    for one in logged.deliveries:
        if not one.is_acknowledged:
            continue
        if one.ended_ms <= at_ms:
            before.add(one.unit_id)
        elif one.sent_ms > at_ms:
            first_ms[one.unit_id] = min(one.ended_ms, first_ms.get(one.unit_id, one.ended_ms))
    after_s = [(ended_ms - at_ms) / 1000 for unit_id, ended_ms in first_ms.items() if unit_id in before]
    return Return(step, quantiles(after_s), len(before - first_ms.keys()))


def _second(at_ms: float, begin_ms: float) -> int:
    return max(0, int((at_ms - begin_ms) // 1000))
