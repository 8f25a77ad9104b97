"""A recording as a port, on a clock that only advances while a program waits: field reports without their waiting times."""

from pathlib import Path

from hil_tests.sim.modem.recording import parsed
from hil_tests.sim.modem.replay import Replay
from modem import signal
from modem.installer.measuring import measuring
from modem.installer.modem_source import ModemSource
from modem.installer.readings import Reading
from tests.modem import scripted

FIELD_REPORTS = Path(__file__).parents[1] / "field_reports"


class ReplayedPort(scripted.Port):  # type: ignore[misc]  # it runs on MicroPython too, and has no types
    """Answers as the recorded modem did. `unknown` lists commands that are not in the recording."""

    def __init__(self, clock: scripted.Clock, text: str) -> None:
        super().__init__(clock, {})
        self.unknown: list[str] = []
        self.replay = Replay(parsed(text), self.unknown.append)

    def write(self, data: bytes) -> None:
        for at_ms, chunk in self.replay.receive(self.clock.ms, bytes(data)):
            self.says(chunk, at_ms - self.clock.ms)


def replayed_source(text: str) -> tuple[ModemSource, ReplayedPort]:
    """Return the source of the installer's tool for a recorded modem, and its port."""
    clock = scripted.Clock()
    port = ReplayedPort(clock, text)
    return ModemSource("/dev/modem", port, [].append, clock), port


def field_report(name: str) -> tuple[ModemSource, ReplayedPort]:
    """Return source and port for a file in tests/modem/field_reports."""
    return replayed_source((FIELD_REPORTS / name).read_text())


def measured(source: ModemSource, port: ReplayedPort, seconds: int = 30) -> tuple[signal.Verdict, Reading]:
    """Return the verdict of `python -m modem signal`, and the latest reading."""
    steps = measuring(source, seconds, lambda: port.clock.ms / 1000, lambda s: port.clock.sleep_ms(round(s * 1000)))
    *_, last = steps
    return last.verdict, last.latest
