"""A process of units: `python -m hil_tests.fleet.worker` reads one line of JSON, and its start time from a second line.

Secrets come on standard input, where no other user can read them. It prints READY, then once a second the number of
acknowledged messages, and writes its log (log.py).
"""

import json
import resource
import ssl
import sys
from typing import Any

from hil_tests.fleet.charge_point import Habits
from hil_tests.fleet.crowd import Crowd, Way
from hil_tests.fleet.link import Door
from hil_tests.fleet.log import Log, epoch_s
from hil_tests.fleet.scenarios import Do, Manner, Part, Step
from hil_tests.fleet.unit import Login, Tempo, Unit

READY = "ready"


def main() -> None:
    """Run until the end of the run."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    _say(READY)
    begin_s = float(sys.stdin.readline())
    offset_s = epoch_s()
    tempo = Tempo(asked["boot"], asked["every_s"], offset_s, begin_s, asked["answer_within_s"])
    habits, doors = Habits(*asked["habits"]), [Door(*one) for one in asked["doors"]]
    units = [
        Unit(Login(unit_id, secret, len(doors)), _part(part), tempo, habits) for unit_id, secret, part in asked["units"]
    ]
    context = ssl.create_default_context(cafile=asked["ca"]) if asked["ca"] else None
    way = Way(doors, [Door(*one) for one in asked["tls_doors"]], context, asked["sources"])
    steps = [Step(at_s, Do[do], *rest) for at_s, do, *rest in asked["steps"]]
    with open(asked["log"], "x") as file:
        crowd = Crowd(units, way, Log(file, offset_s), _say)
        crowd.run(steps, begin_s, begin_s + asked["seconds"])


def _part(values: list[Any]) -> Part:
    part = Part(*values)
    return part._replace(manner=Manner(part.manner))


def _say(what: object) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    main()
