"""The kinds of faults and other happenings, one row each: how often in a year, for how long, and what happens.

A kind begins something and, if it lasts, ends it. `touches` lists what it may impair: a promise about the network holds
again only some time after the last fault that touches the network.
"""

import json
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from hil_tests.sim.manners import every_manner
from hil_tests.sim.modem.noise import URCS
from hil_tests.sim.modem.radio import ACCEPT, BLACK_HOLE, BLOCKED, LOCKED, MISSING, NO_DATA, READY
from hil_tests.sim.vehicle import Vehicle
from hil_tests.years.scene import Scene

NETWORK, CLOUD, BOARD, CAR, SUPPLY, FLASH = "network", "cloud", "board", "car", "supply", "flash"
DENIED, SIGNAL = "denied", "signal"  # a network is in range but refuses service; or its signal is weak
TIME, CLOCK = "time", "clock"  # the time that the network gives to the unit; the bridge's clock
MINUTE, HOUR, DAY = 60, 3600, 86_400

Begin = Callable[[Scene, Random], "Callable[[], object] | None"]


class Kind(NamedTuple):
    """`begin` returns the function that ends it, or None if it is over at once."""

    name: str
    a_year: float
    lasts_s: tuple[float, float]
    touches: tuple[str, ...]
    begin: Begin


# The supply.


def _cut(world: Scene, _: Random) -> Callable[[], object]:
    world.hardware.mains(False)
    return lambda: world.hardware.mains(True)


def _broken(name: str) -> Begin:
    def begin(world: Scene, _: Random) -> Callable[[], object]:
        world.hardware.touch(lambda board: board.set_fault(name, True))
        return lambda: world.hardware.touch(lambda board: board.set_fault(name, False))

    return begin


# The flash.


def _refuses(world: Scene, _: Random) -> Callable[[], object]:
    world.flash.refuses = True
    return lambda: setattr(world.flash, "refuses", False)


def _torn(world: Scene, draw: Random) -> None:
    """Cut the supply in the middle of the next write."""
    off_s = draw.uniform(1, 60)

    def cut() -> None:
        world.loop.call_soon(world.hardware.mains, False)
        world.loop.call_later(off_s, world.hardware.mains, True)
        raise OSError("the supply is lost")

    world.flash.cut = cut


# The modem and its line.


def _modem(name: str) -> Begin:
    return lambda world, _: getattr(world.hardware.modem, name)()


def _urc_storm(world: Scene, draw: Random) -> None:
    for number in range(draw.randint(20, 300)):
        line = f"\r\n{draw.choice(URCS)}\r\n".encode()
        world.loop.call_later(number * draw.uniform(0.001, 0.2), world.say_on_line, line)


def _lost_bytes(world: Scene, draw: Random) -> Callable[[], object]:
    world.lose_one_in = draw.choice((50, 300, 2000))
    return lambda: setattr(world, "lose_one_in", 0)


# The mobile networks.


def _coverage(world: Scene, _: Random) -> Callable[[], object]:
    world.radio.set_coverage(False)
    return lambda: world.radio.set_coverage(True)


def _mast(world: Scene, draw: Random) -> Callable[[], object]:
    plmn = world.hardware.modem.plmn or draw.choice(world.radio.operators).plmn
    world.radio.set_on_air(plmn, False)
    return lambda: world.radio.set_on_air(plmn, True)


def _service(how: Callable[[Random], str]) -> Begin:
    def begin(world: Scene, draw: Random) -> Callable[[], object]:
        plmn = world.hardware.modem.plmn or draw.choice(world.radio.operators).plmn
        world.radio.set_service(plmn, how(draw))
        return lambda: world.radio.set_service(plmn, ACCEPT)

    return begin


def _sim(world: Scene, draw: Random) -> Callable[[], object]:
    world.radio.set_sim(draw.choice((MISSING, LOCKED, BLOCKED)))
    return lambda: world.radio.set_sim(READY)


def _fading(world: Scene, draw: Random) -> Callable[[], object]:
    operator = draw.choice(world.radio.operators)
    world.radio.set_signal(operator.plmn, draw.randint(2, 14))
    return lambda: world.radio.set_signal(operator.plmn, operator.csq)


def _another_mast(world: Scene, draw: Random) -> Callable[[], object]:
    operator = draw.choice([one for one in world.radio.operators if one.plmn != world.hardware.modem.plmn])
    world.radio.set_signal(operator.plmn, draw.randint(24, 31))
    return lambda: world.radio.set_signal(operator.plmn, operator.csq)


def _network_lies(world: Scene, draw: Random) -> Callable[[], object]:
    world.radio.time_error_s = draw.choice((-1, 1)) * draw.choice((90, HOUR, 400 * DAY))
    return lambda: setattr(world.radio, "time_error_s", 0)


# The cloud.


