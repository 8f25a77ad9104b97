"""The command line `python -m modem signal|scan|report|commission|trace`, and its exit codes."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from getpass import getpass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn

from rich.console import Console

from modem import signal
from modem.installer import report
from modem.installer.advice import Advice, advice
from modem.installer.commissioning import NotYet, Progress, Talk, commission
from modem.installer.commissioning import report as report_of
from modem.installer.console_source import ConsoleSource, Refused
from modem.installer.errors import CannotTalk
from modem.installer.finding import open_port
from modem.installer.measuring import LONGEST_S, SECONDS, SHORTEST_S, Measurement, measuring
from modem.installer.modem_source import ModemSource
from modem.installer.readings import Identity, Network, Source
from modem.installer.recorder import recorded
from modem.installer.screen import Screen
from modem.version import VERSION

PASSED, FAILED, NO_READING, CANNOT_TALK = 0, 1, 2, 3  # design, section 4.4
MISUSED = 64  # EX_USAGE of sysexits.h; argparse's default, 2, is NO_READING
LISTEN_S = 20
_PORT_HELP = "serial port; optional if there is only one"
INTERRUPTED = 130  # 128 + SIGINT, as in shells
# Further queries for a trace, for diagnosis. None of the responses identifies the subscriber.
TRACED_QUESTIONS = (
    "ATI", "AT+CGMR", "AT+CPIN?", "AT+CFUN?", "AT+CREG?", "AT+CGREG?", "AT+CEREG?", "AT+CGATT?", "AT+CGDCONT?", "AT+CCLK?",
    "AT+CBC",
)  # fmt: skip
_EXIT = {signal.PASS: PASSED, signal.FAIL: FAILED, signal.UNKNOWN: NO_READING}


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code. `arguments`: the command line; None uses sys.argv."""
    typed = _parser().parse_args(arguments)
    # With --json, standard output has the JSON only; messages for people go to standard error.
    screen = Screen(Console(stderr=typed.json or typed.trace is not None, highlight=False, soft_wrap=False))
    try:
        name, port = open_port(typed.port, screen.tick)
        if typed.trace is not None:
            with recorded(typed.trace, port, screen.say) as recorder:
                return _trace(typed, ModemSource(name, recorder, screen.say), screen, name)
        source: Source
        if typed.console:
            source = ConsoleSource(name, port, screen.say)
        else:
            source = ModemSource(name, port, screen.say)
        try:
            code: int = typed.run(_Job(typed, source, screen, name))
        finally:
            source.leave()
    except CannotTalk as problem:
        return _cannot_talk(typed, str(problem))
    except KeyboardInterrupt:
        screen.say("Stopped. The modem's settings were restored.")
        return INTERRUPTED
    return code


