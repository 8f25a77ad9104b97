"""Commands on a line where a URC may stand at any byte: how many answers are wrong? python-gsmmodem-new beside us.

Both talk through pyserial to the same simulated modem on a real pty, in its own process; each gets a fresh one, with the
same seed. Wrong is an answer that is not the modem's; a failure that is said (an exception) is a failure.
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
QUIET_S = 4  # until the noise begins: both get to connect undisturbed
URC_ONE_IN = 100  # bytes: in every second or third answer
PEER_LIMIT_S = 60  # each of its failures takes 5 s
CSQ, IMEI = 22, "867856030000017"
QUICK = {name: [20, 40] for name in ("boot", "sim_ready", "register", "attach", "call_ready")}


class Tally(NamedTuple):
    """What came of a number of commands."""

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
def simulated(seed: int, urc_one_in: int) -> Iterator[Path]:
    """A modem on a pty, whose line becomes noisy after a while."""
    with tempfile.TemporaryDirectory() as folder:
        link, world = Path(folder) / "modem", Path(folder) / "world.json"
        noise = [{"at_s": QUIET_S, "do": "noise", "urc_one_in": urc_one_in}] if urc_one_in else []
        world.write_text(json.dumps({"latencies": QUICK, "events": noise}))
        command = [sys.executable, "-m", "hil_tests.sim.modem", f"--link={link}", f"--world={world}", f"--seed={seed}"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.5)
            yield link
            process.terminate()


def ask(questions: list[tuple[Callable[[], Any], Any]], count: int, limit_s: float) -> Tally:
    """Asks them in turn, `count` in all or until the time is over."""
    wrong = failed = asked = 0
    start_s = time.monotonic()
    while asked < count and time.monotonic() - start_s < limit_s:
        question, expected = questions[asked % len(questions)]
        asked += 1
        try:
            wrong += question() != expected
        except Exception:  # whatever it says, it said that it failed
            failed += 1
    return Tally(asked, wrong, failed, time.monotonic() - start_s)


def _ours(link: Path) -> tuple[list[tuple[Callable[[], Any], Any]], Callable[[], None]]:
    port = Port(str(link))
    client = Modem(port, _Clock(), sim800)
    client.resync()
    client.ensure("ATE0")
    client.command("AT+COPS=3,2")
    return [
        (client.signal_quality, CSQ),
        (client.operator, "23415"),
        (lambda: client.query("AT+CPIN?", lambda text: text), "+CPIN: READY"),
    ], port.close


def _peer(link: Path) -> tuple[list[tuple[Callable[[], Any], Any]], Callable[[], None]]:
    other = GsmModem(str(link), 115_200)
    other.connect()
    return [
        (lambda: other.signalStrength, CSQ),
        (lambda: other.networkName, "vodafone UK"),
        (lambda: other.write("AT+CPIN?")[0], "+CPIN: READY"),
    ], other.close


def urcs(count: int = 1000, seed: int = 1) -> bool:
    """1,000 commands with a URC at a random byte about once a command."""
    print(f"{count} commands, a URC before one byte in {URC_ONE_IN}")
    tallies = {}
    for name, connect, limit_s in (("ours", _ours, 600.0), ("python-gsmmodem-new", _peer, PEER_LIMIT_S)):
        with simulated(seed, urc_one_in=URC_ONE_IN) as link:
            questions, close = connect(link)
            time.sleep(QUIET_S)
            tallies[name] = tally = ask(questions, count, limit_s)
            close()
        print(
            f"  {name:20} {tally.asked:5} asked  {tally.wrong:4} wrong  {tally.failed:4} failed  in {tally.seconds:.1f} s"
        )
    return tallies["ours"].wrong == 0 and tallies["ours"].asked == count


def ten(seed: int = 1) -> bool:
    """Ten AT+CSQ on a quiet line."""
    print("ten AT+CSQ on the same simulated modem (its own 2 to 8 ms each)")
    seconds = {}
    for name, connect in (("ours", _ours), ("python-gsmmodem-new", _peer)):
        with simulated(seed, urc_one_in=0) as link:
            questions, close = connect(link)
            tally = ask(questions[:1], 10, 60)
            close()
        seconds[name] = tally.seconds
        print(f"  {name:20} {1000 * tally.seconds:6.1f} ms, {tally.wrong} wrong")
    return seconds["ours"] <= 1.2 * seconds["python-gsmmodem-new"]


warnings.simplefilter("ignore")  # the peer's own: threads named the old way