def _broker_away(world: Scene, _: Random) -> Callable[[], object]:
    world.broker.stop()
    world.bridge.hear(False)

    def back() -> None:
        world.bridge.hear(True)
        world.broker.start()

    return back


def _broker_refuses(world: Scene, _: Random) -> Callable[[], object]:
    world.broker.unavailable = True
    return lambda: setattr(world.broker, "unavailable", False)


def _lost_acknowledgement(world: Scene, draw: Random) -> None:
    world.broker.loses_acknowledgements = draw.randint(1, 3)


def _bridge_killed(world: Scene, _: Random) -> Callable[[], object] | None:
    if not world.bridge.running or world.bridge.database_away:  # no process starts without its database
        return None
    world.broker.stop()
    world.bridge.kill()

    def back() -> None:
        world.bridge.start()
        world.broker.start()

    return back


def _database_away(world: Scene, _: Random) -> Callable[[], object] | None:
    return world.bridge.lose_database() if world.bridge.running and not world.bridge.database_away else None


def _clock_set(world: Scene, draw: Random) -> Callable[[], object]:
    """Make the clock of the bridge's machine wrong, and correct it at the end."""
    world.bridge.set_clock(1000 * draw.choice((-1, 1)) * draw.choice((3 * MINUTE, HOUR, DAY, 365 * DAY)))
    return lambda: world.bridge.set_clock(0)


def _command(world: Scene, draw: Random) -> None:
    said = draw.choice(COMMANDS)(draw)
    if draw.random() < 0.9:
        said["exp"] = round(world.time.true_s()) + draw.choice((-5, 60, 3600, 86_400))
    _order(world, said, draw.choice((1, 1, 1, 2)))


def _order(world: Scene, said: dict[str, object], times: int = 1) -> None:
    world.commands += 1
    said = {"id": f"c{world.commands}", **said}
    for _ in range(times):
        world.order(said)


def _limit(world: Scene, draw: Random) -> None:
    """Send a limit that expires after half an hour to four hours."""
    exp = round(world.time.true_s()) + draw.randint(1800, 4 * HOUR)
    _order(world, {"do": "limit", "amps": draw.randint(6, 16), "exp": exp}, draw.choice((1, 2)))


def _hours(world: Scene, draw: Random) -> Callable[[], object]:
    """Let the owner set hours to avoid for some days."""
    begins = draw.randint(17, 22)
    _order(world, {"do": "delay", "s": draw.choice((0, 60, 600))})
    _order(world, {"do": "schedule", "hours": f"mon-sun {begins}:00-{begins}:40"})
    return lambda: _order(world, {"do": "schedule", "hours": "off"})


COMMANDS: tuple[Callable[[Random], dict[str, object]], ...] = (
    lambda draw: {"do": "limit", "amps": draw.choice((0, 5, 6, 10, 16, 40))},
    lambda _: {"do": "pause"},
    lambda _: {"do": "resume"},
    lambda draw: {"do": "override", "on": draw.random() < 0.5},
    lambda draw: {"do": "schedule", "hours": draw.choice(("off", "default", "mon-sun 02:00-03:00", "nonsense"))},
    lambda draw: {"do": "delay", "s": draw.choice((0, 600, 5000))},
    lambda _: {"do": "skip_delay"},
    lambda _: {"do": "reboot"},
    lambda _: {"do": "rescan"},
    lambda draw: {"do": "config", "set": {"heartbeat_idle_s": draw.choice((300, 200, 2))}},
    lambda _: {"do": "nonsense"},
)


# People and cars.


def _change_of_owner(world: Scene, _: Random) -> None:
    """Let the present owner release the charge point, and another person claim it."""
    if not world.bridge.database_away:
        world.owners.change(world.bridge.clock.now_ms())


def _button(world: Scene, _: Random) -> None:
    world.button_pressed()
    world.hardware.press_button()


def _enclosure(world: Scene, _: Random) -> Callable[[], object]:
    if not world.hardware.board.tamper:
        world.enclosure_opened()
    world.hardware.touch(lambda board: setattr(board, "tamper", True))
    return lambda: world.hardware.touch(lambda board: setattr(board, "tamper", False))


def _visit(draw_car: Callable[[Random], Vehicle]) -> Begin:
    def begin(world: Scene, draw: Random) -> Callable[[], object]:
        car = draw_car(draw)
        world.hardware.plug(car)
        return lambda: world.hardware.unplug(car)

    return begin


def _family_car(draw: Random) -> Vehicle:
    return Vehicle(battery_wh=60_000 - draw.uniform(3_000, 30_000), maximum_ma=draw.choice((10_000, 16_000, 32_000)))


MANNERS = tuple(every_manner())

