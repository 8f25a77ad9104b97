"""After any sequence of the owner's commands, do the page's words agree with the unit's own ruling?"""

import json
import re

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from cloud_bridge.web.presentation import in_force
from cloud_bridge.wire import Heartbeat, Result, decode
from tests.firmware.commanded import MONDAY_S, CommandedUnit

pytestmark = pytest.mark.timeout(600)  # `make fuzz` on a busy machine

MAX_A = 32  # of the simulated circuit
SETTLED_MS = 600  # the claims and the reported ruling are renewed every 250 ms
BEFORE_11_S = 11 * 3600 - 45  # the default hours end at 11:00
ZONE = "Europe/London"

seconds = st.integers(2, 60)
acts = st.one_of(
    st.just(("override", True)),
    st.tuples(st.just("override"), st.booleans()),
    st.tuples(st.just("limit"), st.sampled_from([0, 5, 6, 10, 16, 32, 80]), seconds),
    st.tuples(st.just("pause"), seconds),
    st.tuples(st.just("resume")),
    st.tuples(st.just("clear_override")),
    st.tuples(st.just("skip_delay")),
    st.tuples(st.just("schedule"), st.sampled_from(["default", "off", "mon-sun 00:00-24:00"])),
    st.tuples(st.just("wait"), st.integers(1, 130)),
    st.tuples(st.just("plug"), st.booleans()),
)


class Owner:
    """The rule of firmware/charging/README.md for the owner's commands, without any of the unit's code."""

    def __init__(self, hours: str) -> None:
        self.hours, self.plugged, self.now_too = hours, False, False
        self.amps, self.until_s = MAX_A, 0

    def wishes(self, do: str, arguments: tuple[int | str | bool, ...], now_s: int) -> None:
        paused = self.amps < 6 and now_s < self.until_s
        if do == "override" and arguments[0] and self.plugged:
            self.now_too = True
            if paused:
                self.until_s = 0
        elif do == "clear_override" or (do == "override" and not arguments[0]):
            self.now_too = False
        elif do in ("limit", "pause"):
            self.amps, self.until_s = int(arguments[0]) if do == "limit" else 0, now_s + int(arguments[-1])
            if self.amps < 6:
                self.now_too = False
        elif do == "resume":
            self.until_s = 0
        elif do == "schedule":
            self.hours = str(arguments[0])

    def allows_a(self, now_s: int) -> int:
        second = (now_s - MONDAY_S) % 86400
        avoided = self.hours.startswith("mon-sun") or (self.hours == "default" and 8 * 3600 <= second < 11 * 3600)
        if avoided and not self.now_too:
            return 0
        amps = min(MAX_A, self.amps) if now_s < self.until_s else MAX_A
        return amps if amps >= 6 else 0


def check_words(told: in_force.InForce, amps: float, source: str, plugged: bool, now_ms: int) -> None:
    """Check that the words name the ruling, and no other."""
    said = in_force.answer(told, now_ms, ZONE, "you")
    found = in_force.headline(told, plugged, now_ms, ZONE, "you")
    headline = None if found is None else found.text
    if amps == 0:
        assert "aused" in said and not re.search(r"\d A\b", said), said
        assert headline is not None and headline.startswith(
            ("Paused", "Plugged in. Charges at", "Does not charge before", "Random delay", "Stopped", "Not charging")
        )
    else:
        assert f"{amps:g} A" in said and "aused" not in said, said
        if source == "cloud" and told.delay_s is None:
            assert headline is not None and f"Limited to {amps:g} A by you" in headline
    texts = [wish.text for wish in in_force.wishes(told, now_ms, ZONE, "you", plugged)]
    assert any("Charge now" in text for text in texts) == ("override" in told.also)
    assert any("Random delay" in text for text in texts) == (told.delay_s is not None)


def check(unit: CommandedUnit, owner: Owner) -> None:
    """Compare the page, by the last heartbeat and its age, with the unit's ruling."""
    amps, source, _, ends_s = unit.exchange.report.ruling
    heartbeat = decode("heartbeat", unit.heartbeat)
    assert isinstance(heartbeat, Heartbeat)
    now_ms = unit.wall_clock.now() * 1000
    told = in_force.later(in_force.of_heartbeat(heartbeat), unit.wired.now_ms - unit.heartbeat_ms)
    delayed = unit.claims.delay.running()
    if told is not None:
        assert told.source == source and (told.delay_s is not None) == delayed
        assert told.until_s == ends_s or delayed
        if told.source in ("schedule", "cloud"):
            assert told.amps == amps
            check_words(told, amps, source, owner.plugged, now_ms)
        assert ("override" in told.also) == (unit.claims.override is not None) == (owner.now_too and owner.plugged)
    else:
        assert delayed or ends_s is not None, "the page says nothing, and nothing ends"
    if not delayed:
        now_s = unit.wall_clock.now()  # in whole seconds: a command lasts up to one second longer
        assert amps in (owner.allows_a(now_s), owner.allows_a(now_s - 1))


def settle(unit: CommandedUnit) -> None:
    """Run until nothing has just begun or ended by itself, and a heartbeat reports it."""
    before = None
    while unit.ruling() != before:
        before = unit.ruling()
        unit.run(SETTLED_MS)


def take(unit: CommandedUnit, owner: Owner, act: tuple[int | str | bool, ...]) -> None:
    do, arguments = str(act[0]), act[1:]
    if do == "wait":
        unit.run(int(arguments[0]) * 1000)
    elif do == "plug":
        if arguments[0] != owner.plugged:
            owner.plugged, owner.now_too = bool(arguments[0]), False
            (unit.plug if arguments[0] else unit.unplug)()
    else:
        owner.wishes(do, arguments, unit.wall_clock.now())
        named = {"override": ("on",), "limit": ("amps",), "schedule": ("hours",)}.get(do, ())
        for_s = arguments[-1] if do in ("limit", "pause") else None
        said = unit.command(do, for_s=for_s, **dict(zip(named, arguments, strict=False)))
        result = decode("result", json.dumps(said).encode())
        assert isinstance(result, Result)
        told = in_force.of_result(result)
        assert told is not None
        unit.run(20)  # the control loop's next step
        amps, source, _, ends_s = unit.exchange.report.ruling
        assert (told.amps, told.source) == (amps, source)
        check_words(told, amps, source, owner.plugged, unit.wall_clock.now() * 1000)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["off", "default"]), st.booleans(), st.lists(acts, min_size=4, max_size=14))
def test_what_is_said_to_be_in_force_is_the_unit_s_ruling(
    hours: str, plugged: bool, wished: list[tuple[int | str | bool, ...]]
) -> None:
    unit = CommandedUnit("tests-wishes-properties", hours, BEFORE_11_S)
    note(f"{hours}, {plugged}: {wished}")
    owner = Owner(hours)
    unit.run(1000)
    take(unit, owner, ("plug", plugged))
    for act in wished:
        take(unit, owner, act)
        settle(unit)
        check(unit, owner)
