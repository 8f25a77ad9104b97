"""One run of a fleet: processes of units against a cloud, the steps of the scenario, and the verdict at the end."""

import os
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from hil_tests.bench.cloud.load import cpu_s
from hil_tests.fixtures.cloud_fixture import UnitSecret
from hil_tests.fixtures.progress import bar
from hil_tests.fleet import log, report, rows
from hil_tests.fleet.clouds import OthersCloud, OwnCloud
from hil_tests.fleet.own_cluster import OwnCluster
from hil_tests.fleet.real_units import RealUnits
from hil_tests.fleet.scenarios import KILLS, Cast, Part, Scenario, Step, parts, steps_of
from hil_tests.fleet.timeline import speed, timeline
from hil_tests.fleet.unit import ANSWER_WITHIN_S
from hil_tests.fleet.verdict import Terms, Verdict, judge
from hil_tests.fleet.workers import Worker

BEGIN_AFTER_S = 2.0  # for the processes to create their units
UNITS_MADE_PER_S = 5000
END_WITHIN_S = 120.0  # after the end of the run, for outstanding messages
LOOK_EVERY_S = 2.0  # interval of reading the database, until everything is there
STORED_WITHIN_S = 90.0  # behind an external broker; longer than the time after which it repeats a delivery
EPOCH_2026_S = 1_767_225_600


class Plan(NamedTuple):
    """The parameters of a run. The same plan and seed give the same actions."""

    scenario: Scenario
    cast: Cast
    seed: int
    every_s: float  # between a unit's heartbeats
    processes: int
    sources: int = 64  # number of loopback addresses of the units; 0: the system's choice
    real: int = 0  # additional units with real firmware
    answer_within_s: float = ANSWER_WITHIN_S


Cloud = OwnCloud | OwnCluster | OthersCloud


def names(plan: Plan) -> list[str]:
    """Return the names of the simulated units, then of the real ones."""
    return [f"fleet-{number:06d}" for number in range(plan.cast.units)] + [f"real-{at:03d}" for at in range(plan.real)]


def run(folder: Path, cloud: Cloud, plan: Plan, about: str, again: str) -> report.Run:
    """Run the plan. Raises WorkerFailed if a process of units fails, AssertionError or BridgeFailed if the cloud does."""
    load_before = os.getloadavg()[1]
    units = cloud.start(names(plan))
    simulated, real = units[: plan.cast.units], units[plan.cast.units :]
    steps = steps_of(plan.scenario, plan.cast.ramp_s)
    seconds = plan.cast.ramp_s + plan.scenario.seconds
    with ExitStack() as stack:
        firmware = stack.enter_context(RealUnits(folder / "real", cloud, real, plan.seed))
        firmware.start()
        workers = [
            Worker(asked, folder / f"units-{at}.log") for at, asked in enumerate(_asked(plan, cloud, simulated, steps))
        ]
        for worker in workers:
            stack.callback(worker.kill)
        begin_s = time.monotonic() + BEGIN_AFTER_S + plan.cast.units / UNITS_MADE_PER_S
        begin_ms = (time.time() + begin_s - time.monotonic()) * 1000
        for worker in workers:
            worker.begin(begin_s)
        in_time = [step for step in steps if step.at_s < seconds]
        killer = threading.Thread(target=_kill, args=(cloud, in_time, begin_s), name="killer", daemon=True)
        killer.start()
        expected = round(plan.cast.units * (plan.scenario.seconds / plan.every_s + 2))
        with bar("messages", expected, lambda: sum(worker.acknowledged for worker in workers)):
            time.sleep(max(0.0, begin_s + seconds - time.monotonic()))
            generator_s = sum(cpu_s(worker.pid) for worker in workers)
            for worker in workers:
                worker.wait(END_WITHIN_S)
        killer.join(END_WITHIN_S)
        wrong = firmware.settle()
        usage = cloud.usage()
    logged = log.read([worker.log for worker in workers])
    for name, count in cloud.counted().items():
        logged.counts[f"bridge: {name}"] = count
    found = timeline(logged, begin_ms)
    return report.Run(
        f"{plan.cast.units:,} units, {about}",
        again,
        found,
        steps,
        speed(logged, found, steps, begin_ms, plan.cast.units),
        _verdict(cloud, logged, [name for name, _ in simulated], int(begin_ms)),
        logged.counts,
        usage,
        f"{os.cpu_count()} processors, load {load_before:.1f} before, {os.getloadavg()[1]:.1f} at the end; "
        f"the units took {generator_s:.1f} s of one",
        wrong,
        firmware.said,
        cloud.row_after_ms(int(begin_ms)),
    )


def _asked(plan: Plan, cloud: Cloud, units: list[UnitSecret], steps: list[Step]) -> list[dict[str, Any]]:
    """Return the input of each process. A unit and its twin are in the same process."""
    by_process: list[list[Part]] = [[] for _ in range(plan.processes)]
    for part in parts(plan.scenario, plan.cast, plan.seed):
        by_process[part.number % plan.processes].append(part)
    shared = {
        "boot": int(time.time()) - EPOCH_2026_S,  # larger than in earlier runs on the same store
        "every_s": plan.every_s,
        "answer_within_s": plan.answer_within_s,
        "habits": plan.scenario.habits,
        "doors": cloud.doors.plain,
        "tls_doors": cloud.doors.tls,
        "ca": cloud.doors.ca,
        "sources": [f"127.1.{at >> 8}.{(at & 255) + 1}" for at in range(plan.sources)],
        "steps": [(step.at_s, step.do.name, *step[2:]) for step in steps],
        "seconds": plan.cast.ramp_s + plan.scenario.seconds,
    }
    return [shared | {"units": [(*units[part.number], part) for part in some]} for some in by_process]


def _kill(cloud: Cloud, steps: list[Step], begin_s: float) -> None:
    for step in steps:
        if step.do in KILLS and not isinstance(cloud, OthersCloud):
            time.sleep(max(0.0, begin_s + step.at_s - time.monotonic()))
            cloud.kill(step)


def _verdict(cloud: Cloud, logged: log.Logged, units: list[str], since_ms: int) -> Verdict:
    """Compare logs and database; repeat while an external broker still delivers what it has acknowledged."""
    terms: Terms = cloud.terms
    give_up_s = time.monotonic() + (STORED_WITHIN_S if cloud.is_outside else 0.0)
    while True:
        verdict = judge(logged.deliveries, rows.read(cloud.database, units, since_ms), terms)
        if not (verdict.lost or verdict.contact_behind) or time.monotonic() >= give_up_s:
            return verdict
        time.sleep(LOOK_EVERY_S)
