"""`python -m tests.firmware.charging.tables`: write the tables of firmware/charging/README.md again, from the code."""

import re
from pathlib import Path

from firmware.charging import faults, led, limits, sequence

CHARGING = Path(sequence.__file__).parent
README = CHARGING / "README.md"
PART = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _sequence() -> list[str]:
    """Return a diagram whose arrows have event and clause. The clause is the comment after the event in the table."""
    lines, phase = ["```mermaid", "stateDiagram-v2", "    [*] --> idle"], ""
    source = (CHARGING / "sequence.py").read_text()
    for line in source[source.index("\nTABLE") : source.index("\nVEHICLE")].splitlines():
        if head := re.match(r'    "(\w+)": \{', line):
            phase = head[1]
        elif branch := re.match(r'        "(\w+)": "(\w+)",(?:  # (.*))?', line):
            event, following, clause = branch.groups()
            if sequence.TABLE[phase][event] != following:
                raise ValueError(f"{phase} and {event} are parsed wrongly")
            if event != "fault":
                lines.append(f"    {phase} --> {following}: {event}" + (f" ({_plain(clause)})" if clause else ""))
    return [*lines, "```", "", *_phases()]


def _phases() -> list[str]:
    rows = [
        f"| {phase} | {drive} | {'closed' if contactor else 'open'} |"
        for phase, (drive, contactor) in sequence.DRIVES.items()
    ]
    return ["| phase | pilot driven | contactor |", "| --- | --- | --- |", *rows]


def _plain(clause: str) -> str:
    """Replace colons, which begin a label in Mermaid."""
    return clause.replace(":", ",")


def _faults() -> list[str]:
    rows = []
    for fault in faults.TABLE:
        clears = "by a person" if fault.tries == faults.LATCHED else f"{fault.clear_ms / 1000:g} s"
        if fault.tries == faults.PROVEN:
            again_min = faults.REPEAT_MS // 60_000
            clears += f"; by a person if it lasts {faults.PROOF_MS} ms, or comes again within {again_min} min"
        if 0 < fault.tries < faults.ENDLESS:
            clears += f", {fault.tries} times, then by a person or an unplug"
        rows.append(f"| `{fault.name}` | {fault.severity} | {fault.after_ms / 1000:g} s | {clears} |")
    return ["| fault | severity | set after | clears |", "| --- | --- | --- | --- |", *rows]


def _priorities() -> list[str]:
    rows = [f"| {number} | {source} | {kind} |" for number, (source, kind) in enumerate(limits.PRIORITY, 1)]
    return ["| | source | |", "| --- | --- | --- |", *rows]


def _light() -> list[str]:
    names = {led.RED: "red", led.GREEN: "green", led.BLUE: "blue", led.WHITE: "white", led.VIOLET: "violet"}
    rows = [f"| {phase} | {names[colour]} | {rhythm} |" for phase, (colour, rhythm) in led.PATTERNS.items()]
    for what, (colour, rhythm) in (
        ("a fault that needs a person", led.LATCHED_FAULT),
        ("a fault that clears itself", led.PASSING_FAULT),
    ):
        rows.append(f"| {what} | {names[colour]} | {rhythm} |")
    for what, colour, rhythm in (
        (
            "in addition, without contact",
            led.WHITE,
            f"{led.LINK_BLINK_MS} ms every {led.LINK_BLINK_EVERY_MS // 1000} s",
        ),
        (
            "in addition, not commissioned",
            led.VIOLET,
            f"twice {led.INSTALLER_BLINK_MS} ms every {led.INSTALLER_BLINKS_EVERY_MS // 1000} s",
        ),
    ):
        rows.append(f"| {what} | {names[colour]} | {rhythm} |")
    return ["| phase | colour | rhythm |", "| --- | --- | --- |", *rows]


PARTS = {"sequence": _sequence, "faults": _faults, "priorities": _priorities, "light": _light}


def written() -> str:
    """Return the README with its tables as generated from the code."""

    def part(found: re.Match[str]) -> str:
        return found[1] + "\n".join(PARTS[found[2]]()) + "\n" + found[3]

    return PART.sub(part, README.read_text())


if __name__ == "__main__":
    README.write_text(written())
