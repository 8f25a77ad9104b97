"""Is any command answered once, with a result that fits into the outbox, and has a refused one no effect?"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_bridge.wire import Result, decode
from firmware.charge_point import ChargePoint
from firmware.charging import schedule
from firmware.charging.events import Ring
from firmware.commands import Commands
from firmware.errors import CommandRefused
from firmware.link.journal import Journal
from firmware.storage.outbox import Outbox
from firmware.storage.settings import Settings
from firmware.wall_clock import WallClock
from tests.firmware.link.fake_clock import FakeClock
from tests.firmware.link.test_commands_properties import EXAMPLES, payloads
from tests.firmware.storage.folder import empty

NOW_S = 1_767_240_000
pytestmark = pytest.mark.timeout(600)  # `make fuzz` on a busy machine

runs = st.builds(lambda letter, count: letter * count, st.sampled_from('"\\x-\0\u20ac'), st.sampled_from((1, 190)))
schedules = st.fixed_dictionaries(
    {"do": st.just("schedule"), "hours": st.sampled_from(["off", "mon-fri 08:00-11:00"]) | runs.map("mon {}".format)}
)
configurations = st.fixed_dictionaries(
    {
        "do": st.just("config"),
        "set": st.dictionaries(st.just("heartbeat_idle_s") | runs, st.integers(0, 700) | runs, max_size=3),
    }
)
others = st.fixed_dictionaries(
    {"do": st.sampled_from(["delay", "skip_delay", "override", "reboot", "limit", "pause", "time"])},
    optional={"s": st.integers(-1, 2000), "on": st.booleans(), "amps": st.integers(0, 80), "t": st.just(NOW_S)}
    | {"exp": st.integers(NOW_S - 10, NOW_S + 10)},
)
ids = st.sampled_from(["c", '"' * 64, "x" * 64])
commands = st.tuples(schedules | configurations | others, ids).map(
    lambda command: json.dumps(command[0] | {"id": command[1]}).encode()
)


class Unit(ChargePoint):
    """The part of a charge point that commands use, with real settings, journal and outbox."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.wall_clock = WallClock(FakeClock())
        self.wall_clock.set(NOW_S, "network")
        self.settings = Settings(folder, {"schedule": schedule.complaint})
        self.outbox = Outbox(folder + "/outbox")
        self.journal = Journal(Ring(), self.outbox, 1, self.wall_clock)
        self.exchange = self.report = self.link = self._claim_manager = self.claims = self
        self.contactor = self.scan_wanted = False
        self.pressed_ms = None
        self.ceilings: tuple[object, ...] = ()
        self.cloud: object = None
        self.done: list[str] = []

    def state(self) -> list[object]:
        return [{name: self.settings[name] for name in self.settings.names()}, self.cloud, self.done, self.scan_wanted]

    def flash(self) -> str:
        return self.folder

    def order(self, claim: object) -> None:
        self.cloud = claim

    def override(self, wanted: bool) -> None:
        if wanted:
            raise CommandRefused("no vehicle")
        self.done.append("override")

    def skip_delay(self) -> None:
        self.done.append("skip_delay")

    def set_time(self, epoch_s: int, source: str) -> None:
        self.done.append(source)

    def scan(self) -> None:
        self.scan_wanted = True

    def apply_settings(self) -> None:
        self.done.append("settings")

    def restart(self) -> None:
        self.done.append("reset")


def check(payload: bytes) -> None:
    """Check for one answer that the cloud can read, and no change after a refusal."""
    folder = empty("tests-commands-properties")
    unit = Unit(folder)
    before = json.dumps(unit.state())
    Commands(unit).take(payload)
    assert unit.outbox.waiting() == 1
    kind, said = unit.journal.message(unit.outbox.oldest())
    result = decode(kind, said)
    assert isinstance(result, Result) and result.ok is not None
    assert result.ok or json.dumps(unit.state()) == before


@settings(max_examples=EXAMPLES, deadline=None)
@given(commands)
def test_a_command_is_answered_once_and_one_that_is_refused_changes_nothing(payload: bytes) -> None:
    check(payload)


@settings(max_examples=EXAMPLES, deadline=None)
@given(payloads)
def test_what_is_no_command_is_answered_too(payload: bytes) -> None:
    check(payload)
