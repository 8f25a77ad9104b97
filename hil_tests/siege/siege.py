"""A siege of the running bridge: good units and readers continue while every attacker attacks."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.ports import free_ports
from hil_tests.fixtures.progress import bar
from hil_tests.siege.attack import Attack, Target
from hil_tests.siege.attackers import forms, guesses, poison, receivers, requests, sockets
from hil_tests.siege.attackers_apart import Report, attacking
from hil_tests.siege.figures import Figure, Seen, figures, p99
from hil_tests.siege.measured import MeasuredCrowd
from hil_tests.siege.population import MAIL_DOMAIN, PASSWORD, Person, populate
from hil_tests.siege.watch import Watch

CALM_S = 10.0  # at the beginning, without attackers: a baseline for this machine
ATTACKERS: dict[str, Callable[[Attack], None]] = {
    "sockets": sockets.attack,
    "requests": requests.attack,
    "guesses": guesses.attack,
    "poison": poison.attack,
    "forms": forms.attack,
    "receivers": receivers.attack,
}


class Plan(NamedTuple):
    """`attackers` are names of ATTACKERS. They begin after `calm_s`."""

    seconds: float
    seed: int
    units: int
    readers: int
    attackers: tuple[str, ...] = tuple(ATTACKERS)
    calm_s: float = CALM_S


class Outcome(NamedTuple):
    """`attacks` contains the report of each attacker; `log_faults` are lines of the bridge's log."""

    figures: list[Figure]
    attacks: list[Report]
    log_faults: list[str]
    details: list[str]


def besiege(folder: Path, plan: Plan) -> Outcome:
    """Start a bridge in the folder, and everything else. Raises CrowdFailed if the good units or readers cannot begin."""
    mail_port = free_ports(1)[0]
    mail = f"mailto://127.0.0.1:{mail_port}?from=keeper@{MAIL_DOMAIN}"
    cloud = CloudFixture(folder, environment={"CHARGEKEEPER_MAIL": mail})
    good = [f"good-{number:03d}" for number in range(plan.units)]
    readers = [
        Person(f"reader{number:02d}", units=tuple(good[number :: plan.readers])) for number in range(plan.readers)
    ]
    enemies = [
        Person(forms.DRIVER, units=poison.UNITS),
        Person(forms.SUPPORTER, "support"),
        Person(guesses.GUESSER),
        Person(receivers.OWNER, units=(receivers.UNIT,)),
        Person("ian", "installer"),
    ]
    units = populate(folder, [*readers, *enemies])
    cloud.start()
    crowds = []
    try:
        of_units = MeasuredCrowd("hil_tests.siege.units", cloud.mqtt_port, [units[name].login for name in good])
        crowds.append(of_units)
        asked = [(one.name, PASSWORD, one.units[0]) for one in readers]
        of_readers = MeasuredCrowd("hil_tests.siege.readers", cloud.http_port, asked)
        crowds.append(of_readers)
        for crowd in crowds:
            crowd.wait_until_ready()
        time.sleep(plan.calm_s)
        watch = Watch(cloud.bridge.pid, cloud.bridge.log)
        people = {one.name: one for one in (*readers, *enemies)}
        attacks = _attack(Target(cloud.http_port, cloud.mqtt_port, units, people, good, mail_port), plan)
        pages, said = of_readers.stop(), of_units.stop()
        watch.stop()
        health = cloud.health()
        lost = _lost(folder, said)
    finally:
        for crowd in crowds:
            crowd.kill()
        cloud.stop()
    return _outcome(plan, attacks, watch, pages, said, health, lost)


def _attack(target: Target, plan: Plan) -> list[Report]:
    """Run all attackers for the planned time."""
    with attacking({name: ATTACKERS[name] for name in plan.attackers}, target, plan.seed) as attackers:
        started_s = time.monotonic()
        with bar("siege, s", int(plan.seconds), lambda: int(time.monotonic() - started_s)):
            time.sleep(plan.seconds)
            return attackers.end()


def _lost(folder: Path, said: dict[str, Any]) -> int:
    """Return the number of good units' events that were acknowledged and are not in the store."""
    with closing(sqlite3.connect(folder / "chargekeeper.db", timeout=30)) as store:
        stored = dict(store.execute("SELECT unit_id, count(*) FROM events GROUP BY unit_id").fetchall())
    return sum(max(0, counts.get("event", 0) - stored.get(unit, 0)) for unit, (_, counts) in said.items())


def _outcome(
    plan: Plan,
    attacks: list[Report],
    watch: Watch,
    pages: dict[str, Any],
    said: dict[str, Any],
    health: dict[str, Any],
    lost: int,
) -> Outcome:
    statuses = Counter[str](pages["counts"])
    failed = sum(count for name, count in statuses.items() if name not in ("200", "reconnect"))
    own_errors = sum(count for name, count in statuses.items() if name.startswith("5"))
    errors = sum(one.counts["5xx"] for one in attacks)
    log_faults = watch.log_faults()
    calm_waits_s, waits_s = _split([wait for waits, _ in said.values() for wait in waits], watch.began_s)
    calm_times_s, times_s = _split(pages["times_s"], watch.began_s)
    counts = sum((Counter[str](counts) for _, counts in said.values()), Counter[str]())
    late = [name for name, duty in health.get("duties", {}).items() if duty["late"]]
    seen = Seen(
        minutes=plan.seconds / 60,
        unit_waits_s=waits_s,
        records_lost=lost,
        page_times_s=times_s,
        pages_failed=failed,
        server_errors=errors + own_errors,
        faults=sum(one.counts["FAULTS"] for one in attacks) - errors,
        log_faults=len(log_faults),
        log_bytes=watch.log_bytes(),
        memory_mb=watch.memory_mb,
        duties_late=len(late) if health else 1,
    )
    details = [
        f"before the siege: pages p99 {p99(calm_times_s) * 1000:.0f} ms, a unit waited {max(calm_waits_s):.1f} s at most",
        f"the bridge took {watch.cores:.2f} of a processor",
        f"{plan.units} units: {_listed(counts)}",
        f"{plan.readers} readers: {_listed(statuses)}",
        f"bridge: memory {watch.memory_mb[0]:.0f} MB at the start, {watch.memory_mb[-1]:.0f} MB at the end; "
        f"{watch.files_peak} files at most; late: {', '.join(late) or 'nothing' if health else 'no answer of /healthz'}",
        f"counters of /healthz: {_listed(health.get('counters', {}))}",
        *(f"{one.name}: {_listed(one.counts)}" for one in attacks),
    ]
    return Outcome(figures(seen), attacks, log_faults, details)


def _split(times: list[tuple[float, float]], at_s: float) -> tuple[list[float], list[float]]:
    """Return the durations of what began before `at_s`, and since. Neither is empty: without values before, 0; without
    values since, the longest."""
    before = [took_s for began_s, took_s in times if began_s < at_s]
    since = [took_s for began_s, took_s in times if began_s >= at_s]
    return before or [0.0], since or [max(took_s for _, took_s in times)]


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()) if count) or "nothing"
