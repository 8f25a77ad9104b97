"""`python -m tests.architecture`: write the diagrams of .github/ARCHITECTURE.md again, from the code's imports and tables."""

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from cloud_bridge.ingest import session
from cloud_bridge.store import job_states
from firmware.charging import mode
from firmware.update import slots
from tests.test_arrows import imported, modules, name_of

ROOT = Path(__file__).parent.parent
PAGE = ROOT / ".github" / "ARCHITECTURE.md"
PART = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
LEAST_WORDS = 2  # a module's name has at least a room and a folder

Arrows = dict[str, set[str]]


def folders(room: str) -> Arrows:
    """Return the folders of a room and the other rooms that each folder imports. Modules outside folders are omitted."""
    arrows: Arrows = {}
    for path in modules():
        here = _folder(name_of(path), room)
        if here is None or not here.startswith(room):
            continue
        there = {folder for folder in (_folder(name, room) for name in imported(path)) if folder}
        arrows.setdefault(here, set()).update(there - {here})
    return arrows


def without_detours(arrows: Arrows) -> Arrows:
    """Remove arrows to folders that other arrows also reach, unless those lead back. Reachability stays the same."""
    return {
        here: {
            there
            for there in ends
            if not any(
                there in _reached(arrows, other) and here not in _reached(arrows, other) for other in ends - {there}
            )
        }
        for here, ends in arrows.items()
    }


def _folder(name: str, room: str) -> str | None:
    words = name.split(".")
    if words[0] != room:
        return words[0] if words[0] in ("firmware", "modem") else None
    folder = ".".join(words[:LEAST_WORDS])
    return folder if (ROOT / folder.replace(".", "/")).is_dir() else None


def _reached(arrows: Arrows, start: str) -> set[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        for there in arrows.get(ahead.pop(), ()):
            if there not in found:
                found.add(there)
                ahead.append(there)
    return found


def _imports(room: str) -> list[str]:
    arrows = without_detours(folders(room))
    lines = ["```mermaid", "flowchart TD"]
    lines += [f"    {here} --> {there}" for here in sorted(arrows) for there in sorted(arrows[here])]
    return [*(line.replace(room + ".", "") for line in lines), "```"]


def _states(first: str, moves: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return a state diagram. `moves` are (state, event, next state); events that do not change the state have no arrow."""
    labels: dict[tuple[str, str], list[str]] = {}
    for state, what, after in moves:
        if state != after:
            labels.setdefault((state, after), []).append(what)
    arrows = [f"    {state} --> {after}: {', '.join(whats)}" for (state, after), whats in labels.items()]
    return ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *arrows, "```"]


def _of_table(table: Mapping[Any, Any]) -> list[tuple[str, str, str]]:
    return [(_word(state), _word(what), _word(after)) for (state, what), after in table.items()]


def _word(name: str | Enum) -> str:
    return (str(name.value) if isinstance(name, Enum) else name).replace(" ", "_")


def _mode() -> list[str]:
    causes = ("link proven", "link not proven", f"not proven for {mode.GRACE_MS // 60_000} minutes")
    moves = [(now, cause, after) for now, ends in mode.TABLE.items() for cause, after in zip(causes, ends, strict=True)]
    return _states("link_lost", moves)


def _session() -> list[str]:
    moves = {(state, what): after for state, ends in session.TABLE.items() for what, after in ends.items()}
    return _states(_word(session.State.AWAITING_CONNECT), _of_table(moves))


PARTS: dict[str, Callable[[], list[str]]] = {
    "firmware": lambda: _imports("firmware"),
    "cloud_bridge": lambda: _imports("cloud_bridge"),
    "mode": _mode,
    "session": _session,
    "slots": lambda: _states(slots.SETTLED, _of_table(slots.TABLE)),
    "jobs": lambda: _states(job_states.JobState.RAISED, _of_table(job_states.TABLE)),
}


def written() -> str:
    """Return the page with its diagrams as generated from the code."""

    def part(found: re.Match[str]) -> str:
        return found[1] + "\n".join(PARTS[found[2]]()) + "\n" + found[3]

    return PART.sub(part, PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
