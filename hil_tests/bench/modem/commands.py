"""The same commands sent by the product's client and by python-gsmmodem-new, and the results.

Both use pyserial and the same simulated modem on a real pty, in its own process. Each gets a fresh modem with the same
seed. An answer that is not the modem's is wrong. An exception is a failure, not a wrong answer.
"""

import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from gsmmodem.modem import GsmModem  # type: ignore[import-untyped]  # it comes without types

from modem.client import Modem
from modem.families import sim800
from modem.ports.pyserial_port import Port

ROOT = Path(__file__).parents[3]
TURNAROUND_MS = 5  # of the simulated modem, for each command: constant, so that only the clients differ
ROUNDS = 5
CSQ = 22
QUICK = {
    **{name: [20, 40] for name in ("boot", "sim_ready", "register", "attach", "call_ready")},
    "turnaround": [TURNAROUND_MS, TURNAROUND_MS],
}

Question = tuple[Callable[[], Any], Any]  # how to ask, and the right answer


class Tally(NamedTuple):
    """The results of several commands."""

    asked: int
    wrong: int
    failed: int
    seconds: float


class _Clock:
    def now_ms(self) -> int:
        return int(time.monotonic() * 1000)

    def sleep_ms(self, ms: int) -> None:
        time.sleep(ms / 1000)


@contextmanager
def simulated(seed: int, *events: dict[str, Any]) -> Iterator[Path]:
    """Run a modem on a pty, with its events. Yield the path of its port."""
    with tempfile.TemporaryDirectory() as folder:
        link, world = Path(folder) / "modem", Path(folder) / "world.json"
        world.write_text(json.dumps({"latencies": QUICK, "events": events}))
        command = [sys.executable, "-m", "hil_tests.sim.modem", f"--link={link}", f"--world={world}", f"--seed={seed}"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.5)
            yield link
            process.terminate()


def ask(questions: list[Question], count: int, limit_s: float) -> Tally:
    """Ask the questions in turn, `count` in all or until the time is over."""
    wrong = failed = asked = 0
    start_s = time.monotonic()
    while asked < count and time.monotonic() - start_s < limit_s:
        question, expected = questions[asked % len(questions)]
        asked += 1
        try:
            wrong += question() != expected
        except Exception:  # any exception is a reported failure
            failed += 1
    return Tally(asked, wrong, failed, time.monotonic() - start_s)


def ours(client: Modem) -> list[Question]:
    """Set the product's client up. Return its questions."""
    client.resync()
    client.ensure("ATE0")
    client.command("AT+COPS=3,2")
    return [
        (client.signal_quality, CSQ),
        (client.operator, "23415"),
        (lambda: client.query("AT+CPIN?", lambda text: text), "+CPIN: READY"),
    ]


def peer(link: Path) -> tuple[list[Question], Callable[[], None]]:
    """Connect python-gsmmodem-new. Return its questions, and how to release the port."""
    other = GsmModem(str(link), 115_200)
    other.connect()
    return [
        (lambda: other.signalStrength, CSQ),
        (lambda: other.networkName, "vodafone UK"),
        (lambda: other.write("AT+CPIN?")[0], "+CPIN: READY"),
    ], other.close


def _ours_on(link: Path) -> tuple[list[Question], Callable[[], None]]:
    port = Port(str(link))
    return ours(Modem(port, _Clock(), sim800.FAMILY)), port.close


def ten(seed: int = 1) -> bool:
    """Time ten AT+CSQ on a quiet line, several times, and print the best beside the peer's. Return True if none is wrong."""
    print(f"ten AT+CSQ on the same simulated modem ({10 * TURNAROUND_MS} ms of them its own), best of {ROUNDS}")
    wrong = {}
    for name, connect in (("ours", _ours_on), ("python-gsmmodem-new", peer)):
        with simulated(seed) as link:
            questions, close = connect(link)
            tallies = [ask(questions[:1], 10, 60) for _ in range(ROUNDS)]
            close()
        wrong[name] = sum(tally.wrong + tally.failed for tally in tallies)
        print(f"  {name:20} {1000 * min(tally.seconds for tally in tallies):6.1f} ms, {wrong[name]} wrong")
    return wrong["ours"] == 0


warnings.simplefilter("ignore")  # of the peer, which names threads in the old way
