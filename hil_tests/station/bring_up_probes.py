"""What the bring-up tool can see itself, with a unit on its console and, for most of it, a fixture around it."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from hil_tests.station import measuring
from hil_tests.station.errors import StationTrouble, UnitFailed
from hil_tests.station.fixture import Fixture
from hil_tests.station.limits import judge, read_limits
from hil_tests.station.measuring import Measured

ANSWERS_WITHIN_S = 30.0
STALL_MS = (
    400  # of a port, in a TLS handshake or an erase of the flash (firmware/boards/board.py), with the loop's own period
)


class Seen(NamedTuple):
    """The answer of a probe."""

    is_so: bool
    text: str


Look = Callable[[Fixture], Awaitable[Seen]]


class Probe(NamedTuple):
    """`needs_instrument`: the console alone does not tell it."""

    look: Look
    needs_instrument: bool = True


def _by_limits(*parts: Callable[[Fixture], Awaitable[Measured]]) -> Look:
    """As the production test judges it."""

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
    """Since the start of the unit, whatever it did meanwhile."""
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
    """What the probe sees; a unit that fails on the way is not so. Raises StationTrouble."""
    if probe not in PROBES:
        raise StationTrouble(f"there is no probe {probe}: {', '.join(PROBES)}")
    try:
        return await PROBES[probe].look(fixture)
    except UnitFailed as failed:
        return Seen(False, str(failed))
