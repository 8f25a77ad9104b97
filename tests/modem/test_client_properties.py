"""A thousand commands, with an unsolicited line inserted at a random byte of each answer: is any value wrong?"""

import random

import pytest

from modem import replies
from modem.errors import ModemError
from modem.families import simcom
from tests.modem.scripted import OK, line, scripted

SEED = 20
COMMANDS = 1_000
URCS = [
    "+CREG: 5",
    '+CGREG: 1,"00C3","1A2B"',
    "+CSQN: 12,0",
    "0, CLOSED",
    "+CIPRXGET: 1,0",
    "RING",
    "Call Ready",
    "DST: 1",
]

# Command, info line, content, and the value that any parser must find in it.
QUESTIONS = [
    ("AT+CSQ", "+CSQ: {},0", replies.signal_quality, lambda n: (n % 32, 0), lambda n: n % 32),
    ("AT+COPS?", '+COPS: 0,2,"{}"', replies.operator, lambda n: (0, 2, str(23400 + n % 100), None), lambda n: 23400 + n % 100),
    ("AT+CGREG?", '+CGREG: 2,{},"01F4","2A3B"', replies.registration, lambda n: (n % 6, 0x1F4, 0x2A3B, None), lambda n: n % 6),
    ("AT+CIPACK=0", "+CIPACK: {},7,1", simcom.cipack, lambda n: (n * 37, 7, 1), lambda n: n * 37),
]  # fmt: skip


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_no_value_is_wrong(seed: int) -> None:
    dice = random.Random(seed)
    modem, port, _ = scripted({})
    failed = 0
    for number in range(COMMANDS):
        command, info, parse, expected, shown = QUESTIONS[number % len(QUESTIONS)]
        clean = line(info.format(shown(number))) + OK
        place = dice.randrange(len(clean) + 1)
        port.answers[command] = [clean[:place] + line(dice.choice(URCS)) + clean[place:], clean]
        port.answers["AT+CMEE?"] = line("+CMEE: 1") + OK
        try:
            assert modem.query(command, parse) == expected(number), f"seed {seed}, command {number}, byte {place}"
        except ModemError:
            failed += 1
    assert failed == 0


def test_a_lost_byte_makes_no_other_network() -> None:
    """A PLMN cannot lose a digit unnoticed, unlike a signal strength: 17 without its 1 is 7."""
    dice = random.Random(SEED)
    modem, port, _ = scripted({})
    for number in range(COMMANDS):
        command, info, parse, expected, shown = QUESTIONS[1]
        clean = line(info.format(shown(number))) + OK
        place = dice.randrange(len(clean))
        port.answers[command] = [clean[:place] + clean[place + 1 :], clean]
        assert modem.query(command, parse) == expected(number), f"command {number}, byte {place}"
