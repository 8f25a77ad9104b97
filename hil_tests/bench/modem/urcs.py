"""A thousand commands with a URC at a random byte of every answer: how many are wrong? Beside it python-gsmmodem-new.

Every answer of the modem is hit, also answers to a command that is repeated because its first answer was torn. The
product's client runs in virtual time, since waiting for a result that a URC cut in two takes seconds; the peer can only
run in real time.
"""

import random
import time

from hil_tests.bench.modem.commands import Tally, ask, ours, peer, simulated
from hil_tests.bench.modem.virtual_time import Clock, Port, VirtualLoop
from hil_tests.sim.modem.noise import Noise
from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.simcom import Modem as SimulatedModem
from modem import startup
from modem.client import Modem
from modem.families import sim800

QUIET_S = 4  # until the noise begins, so that the peer can connect
PEER_LIMIT_S = 30  # each of its failures takes 5 s


def _ours(count: int, seed: int) -> tuple[Tally, int]:
    """Return the results, and how many answers had a URC in them."""
    loop = VirtualLoop()
    clock = Clock(loop)
    simulator = loop.inside(SimulatedModem, World(seed))
    port = Port(clock, simulator.receive)
    noise = Noise(port.receive, random.Random(seed))
    simulator.wire(noise.write)
    loop.inside(simulator.supply, True)
    loop.inside(simulator.power_on)
    client = Modem(port, clock, sim800.FAMILY)
    startup.synchronise(client)
    startup.configure(client)
    startup.wait_for_network(client)
    questions = ours(client)
    noise.urc_each_answer = True
    start_s = loop.time()
    tally = ask(questions, count, float("inf"))
    tally = tally._replace(seconds=loop.time() - start_s)
    loop.inside(simulator.close)
    loop.finish()
    return tally, noise.urcs


def _peer(count: int, seed: int) -> Tally:
    with simulated(seed, {"at_s": QUIET_S, "do": "noise", "urc_each_answer": True}) as link:
        questions, close = peer(link)
        time.sleep(QUIET_S)
        tally = ask(questions, count, PEER_LIMIT_S)
        close()
    return tally


def run(count: int = 1000, seed: int = 1) -> bool:
    """Print both results. Return True if the product's client sent all commands and no answer was wrong."""
    tally, urcs = _ours(count, seed)
    print(f"{count} commands, a URC at a random byte of every answer")
    print(f"  {'ours':20} {_words(tally)} of the modem's time; all of {urcs} answers hit")
    print(f"  {'python-gsmmodem-new':20} {_words(_peer(count, seed))}, and no longer")
    return tally.wrong == 0 and tally.asked == count


def _words(tally: Tally) -> str:
    return f"{tally.asked:5} asked  {tally.wrong:4} wrong  {tally.failed:4} failed  in {tally.seconds:.1f} s"
