"""Randomly damaged modem output: `python -m tests.modem.mutations COUNT SEED` searches for any error except ProtocolError.

Each input is a real answer with some bytes lost, doubled, swapped or invented, or two answers spliced together. It goes
through the tokenizer in random pieces, and through every function of replies.py. A failure prints the input and its seed,
which reproduce it.
"""

import argparse
import random
import sys
from collections.abc import Callable
from typing import Any

from rich.progress import track

from modem import at, replies
from modem.errors import ProtocolError
from modem.families import (
    lte,
    m95,
    m95_setup,
    quectel,
    quectel_setup,
    sim800,
    sim800_setup,
    sim7080,
    sim7080_setup,
    simcom,
)

LINE_LIMIT_BYTES = 1024
MOST_CHANGES = 6
IN_STEP_WITHIN_LINES = 2  # lines of clean input; at 115,200 baud a thousandth of the 2 s that are allowed

ANSWERS = (
    b"+CSQ: 17,0",
    b'+COPS: 0,2,"23415"',
    b'+COPS: (2,"T - Mobile",,"31026",0),(1,"AT&T, Inc (US)",,"310410",0),,(0,1,3),(0,2)',
    b'+COPS: (2,"tm","T","31026",0),(2,"T","T","310260"),2),(1,"A","A","310410"),0)',
    b'+COPS: (2,"004D006F","004D006F","00320031003400300037",7)',
    b'+CREG: 2,5,"01F4","2A3B"',
    b'+CGREG: 5,"01F4","2A3B",7',
    b"+CPIN: SIM PIN",
    b"+CME ERROR: 148",
    b"+CME ERROR: operation not allowed",
    b'+CCLK: "25/03/04,10:20:30+04"',
    b'Operator:"O2 - UK",MCC:234,MNC:10,Rxlev:51,Cellid:2A3B,Arfcn:40,Lac:1F4,Bsic:20',
    b'STATE: IP PROCESSING\r\nC: 0,0,"TCP","10.0.0.1","1883","CONNECTED"',
    b"+CIPRXGET: 2,0,12,0",
    b"+CIPACK: 100,90,10",
    b"DATA ACCEPT:0,1000",
    b"+CFUN: 1",
    b'+CRSM: 144,0,"62F21032F451FFFFFFFFFFFF"',
    b"+CPSI: LTE CAT-M1,Online,505-01,0x2036,134523149,238,EUTRAN-BAND28,9410,5,5,-20,-116,-82,6",
    b'+QCSQ: "CAT-M1",-79,-92,142,-9',
    b'+CNACT: 0,1,"10.94.36.44"\r\n+CNACT: 1,0,"0.0.0.0"',
    b"+CARECV: 12,+CARECV: 3,",
    b"+CAACK: 12000,1459",
    b"+QENG: 0,404,20,3a9a,1429,1,63,-68,147,147,5,5,x,x,x,x,x,x,x",
    b"+QENG: 1,1,8,-71,32,134,134,404,20,3a9a,142a,2,12,-77,19,110,110,404,20,3a9a,142b",
    b"+QIRD: 203.0.113.7:1883,TCP,12",
    b"+QISACK: 48, 48, 0",
    b'+QIACT: 1,1,1,"10.72.134.66"',
)
PARSERS: tuple[Callable[[str], Any], ...] = (
    replies.signal_quality,
    replies.operator,
    replies.operators,
    replies.registration,
    replies.sim_state,
    replies.cme_error,
    replies.clock,
    sim800_setup.cells,
    sim800_setup.cipstatus,
    simcom.cipack,
    replies.setting,
    replies.forbidden,
    lte.cpsi_cell,
    lte.qcsq_cell,
    quectel.qisend,
    quectel_setup.address_of,
    sim7080.caack,
    sim7080_setup.address_of,
    m95.qisack,
    m95_setup.cells,
)
HEADERS = ("+CIPRXGET: 2,0,", "+CARECV: ,", ",TCP,")


def mutated(source: random.Random) -> bytes:
    """Return one damaged answer."""
    said = bytearray(source.choice(ANSWERS))
    if source.random() < 0.3:
        other = source.choice(ANSWERS)
        said[source.randrange(len(said)) :] = other[source.randrange(len(other)) :]
    for _ in range(source.randrange(MOST_CHANGES)):
        place = source.randrange(len(said) + 1)
        change = source.randrange(4)
        if change == 0:
            del said[place : place + source.randrange(1, 4)]
        elif change == 1:
            said[place:place] = said[place : place + source.randrange(1, 9)]
        elif change == 2:
            said[place : place + 1] = bytes([source.randrange(256)])
        else:
            said[place:place] = source.choice((b'"', b",", b"(", b")", b"\r", b"\n", b"\r\n", b"-", b"99999999999"))
    return bytes(said)


def try_one(said: bytes, source: random.Random, tokenizer: at.Tokenizer) -> None:
    """Test one input. Raises AssertionError, or the forbidden error of a parser."""
    text = said.decode("latin-1")
    for parse in PARSERS:
        try:
            parse(text)
        except ProtocolError:
            continue
    tokenizer.expect("AT+X", info=("+C", "+Q"), header=source.choice(HEADERS), payload=bytearray(16))
    line = b"\r\n" + said + b"\r\nOK\r\n"
    cut = source.randrange(len(line))
    for piece in (line[:cut], line[cut:]):
        tokenizer.feed(piece)
    tokenizer.expect_nothing()
    clean = b"\r\nOK\r\n" * (IN_STEP_WITHIN_LINES - 1)
    tokenizer.feed(clean)
    tokenizer.expect("AT+CSQ", info=("+CSQ:",))
    events = tokenizer.feed(b"\r\n+CSQ: 17,0\r\n\r\nOK\r\n")
    assert events == [(at.INFO, "+CSQ: 17,0"), (at.FINAL, "OK")], events


def run(count: int, seed: int) -> int:
    """Test `count` inputs; return their number."""
    source = random.Random(seed)
    tokenizer = at.Tokenizer(sim800.FAMILY.URCS, sim800.FAMILY.LINK_URCS, LINE_LIMIT_BYTES)
    for number in track(range(count), "answers", disable=not sys.stdout.isatty()):
        said = mutated(source)
        try:
            try_one(said, source, tokenizer)
        except Exception:
            print(f"input {number} of seed {seed}: {said!r}", file=sys.stderr)
            raise
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.modem.mutations", description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    given = parser.parse_args()
    done = run(given.count, given.seed)
    print(f"{done:,} mutated inputs, seed {given.seed}: only events and ProtocolError, in step after each")
