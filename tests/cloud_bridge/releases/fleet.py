"""`python -m tests.cloud_bridge.releases.fleet`: a roll-out from which 1 % of 2,000 units go back. Virtual time, a real store.

Commands, decisions and the handling of results and events are the product's; only units and time are simulated. `--bad 0` is a
good release. The database draws the units of each ring at random, so a seed only repeats units and times. Prints the report
that the page draws. Exit code 0 if a bad release was stopped, or a good one reached all units.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import update

from cloud_bridge.durations import HOUR_MS, MINUTE_MS
from cloud_bridge.order_sender import payload_of
from cloud_bridge.releases.decision import SOAK_MS
from cloud_bridge.releases.roll_out_states import OPEN, RINGS, RollOutState, UnitState
from cloud_bridge.roll_out_decisions import decide_all, give_all_rings
from cloud_bridge.store.database import Database, open_database
from cloud_bridge.store.inbound_message import InboundMessage
from cloud_bridge.store.record import record
from cloud_bridge.store.roll_out_orders import Order, due, mark_sent
from cloud_bridge.store.roll_out_start import Choice, ChosenBy, Wish, start
from cloud_bridge.store.roll_outs import count_states, find_roll_out, reached_by_hour, total
from cloud_bridge.store.tables import units as unit_table
from cloud_bridge.store.units import add_unit
from cloud_bridge.verified_time import Clocks, VerifiedTime
from tests.cloud_bridge.recording import inbound
from tests.cloud_bridge.releases.rolling_out import MADE, add_release
from tests.cloud_bridge.running import START_MS, HandClock

TURN_MS = 10 * MINUTE_MS
DAYS = 12
AT_ONCE = 300  # commands in a turn
LOADS_MS = (20 * MINUTE_MS, 6 * HOUR_MS)  # time to load an image over GPRS, while no vehicle charges
RESETS_A_DAY = 0.01  # watchdog resets of any unit
OPEN_STATES = set(OPEN)
COLUMNS = 60  # width of a drawn line


class Fleet:
    """Units that answer commands, load, install, and then are good or go back."""

    def __init__(
        self, database: Database, units: int, bad: float, seed: int, resets_a_day: float = RESETS_A_DAY
    ) -> None:
        self.clock = HandClock()
        self.orders = self.withdrawals = 0
        self._dice = random.Random(seed)
        self._database = database
        self._clocks = Clocks(self.clock, VerifiedTime(self.clock))
        self._unit_ids = [f"u{number:05}" for number in range(units)]
        self._bad = {unit_id for unit_id in self._unit_ids if self._dice.random() < bad}
        self._sequence = 1
        self._resets = resets_a_day
        self._plans: list[tuple[int, str, str]] = []  # time, unit, result to report
        with database.writing() as connection:
            for unit_id in self._unit_ids:
                add_unit(connection, unit_id, START_MS - HOUR_MS)
            connection.execute(update(unit_table).values(board="tcall"))
            add_release(connection)
            wish = Wish(str(MADE.manifest.version), Choice(ChosenBy.ALL), SOAK_MS)
        self._beat()
        with database.writing() as connection:
            self.number = start(connection, wish, self.clock.now_ms())

    def turn(self) -> None:
        """Simulate ten minutes for all units."""
        self.clock.advance(TURN_MS)
        if self.clock.now_ms() % HOUR_MS == 0:
            self._beat()
        with self._database.writing() as connection:
            orders = due(connection, self.clock.now_ms(), AT_ONCE)
            mark_sent(connection, orders, self.clock.now_ms())
        said = [self._answer(order) for order in orders]
        now_ms = self.clock.now_ms()
        for _, unit_id, result in sorted(plan for plan in self._plans if plan[0] <= now_ms):
            said.append(self._says(unit_id, "event", k="update", d={"v": "1.4.0", "r": result}))
        self._plans = [plan for plan in self._plans if plan[0] > now_ms]
        share = self._resets * TURN_MS / (24 * HOUR_MS)
        for unit_id in self._unit_ids:
            if self._dice.random() < share:
                said.append(self._says(unit_id, "event", k="boot", d={"cause": "watchdog"}))
        if said:
            with self._database.writing() as connection:
                record(connection, said, now_ms)
        give_all_rings(self._database)
        decide_all(self._database, self._clocks)

    def _beat(self) -> None:
        with self._database.writing() as connection:
            record(connection, [inbound(unit_id, self.clock.now_ms()) for unit_id in self._unit_ids])

    def _answer(self, order: Order) -> InboundMessage:
        number = json.loads(payload_of(order))["id"]
        if order.is_withdrawn:
            self.withdrawals += 1
            self._plans = [plan for plan in self._plans if plan[1] != order.unit_id]
        else:
            self.orders += 1
            installed_ms = self.clock.now_ms() + self._dice.randint(*LOADS_MS)
            self._plans.append((installed_ms, order.unit_id, "installed"))
            ends = "rolled_back" if order.unit_id in self._bad else "good"
            self._plans.append((installed_ms + self._dice.randint(MINUTE_MS, 90 * MINUTE_MS), order.unit_id, ends))
        return self._says(order.unit_id, "result", id=number, ok=True)

    def _says(self, unit_id: str, kind: str, **said: object) -> InboundMessage:
        self._sequence += 1
        payload = json.dumps({"n": self._sequence, "b": 1, **said}, separators=(",", ":")).encode()
        return inbound(unit_id, self.clock.now_ms(), kind, payload)


def draw(database: Database, number: int) -> None:
    """Print what the page shows, in characters."""
    with database.reading() as connection:
        one = find_roll_out(connection, number)
        states = count_states(connection, number)
        good = reached_by_hour(connection, number, UnitState.GOOD)
    print(f"{one.version} to {one.units} units: {one.state} at ring {RINGS[one.ring]}. {one.why}")
    for ring, of in sorted(states.items()):
        units = ", ".join(f"{count} {state}" for state, count in total({ring: of}).items())
        print(f"  {RINGS[ring]:9} {units}")
    bar = {"good": "#", "rolled_back": "!", "waiting": "."}
    line = "".join(
        bar.get(state, "-") * max(1, round(count * COLUMNS / one.units)) for state, count in total(states).items()
    )
    print(f"  [{line}]   # good, ! went back, - on their way or withdrawn, . waiting")
    for at_ms, _ in good[:: max(1, len(good) // 20)]:
        reached = sum(units for hour_ms, units in good if hour_ms <= at_ms)
        print(
            f"  {(at_ms - one.started_ms) // HOUR_MS:4} h {reached:6} good {'#' * round(reached * COLUMNS / one.units)}"
        )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=2000)
    parser.add_argument("--bad", type=float, default=1.0, help="percentage of units that go back")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder))
        fleet = Fleet(database, options.units, options.bad / 100, options.seed)
        number, state = fleet.number, RollOutState.RUNNING
        after_the_end = 0
        while fleet.clock.now_ms() < START_MS + DAYS * 24 * HOUR_MS and after_the_end < 3:
            fleet.turn()
            with database.reading() as connection:
                state = find_roll_out(connection, number).state
                is_open = not OPEN_STATES.isdisjoint(total(count_states(connection, number)))
            after_the_end += state is RollOutState.STOPPED or not is_open
        draw(database, number)
        with database.reading() as connection:
            states = total(count_states(connection, number))
        database.close()
    has_it = options.units - sum(states.get(one, 0) for one in (UnitState.WAITING, UnitState.WITHDRAWN))
    hours = (fleet.clock.now_ms() - START_MS) // HOUR_MS
    print(
        f"after {hours} h: {fleet.orders} orders, {fleet.withdrawals} withdrawals, {has_it} of {options.units} have it"
    )
    print(f"seed {options.seed}, {time.monotonic() - began_s:.0f} s")
    wanted = RollOutState.STOPPED if options.bad else RollOutState.DONE
    return 0 if state is wanted else 1


if __name__ == "__main__":
    sys.exit(main())