KINDS: tuple[Kind, ...] = (
    Kind("a car for the night", 330, (6 * HOUR, 12 * HOUR), (CAR,), _visit(_family_car)),
    Kind(
        "a car with manners", 20, (3 * MINUTE, 10 * MINUTE), (CAR, BOARD), _visit(lambda draw: draw.choice(MANNERS)())
    ),
    Kind("mains off and on", 12, (25, 40), (SUPPLY,), _cut),
    Kind("mains cut", 8, (60, 6 * HOUR), (SUPPLY,), _cut),
    Kind("mains dip", 12, (0.02, 0.45), (SUPPLY,), _cut),
    Kind("rail brown-out", 3, (1, 20), (SUPPLY,), _broken("brown_out")),
    Kind("low supply", 4, (1, 300), (BOARD,), _broken("supply_low")),
    Kind("no PEN", 2, (10, 600), (BOARD,), _broken("pen_lost")),
    Kind("too hot", 4, (30, 1800), (BOARD,), _broken("over_temperature")),
    Kind("sensor lost", 2, (30, 1800), (BOARD,), _broken("sensor_lost")),
    Kind("weak diode", 3, (10, 300), (BOARD,), _broken("diode")),
    Kind("pilot short", 3, (5, 300), (BOARD,), _broken("pilot_short")),
    Kind("proximity", 2, (5, 300), (BOARD,), _broken("proximity")),
    Kind("over-current", 3, (10, 120), (BOARD,), _broken("over_current")),
    Kind("residual current", 3, (0.5, 10), (BOARD,), _broken("rcd_ac")),
    Kind("direct leakage", 3, (0.5, 10), (BOARD,), _broken("rcd_dc")),
    Kind("contactor welded", 1, (5, 120), (BOARD,), _broken("contactor_welded")),
    Kind("contactor stuck open", 1, (5, 120), (BOARD,), _broken("contactor_stuck_open")),
    Kind("pilot noise", 3, (5, 120), (BOARD,), _broken("pilot_noise")),
    Kind("ventilation wanted", 2, (60, 600), (BOARD,), _broken("ventilation")),
    Kind("flash refuses", 4, (10, 4 * HOUR), (FLASH,), _refuses),
    Kind("flash torn", 6, (0, 0), (SUPPLY,), _torn),
    Kind("modem hangs", 6, (0, 0), (NETWORK,), _modem("hang")),
    Kind("modem browns out", 12, (0, 0), (NETWORK,), _modem("brown_out")),
    Kind("garbage on the line", 12, (0, 0), (NETWORK,), _modem("garbage")),
    Kind("context dropped", 24, (0, 0), (NETWORK,), _modem("drop_pdp")),
    Kind("URC storm", 6, (0, 0), (NETWORK,), _urc_storm),
    Kind("bytes lost", 6, (10, 600), (NETWORK,), _lost_bytes),
    Kind("no coverage", 12, (5, 3 * HOUR), (NETWORK,), _coverage),
    Kind("mast off", 8, (60, 2 * DAY), (NETWORK,), _mast),
    Kind(
        "network rejects",
        4,
        (HOUR, DAY),
        (NETWORK, DENIED),
        _service(lambda draw: f"reject {draw.choice((11, 13, 17))}"),
    ),
    Kind("no data service", 4, (HOUR, DAY), (NETWORK, DENIED), _service(lambda _: NO_DATA)),
    Kind("black hole", 4, (HOUR, DAY), (NETWORK, DENIED), _service(lambda _: BLACK_HOLE)),
    Kind("SIM barred", 2, (60, 4 * HOUR), (NETWORK, DENIED), _sim),
    Kind("signal fades", 24, (HOUR, 20 * DAY), (SIGNAL,), _fading),
    Kind("network lies about the time", 4, (HOUR, 10 * DAY), (TIME,), _network_lies),
    Kind("broker away", 12, (1, 2 * HOUR), (CLOUD,), _broker_away),
    Kind("broker refuses", 4, (60, HOUR), (CLOUD,), _broker_refuses),
    Kind("acknowledgement lost", 12, (0, 0), (CLOUD,), _lost_acknowledgement),
    Kind("bridge killed", 12, (0.5, HOUR), (CLOUD,), _bridge_killed),
    Kind("database away", 12, (0.5, HOUR), (CLOUD,), _database_away),
    Kind("command", 60, (0, 0), (), _command),
    Kind("button", 12, (0, 0), (BOARD,), _button),
    Kind("enclosure open", 4, (1, 600), (), _enclosure),
    Kind("another mast nearby", 12, (DAY, 20 * DAY), (), _another_mast),
    Kind("clock of the bridge set", 6, (60, 3 * DAY), (CLOCK,), _clock_set),
    Kind("limit of the cloud", 30, (0, 0), (), _limit),
    Kind("hours to avoid", 8, (DAY, 4 * DAY), (), _hours),
    Kind("change of owner", 3, (0, 0), (), _change_of_owner),
)
BY_NAME = {kind.name: kind for kind in KINDS}


def told(said: dict[str, object]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()
