"""`python -m tests.cloud_bridge.vehicles.diagram`: write the diagram of cloud_bridge/vehicles/README.md again."""

import re
from pathlib import Path

from cloud_bridge import vehicles
from cloud_bridge.vehicles.linking.link import BEFORE, TABLE, State
from cloud_bridge.web.presentation.vehicle_words import STATES

README = Path(vehicles.__file__).with_name("README.md")
PART = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _states() -> list[str]:
    """Return one arrow for each pair of states, with its events. A state that does not change needs no arrow."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.UNLINKED}"]
    for state, branches in TABLE.items():
        arrows: dict[State, list[str]] = {}
        for event, following in branches.items():
            places = _before(state) if following is BEFORE else [following]
            for place in places:
                arrows.setdefault(place, []).append(event)
        lines += [f"    {state} --> {place}: {', '.join(events)}" for place, events in arrows.items() if place != state]
    return [*lines, "```"]


def _before(state: State) -> list[State]:
    """Return the states in which an attempt can have begun."""
    return [place for place, branches in TABLE.items() if place != state and state in branches.values()]


def _words() -> list[str]:
    rows = [f"| `{state}` | {words} |" for state, words in STATES.items()]
    return ["| state | on the vehicle's card |", "| --- | --- |", *rows]


SHARDS = {"states": _states, "words": _words}


def written() -> str:
    """Return the README with its parts as generated from the code."""

    def part(found: re.Match[str]) -> str:
        return found[1] + "\n".join(SHARDS[found[2]]()) + "\n" + found[3]

    return PART.sub(part, README.read_text(encoding="utf-8"))


if __name__ == "__main__":
    README.write_text(written(), encoding="utf-8")
