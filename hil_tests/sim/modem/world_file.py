"""The format of a radio world: a JSON file with the networks, what is wrong with them, and timed events.

    {
      "model": "SIM800L",
      "operators": [
        {"plmn": "23415", "name": "vodafone UK", "short": "voda UK", "csq": 22, "serves": "no data", "cells": [17, 9]},
        {"plmn": "23410", "name": "O2 - UK", "short": "O2", "csq": 17}
      ],
      "latencies": {"boot": [3000, 3300], "scan": [2000, 2500]},
      "saved": {"cops_mode": 1, "cops_plmn": "23499", "function": 4, "baud": 9600},
      "sim": "READY", "forbidden": ["23430"],
      "noise": {"urc_one_in": 200, "lose_one_in": 0},
      "events": [{"at_s": 30, "do": "signal", "plmn": "23415", "csq": 6}, {"at_s": 60, "do": "hang"}]
    }

Every key is optional. `model` is a name of personality.py. `act` of an operator defaults to LTE for a model that has
it, else to GSM. `serves` is accept, no data, black hole, or reject <cause>. `at_s` of an event counts from power-on of
the modem; with `"in": "scan"`, from the start of the first delay of that name in radio.py.
"""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hil_tests.sim.modem.memory import Memory
from hil_tests.sim.modem.noise import Noise
from hil_tests.sim.modem.personality import BY_NAME, SIM800L, Personality
from hil_tests.sim.modem.radio import ACCEPT, GSM, HERE, LTE_M, READY, Operator, Span, World
from hil_tests.sim.modem.simcom import Modem


@dataclass(frozen=True)
class Event:
    """A change to the modem or its world, `at_s` seconds after power-on or after the start of a delay."""

    at_s: float
    do: str
    arguments: dict[str, Any]
    delay: str | None = None


@dataclass(frozen=True)
class Scene:
    """A world, the modem in it, its line, and the events to come."""

    world: World
    personality: Personality = SIM800L
    memory: Memory = field(default_factory=Memory)
    urc_one_in: int = 0
    lose_one_in: int = 0
    events: tuple[Event, ...] = ()


class BadWorld(Exception):
    """The file does not describe a world. The text says what is wrong."""


def load(path: Path, seed: int = 0) -> Scene:
    """Return the scene of a file. Raises BadWorld, OSError."""
    try:
        return scene(json.loads(path.read_text(encoding="utf-8")), seed)
    except (ValueError, KeyError, TypeError) as error:
        raise BadWorld(f"{path}: {error!r}") from None


def scene(told: dict[str, Any], seed: int = 0) -> Scene:
    """Return the scene of a description. Raises ValueError, KeyError or TypeError for an invalid one."""
    unknown = set(told) - {"model", "operators", "latencies", "saved", "sim", "forbidden", "noise", "events"}
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    personality = BY_NAME[told.get("model", "SIM800L")]
    act = LTE_M if personality.lte else GSM
    here = tuple(replace(operator, act=act) for operator in HERE)
    operators = tuple(_operator(row, act) for row in told["operators"]) if "operators" in told else here
    spans = {name: Span(*span) for name, span in told.get("latencies", {}).items()}
    world = World(seed, operators, replace(personality.latencies, **spans))
    for operator in operators:
        world.set_service(operator.plmn, operator.serves)
    world.set_sim(told.get("sim", READY))
    world.forbidden = set(told.get("forbidden", ()))
    noise = told.get("noise", {})
    return Scene(
        world,
        personality,
        Memory(**told.get("saved", {})),
        noise.get("urc_one_in", 0),
        noise.get("lose_one_in", 0),
        parsed_events(told.get("events", ())),
    )


def parsed_events(rows: Iterable[dict[str, Any]]) -> tuple[Event, ...]:
    """Parse the events of a file, and sort them by time."""
    events = [
        Event(
            row["at_s"],
            row["do"],
            {name: row[name] for name in row if name not in ("at_s", "do", "in")},
            row.get("in"),
        )
        for row in rows
    ]
    return tuple(sorted(events, key=lambda event: event.at_s))


async def play(events: tuple[Event, ...], modem: Modem, noise: Noise) -> None:
    """Make each event happen at its time."""
    async with asyncio.TaskGroup() as tasks:
        for event in events:
            tasks.create_task(_in_time(event, modem, noise))


async def _in_time(event: Event, modem: Modem, noise: Noise) -> None:
    if event.delay is not None:
        await modem.world.begun(event.delay)
    await asyncio.sleep(event.at_s)
    happen(event, modem, noise)


def happen(event: Event, modem: Modem, noise: Noise) -> None:
    """Make one event happen now. Raises ValueError for an unknown event."""
    told, world = event.arguments, modem.world
    if event.do == "signal":
        world.set_signal(told["plmn"], told["csq"])
    elif event.do == "service":
        world.set_service(told["plmn"], told["serves"])
    elif event.do == "on_air":
        world.set_on_air(told["plmn"], told["on"])
    elif event.do == "coverage":
        world.set_coverage(told["up"])
    elif event.do == "noise":
        noise.urc_one_in, noise.lose_one_in = told.get("urc_one_in", 0), told.get("lose_one_in", 0)
        noise.urc_each_answer = told.get("urc_each_answer", False)
    elif event.do == "sim":
        world.set_sim(told["state"])
    elif event.do in ("brown_out", "hang", "garbage", "lose_speed", "drop_pdp"):
        getattr(modem, event.do)()
    else:
        raise ValueError(f"unknown event {event.do!r}")


def _operator(row: dict[str, Any], act: int) -> Operator:
    return Operator(
        row["plmn"],
        row["name"],
        row.get("short", row["name"]),
        row["csq"],
        row.get("roaming", True),
        row.get("serves", ACCEPT),
        tuple(row.get("cells", ())),
        row.get("act", act),
    )
