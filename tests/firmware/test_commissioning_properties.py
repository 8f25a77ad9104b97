"""Is a unit never offered more than the rating that a person at it has set, and no more than 6 A before?

In any order of commissionings, commands, settings, faults of the flash and power cuts.
"""

import json
from contextlib import suppress

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from firmware import commissioning
from firmware.charging import limits
from firmware.charging.control_state import ControlState
from firmware.charging.derating import FULL
from firmware.charging.limits import Claim
from firmware.errors import CommandRefused, SettingError
from firmware.service.identity import answer_provision
from tests.firmware.test_commissioning import Unit, WallClock

AMPS = st.sampled_from([6, 10, 16, 20, 32, 63, 80])
WRONG = st.sampled_from([{}, {"polarity": False}, {"rcd_ms": 400}, {"csq": 9}, {"earth": "none"}, {"by": ""}])


class Installation(RuleBasedStateMachine):
    """A unit, and everything that can happen to its storage. `allowed_a` is the limit last set by a person at it."""

    def __init__(self) -> None:
        super().__init__()
        self.unit, self.allowed_a = Unit(), 6
        self.claims: tuple[Claim, ...] = ()

    @rule(amps=AMPS, wrong=WRONG)
    def installer_at_the_console(self, amps: int, wrong: dict[str, object]) -> None:
        with suppress(CommandRefused):
            self.unit.type(amps=amps, **wrong)
            assert not wrong
            self.allowed_a = amps

    @rule(amps=AMPS, wrong=WRONG, pressed_before_ms=st.none() | st.sampled_from([0, commissioning.PRESENT_MS]))
    def cloud(self, amps: int, wrong: dict[str, object], pressed_before_ms: int | None) -> None:
        pressed_ms = None if pressed_before_ms is None else WallClock.uptime_ms - pressed_before_ms
        self.unit.exchange.pressed_ms = pressed_ms
        before_a = self.unit.rating_a
        with suppress(CommandRefused):
            self.unit.order(amps=amps, **wrong)
            assert not wrong and pressed_before_ms == 0 and (before_a is None or amps <= before_a)
            self.allowed_a = amps

    @rule(amps=AMPS)
    def claim(self, amps: int) -> None:
        self.claims = (Claim("cloud", amps, None, "ordered", None), Claim("override", 80, None, "now", None))

    @rule(wanted=st.sampled_from([{"installer_max_a": 80}, {"tethered": True}, {"fallback_amps": 80}]))
    def provision(self, wanted: dict[str, object]) -> None:
        with suppress(CommandRefused, SettingError):
            answer_provision(self.unit, json.dumps({**wanted, "secret": "s"}))

    @rule()
    def mains_off_and_on(self) -> None:
        self.unit.start()

    @rule(stored=st.sampled_from([b"{", b"00000000 {}", b'00000000 {"amps": 80}']))
    def flash_damaged(self, stored: bytes) -> None:
        self.unit.store(stored)
        self.unit.start()
        self.allowed_a = 6

    @rule(amps=AMPS)
    def flash_takes_nothing(self, amps: int) -> None:
        self.unit.flash = lambda: self.unit.folder + "/none"  # type: ignore[method-assign]
        with suppress(OSError):
            self.unit.type(amps=amps)
            raise AssertionError("it was stored nowhere")
        del self.unit.flash

    @invariant()
    def never_more_than_was_allowed(self) -> None:
        setup = self.unit.exchange.setup
        state = ControlState(setup)
        found = limits.ceilings(state, FULL, self.claims, 0)
        assert limits.rule(found, self.claims, 0).amps <= self.allowed_a
        assert setup.commissioned or setup.installer_max_a == 6
        assert setup.installer_max_a == self.allowed_a


TestInstallation = Installation.TestCase
TestInstallation.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
