"""Advance roll-outs to their next ring, or stop them. Runs periodically in the leading process
(store/leadership.py)."""

import logging
from functools import partial

from cloud_bridge.releases.decision import decide
from cloud_bridge.releases.roll_out_states import Happened, RollOutState
from cloud_bridge.store.database import Database
from cloud_bridge.store.roll_out_health import look
from cloud_bridge.store.roll_out_start import give_rings, waiting_for_rings
from cloud_bridge.store.roll_outs import apply, count_states, ring_count, watched
from cloud_bridge.store.slices import in_slices
from cloud_bridge.verified_time import Clocks

DECIDE_EVERY_S = 60.0
RINGS_EVERY_S = 5.0

_log = logging.getLogger(__name__)


def give_all_rings(database: Database) -> None:
    """Assign a ring to every unit of the roll-outs that have started. Raises SQLAlchemyError."""
    with database.reading() as connection:
        numbers = waiting_for_rings(connection)
    for number in numbers:
        in_slices(database.writing_slice, partial(give_rings, number=number))


def decide_all(database: Database, clocks: Clocks) -> None:
    """Decide once about every active roll-out. The duration of a ring goes by verified time, so that no wrong clock
    ends it early. Raises SQLAlchemyError."""
    now_ms = clocks.clock.now_ms()
    with database.reading() as connection:
        found = [
            (one, ring_count(count_states(connection, one.number).get(one.ring, {})), look(connection, one, now_ms))
            for one in watched(connection)
        ]
    for one, count, seen in found:
        lasted_ms = min(now_ms, clocks.verified.now_ms()) - one.ring_ms
        decision = decide(one.ring, count, lasted_ms, one.soak_ms, seen)
        if decision.happened is not Happened.STOP and not one.is_drawn:
            continue
        if decision.happened is None or one.state is RollOutState.DONE and decision.happened is not Happened.STOP:
            continue
        _log.warning("roll-out %d of %s: %s %s", one.number, one.version, decision.happened, decision.why)
        with database.writing() as connection:
            apply(connection, one, decision, now_ms)