class _Job:
    """One run of a command."""

    def __init__(self, typed: argparse.Namespace, source: Source, screen: Screen, port: str) -> None:
        self._typed = typed
        self._source = source
        self._screen = screen
        self._port = port

    def signal(self) -> int:
        """Measure the signal and show the verdict."""
        identity = self._source.identity()
        measurement = self._measure(identity)
        recommendation = advice(measurement.verdict, measurement.latest.plmn, None)
        self._result(identity, measurement, None, None, recommendation)
        self._screen.verdict(measurement, measurement.latest.network)
        if measurement.verdict.verdict != signal.PASS:
            self._screen.advice(recommendation)
        return _EXIT[measurement.verdict.verdict]

    def scan(self) -> int:
        """Scan and list all networks. The command passes if at least one network has a sufficient signal."""
        serving = self._source.reading().plmn
        networks = self._networks()
        self._screen.networks(networks, serving)
        if self._typed.json:
            rows = [{**network._asdict(), "passes": network.passes} for network in networks]
            print(json.dumps({"operator": serving, "networks": rows}, ensure_ascii=False))
        if any(network.passes for network in networks):
            return PASSED
        return FAILED if any(network.csq is not None for network in networks) else NO_READING

    def report(self) -> int:
        """Measure, scan, and write the report."""
        folder = (self._typed.out or Path()).parent
        with _explained(folder):
            TemporaryFile(dir=folder).close()  # fail before the measurement if the report cannot be written
        identity = self._source.identity()
        measurement = self._measure(identity)
        cell = self._source.cell()
        networks = self._networks()
        recommendation = advice(measurement.verdict, measurement.latest.plmn, networks, self._source.hears_lte)
        result = self._result(identity, measurement, cell, networks, recommendation)
        names = {network.plmn: network.name for network in networks}
        latest = measurement.latest
        self._screen.verdict(measurement, latest._replace(name=latest.name or names.get(latest.plmn or "")).network)
        self._screen.networks(networks, measurement.latest.plmn)
        self._screen.advice(recommendation)
        path = self._typed.out or Path(_file_name(result))
        with _explained(path):
            for written in report.write(result, path):
                self._screen.say(f"written: {written}")
        return _EXIT[measurement.verdict.verdict]

    def commission(self) -> int:
        """Commission the charge point step by step, and write the unit's record as text."""
        source = self._source
        if not isinstance(source, ConsoleSource):
            raise TypeError("commission needs a ConsoleSource")
        identity = source.identity()
        unit = identity.unit or "unit"
        path = self._typed.report or Path(f"commission-{unit}.txt")
        progress = Progress(path.with_suffix(".answers.json"), unit)
        talk = Talk(
            lambda words: input(f"{words}: "),
            lambda words: getpass(f"{words}: "),
            self._screen.tell,
            lambda: self._measure(identity),
        )
        try:
            with _explained(path):
                record = commission(source, talk, progress)
                path.write_text(report_of(unit, record, datetime.now().astimezone().isoformat(timespec="seconds")))
                progress.forget()
        except NotYet as not_yet:
            self._screen.tell(str(not_yet))
            return FAILED
        except (EOFError, KeyboardInterrupt):
            self._screen.tell("Stopped. Run the command again to continue where you left off.")
            return INTERRUPTED
        except Refused as refused:
            self._screen.tell(f"The unit refused: {refused.why}")
            return FAILED
        self._screen.tell(f"Commissioned for {record.get('amps', '?')} A. Record written: {path}")
        return PASSED

    def _measure(self, identity: Identity) -> Measurement:
        title = " · ".join(part for part in (identity.unit, identity.model, self._port) if part)
        return self._screen.measure(measuring(self._source, self._typed.seconds), title)

    def _networks(self) -> list[Network]:
        with self._screen.scanning(self._source.scan_s[0]):
            return self._source.networks()

    def _result(
        self,
        identity: Identity,
        measurement: Measurement,
        cell: str | None,
        networks: list[Network] | None,
        recommendation: Advice,
    ) -> dict[str, Any]:
        """Return the contents of the report; print them with --json."""
        identity = identity._replace(unit=self._typed.unit or identity.unit)
        taken = datetime.now().astimezone()
        result = report.contents(identity, self._typed.place, taken, measurement, cell, networks, recommendation)
        if self._typed.json:
            print(json.dumps(result, ensure_ascii=False))
        return result


