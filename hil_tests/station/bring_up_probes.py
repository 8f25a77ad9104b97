"""The checks that the bring-up tool makes itself, over the unit's console and, for most of them, a fixture around the unit."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from hil_tests.station import measuring
from hil_tests.station.errors import StationTrouble, UnitFailed
from hil_tests.station.fixture import Fixture
from hil_tests.station.limits import judge, read_limits
from hil_tests.station.measuring import Measured

ANSWERS_WITHIN_S = 30.0
STALL_MS = 400  # longest block of a TLS handshake or a flash erase (firmware/boards/board.py), plus the loop's period


class Seen(NamedTuple):
    """The result of a probe, with the figures in `text`."""

    is_so: bool
    text: str


Look = Callable[[Fixture], Awaitable[Seen]]


class Probe(NamedTuple):
    """`needs_instrument` is False if the unit's console is enough."""

    look: Look
    needs_instrument: bool = True


def _by_limits(*parts: Callable[[Fixture], Awaitable[Measured]]) -> Look:
    """Return a probe that judges the measured values by the limits of the production test."""

    async def look(fixture: Fixture) -> Seen:
        measured: Measured = {}
        for part in parts:
            measured |= await part(fixture)
        failure = judge(read_limits(), measured)
        return Seen(failure is None, failure or ", ".join(f"{name} {value:g}" for name, value in measured.items()))

    return look


async def _console(fixture: Fixture) -> Seen:
    if not await fixture.answers(ANSWERS_WITHIN_S):
        return Seen(False, f"no answer within {ANSWERS_WITHIN_S:g} s")
    said = await fixture.ask_unit("status")
    return Seen(True, f"pilot {said['pilot']}, faults {said['faults']}")


async def _control_loop(fixture: Fixture) -> Seen:
    """Judge the worst delay of the control loop since the unit's start."""
    worst_ms = int((await fixture.ask_unit("status"))["loop_worst_ms"])
    health = await fixture.ask_unit("health")
    openings = int(health["guard_openings"])
    text = f"steps at most {worst_ms} ms apart, {health['steps_later']} later than 100 ms, guard_openings {openings}"
    return Seen(worst_ms <= STALL_MS and not openings, text)


PROBES = {
    "console": Probe(_console, needs_instrument=False),
    "pilot": Probe(_by_limits(measuring.at_rest, measuring.pilot_with_a_vehicle)),
    "proximity": Probe(_by_limits(measuring.proximity)),
    "modem": Probe(_by_limits(measuring.modem), needs_instrument=False),
    "contactor": Probe(_by_limits(measuring.charging)),
    "residual_current": Probe(_by_limits(measuring.residual_current)),
    "control_loop": Probe(_control_loop, needs_instrument=False),
}


async def look_at(probe: str, fixture: Fixture) -> Seen:
    """Run a probe. A unit that fails during it fails the check. Raises StationTrouble."""
    if probe not in PROBES:
        raise StationTrouble(f"unknown probe {probe}; there are: {', '.join(PROBES)}")
    try:
        return await PROBES[probe].look(fixture)
    except UnitFailed as failed:
        return Seen(False, str(failed))
