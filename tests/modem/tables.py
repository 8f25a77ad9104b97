"""`python -m tests.modem.tables`: regenerate the tables of modem/README.md from the code."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from modem import network_history, recovery, recovery_ladder, roaming

README = Path(roaming.__file__).parent / "README.md"
PART = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
COMMANDS = {
    recovery_ladder.RESHUT: "the driver's `close_context`",
    recovery_ladder.REATTACH: "`AT+CGATT=0`, `AT+CGATT=1`",
    recovery_ladder.RADIO_CYCLE: "`AT+CFUN=4`, 10 s, `AT+CFUN=1`",
    recovery_ladder.RESTART: "`AT+CFUN=1,1`",
    recovery_ladder.SUPPLY_CUT: "the supply pin, PWRKEY",
}


def _rules(rules: Sequence[Callable[..., object]]) -> list[str]:
    """Return a table of the rules: the name of each as words, and the first line of its docstring."""
    rows = []
    for number, rule in enumerate(rules, 1):
        why = (rule.__doc__ or "").splitlines()[0]
        rows.append(f"| {number} | {rule.__name__.replace('_', ' ')} | {why} |")
    return ["| | rule | why |", "| --- | --- | --- |", *rows]


def _meanings() -> list[str]:
    hours = ", ".join(_span(seconds) for seconds in network_history.QUARANTINE_S)
    causes = ", ".join(str(cause) for cause in network_history.PERMANENT_CAUSES)
    return _table(
        ("a network is", "when"),
        ("failing", f"2 attempts or more brought no CONNACK, the last {network_history.PROOF_S} s or more after the first"
         f" ({_span(network_history.ANSWERED_PROOF_S)} if the TCP connection was answered: the broker may be restarting)."
         f" It is quarantined for {hours}; after a permanent reject at once for the longest of these (CME {causes})"),
        ("poor", f"the smoothed CSQ stays at {network_history.POOR_CSQ} or less for {_span(network_history.POOR_S)}, or"
         f" {network_history.DATA_FAILURES} connections break in {_span(network_history.DATA_FAILURES_WITHIN_S)}"),
        ("on trial", f"a survey lists it without a signal, and the unit has switched to it to measure it. It is kept if it"
         f" carries data and, after {roaming.TRIAL_SAMPLES} readings, one a minute, scores {roaming.BETTER_BY_CSQ} CSQ more"
         f" than the network that was left"),
        ("better", f"it scores {roaming.BETTER_BY_CSQ} CSQ more and has a CSQ of {roaming.STRONG_CSQ} or more;"
         f" instead of a failing network, a CSQ of {network_history.USABLE_CSQ} is enough"),
    )  # fmt: skip


def _ladder() -> list[str]:
    return _table(
        ("without contact for", "remedy", "commands"),
        *((_span(after_s), do, COMMANDS[do]) for after_s, do in recovery_ladder.LADDER),
        *((f"{_span(after_s)} more", recovery_ladder.SUPPLY_CUT, "") for after_s in recovery.SUPPLY_CUTS_AFTER_S),
    )


def _budgets() -> list[str]:
    return _table(
        ("what", "how often"),
        ("scan", f"{network_history.SCANS_A_DAY} a day, {_span(network_history.SCAN_DISTANCE_S)} apart"),
        (
            "switch",
            f"{network_history.SWITCHES_A_DAY} a day, and the return from the last trial;"
            f" {_span(network_history.DWELL_S)} apart, unless the network fails or a trial ends",
        ),
        (
            "supply cut of a modem that does not answer",
            f"{recovery.HANG_CUTS_A_DAY} a day, then every {_span(recovery.HANG_CUTS_THEN_EVERY_S)}",
        ),
        ("reset after a reject", f"every {_span(recovery.DENIED_RESET_EVERY_S)}"),
        (
            "read the SIM's list of forbidden networks",
            f"every {_span(recovery.FORBIDDEN_LOOK_EVERY_S)}, first after {_span(recovery.FORBIDDEN_AFTER_S)}",
        ),
        (
            "clear that list",
            f"every {_span(recovery.FORBIDDEN_CLEAR_EVERY_S)}, if it forbids every network that is received",
        ),
    )


def _table(head: Sequence[str], *rows: Sequence[str]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return [lines[0], "| " + " | ".join("---" for _ in head) + " |", *lines[1:]]


def _span(seconds: int) -> str:
    for size, name in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds % size == 0 and seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if name == 'day' and count > 1 else ''}"
    return f"{seconds} s"


PARTS: dict[str, Callable[[], list[str]]] = {
    "roaming": lambda: _rules(roaming.RULES),
    "meanings": _meanings,
    "ladder": _ladder,
    "recovery": lambda: _rules(recovery.RULES),
    "budgets": _budgets,
}


def written() -> str:
    """Return the README with its tables generated from the code."""

    def part(found: re.Match[str]) -> str:
        return found[1] + "\n".join(PARTS[found[2]]()) + "\n" + found[3]

    return PART.sub(part, README.read_text(encoding="utf-8"))


if __name__ == "__main__":
    README.write_text(written(), encoding="utf-8")
