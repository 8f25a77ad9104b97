"""Do damaged answers only cause events or ProtocolError? `make fuzz` tries a million."""

import random

import pytest

from modem import at
from modem.families import sim800
from tests.modem import mutations


@pytest.mark.parametrize("seed", range(4))
def test_bent_answers_are_refused_and_forgotten(seed: int) -> None:
    assert mutations.run(1_000, seed) == 1_000


def test_a_superscript_is_no_digit() -> None:
    """Input 91,809 of seed 1: one byte of noise in the size of a payload."""
    tokenizer = at.Tokenizer(sim800.FAMILY.URCS, sim800.FAMILY.LINK_URCS)
    mutations.try_one(b"+CIPRXGET: 2,0,1\xb90", random.Random(1), tokenizer)


def test_a_seed_bends_the_same_way_again() -> None:
    assert mutations.mutated(random.Random(7)) == mutations.mutated(random.Random(7))
