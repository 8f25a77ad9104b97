"""Is everything that was acknowledged to a fleet in the database, after kill -9 of the bridge? Is a missing row found?"""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

from hil_tests.fleet import log, rows
from hil_tests.fleet.clouds import EMBEDDED, OwnCloud
from hil_tests.fleet.run import Plan, run
from hil_tests.fleet.scenarios import Cast, Do, Scenario, Shares, Step
from hil_tests.fleet.verdict import Terms, judge

UNITS = 200
EVERY_S, RAMP_S, SECONDS = 2.0, 3.0, 20.0
KILLED = Scenario(
    "kill -9 of the bridge",
    SECONDS,
    (Step(1.0, Do.KILL_BRIDGE), Step(16.0, Do.DROP)),
    Shares(flapping=0.05, forgetful=0.1, sleeping=0.05, twins=0.02),
)
ANSWER_WITHIN_S = 3.0  # short, so that messages are repeated with DUP


def test_nothing_acknowledged_is_lost_and_a_missing_row_would_be_told(tmp_path: Path) -> None:
    """Repeat with more than a minute if the bridge had too little time to come back, as on a busy machine."""
    seed = random.randrange(10**6)
    for seconds in (SECONDS, 4 * SECONDS):
        folder = tmp_path / f"{seconds:.0f}"
        folder.mkdir()
        cloud = OwnCloud(folder, EMBEDDED, on_postgresql=False, tls=False)
        plan = Plan(
            KILLED._replace(seconds=seconds), Cast(UNITS, RAMP_S), seed, EVERY_S, 1, answer_within_s=ANSWER_WITHIN_S
        )
        try:
            done = run(folder, cloud, plan, "killed", f"seed {seed}")
        finally:
            cloud.close()
        print(done.again, done.speed, done.counts, sep="\n")
        assert done.verdict.faults == []
        assert done.verdict.acknowledged == done.verdict.found
        killed = done.speed.returns[0]
        assert killed.step.do is Do.KILL_BRIDGE
        if killed.after_s.worst > 0:
            break
    assert killed.after_s.worst > 0, "nobody was acknowledged after the kill"
    assert all(done.verdict.acknowledged[kind] for kind in ("heartbeat", "event"))
    _delete_and_judge(folder, cloud.database)


def _delete_and_judge(folder: Path, database: str) -> None:
    logged = log.read(folder.glob("units-*.log"))
    since_ms = int(min(one.sent_ms for one in logged.deliveries))
    units = {one.unit_id for one in logged.deliveries}
    event = next(one for one in logged.deliveries if one.is_acknowledged and one.kind == "event")
    heartbeat = next(one for one in logged.deliveries if one.is_acknowledged and one.kind == "heartbeat")
    for statement, lost in (
        (f"DELETE FROM events WHERE unit_id = '{event.unit_id}' AND sequence = {event.sequence}", f"event {event.key}"),
        (f"DELETE FROM power WHERE unit_id = '{heartbeat.unit_id}'", f"heartbeat {heartbeat.key}"),
    ):
        with closing(sqlite3.connect(database)) as file, file:
            assert file.execute(statement).rowcount > 0
        verdict = judge(logged.deliveries, rows.read(database, units, since_ms), Terms())
        assert any(fault.startswith(f"lost: {lost}") for fault in verdict.faults), verdict.faults