def _trace(typed: argparse.Namespace, source: ModemSource, screen: Screen, port: str) -> int:
    """Send TRACED_QUESTIONS and run the dialogue of a report, so that the recorder captures both. Return the exit code."""
    try:
        for question in TRACED_QUESTIONS:
            source.ask(question)
        identity = source.identity()
        title = " · ".join(part for part in (identity.model, port) if part)
        measurement = screen.measure(measuring(source, SECONDS), title)
        source.cell()
        with screen.listening(typed.seconds):
            source.listen(typed.seconds)
        screen.verdict(measurement, measurement.latest.network)
        with screen.scanning(source.scan_s[0]):  # last, because some modems hang during a scan
            networks = source.networks()
        screen.networks(networks, measurement.latest.plmn)
    finally:
        source.leave()
    return PASSED


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Convert an OSError from writing to CannotTalk, with a one-line message for people."""
    try:
        yield
    except OSError as error:
        raise CannotTalk(f"{path}: cannot write the report ({error.strerror}); choose another path") from None


def _cannot_talk(typed: argparse.Namespace, problem: str) -> int:
    if typed.json:
        print(json.dumps({"error": problem}, ensure_ascii=False))
    print(problem, file=sys.stderr)
    return CANNOT_TALK


def _file_name(result: dict[str, Any]) -> str:
    minute = result["time"][:16].replace(":", "").replace("T", "-")
    return f"signal-{result['unit'] or result['imei'] or 'unit'}-{minute}.html"


class _Parser(argparse.ArgumentParser):
    """An argument parser that shows the help on a usage error and exits with MISUSED."""

    def error(self, message: str) -> NoReturn:
        self.print_help(sys.stderr)
        self.exit(MISUSED, f"\n{message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m modem",
        description="Is the mobile signal good enough for a charge point here?",
        epilog="Exit codes: 0 pass, 1 fail, 2 no reading, 3 no communication with the modem or the charge point.",
    )
    parser.add_argument("--version", action="version", version=f"chargekeeper {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _command(commands, "signal", "show the live signal, and a verdict after half a minute", _Job.signal)
    _command(commands, "scan", "list every network and its strongest cell; takes one to five minutes", _Job.scan)
    _command(commands, "report", "measure, scan, and write a report for the customer, as HTML and JSON", _Job.report)
    _commission_command(commands)
    _trace_command(commands)
    return parser


def _commission_command(commands: Any) -> None:
    description = "commission a charge point over its service console, step by step; after a stop, run it again"
    command = commands.add_parser(
        "commission", help=description, description=description[:1].upper() + description[1:] + "."
    )
    command.set_defaults(run=_Job.commission, console=True, json=False, trace=None)
    command.add_argument("--port", help=_PORT_HELP)
    command.add_argument("--report", type=Path, metavar="FILE.txt", help="where to write the record")
    span = f"{SHORTEST_S} to {LONGEST_S} (default {SECONDS})"
    command.add_argument("--seconds", type=_seconds, default=SECONDS, help=f"how long to measure the signal, {span}")


def _trace_command(commands: Any) -> None:
    description = (
        "record the AT dialogue in a file for a developer; the subscriber's numbers and passwords are redacted"
    )
    command = commands.add_parser(
        "trace", help=description, description=description[:1].upper() + description[1:] + "."
    )
    command.set_defaults(json=False)
    command.add_argument("--port", help=_PORT_HELP)
    command.add_argument(
        "--out", dest="trace", type=Path, metavar="FILE", required=True, help="file to write; must not exist yet"
    )
    span = f"0 to {LONGEST_S} (default {LISTEN_S})"
    command.add_argument(
        "--seconds", type=_listening_seconds, default=LISTEN_S, help=f"how long to record unsolicited codes, {span}"
    )


def _command(commands: Any, name: str, description: str, run: Callable[[_Job], int]) -> None:
    command = commands.add_parser(name, help=description, description=description[:1].upper() + description[1:] + ".")
    command.set_defaults(run=run, place="", unit=None, seconds=SECONDS, out=None, trace=None)
    command.add_argument("--port", help=_PORT_HELP)
    command.add_argument("--console", action="store_true", help="the port is the service console of a charge point")
    command.add_argument("--json", action="store_true", help="print the result as JSON on standard output")
    if name != "scan":
        span = f"{SHORTEST_S} to {LONGEST_S} (default {SECONDS})"
        command.add_argument("--seconds", type=_seconds, help=f"how long to measure, {span}")
    if name == "report":
        command.add_argument("--place", help="the location, in the customer's words")
        command.add_argument("--unit", help="the charge point's ID, if it is not read from its console")
        command.add_argument("--out", type=Path, metavar="FILE.html", help="where to write the report")


def _seconds(text: str) -> int:
    return _whole(text, SHORTEST_S)


def _listening_seconds(text: str) -> int:
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {LONGEST_S}")
    return int(text)
