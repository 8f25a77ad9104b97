"""Do bent answers give events or ProtocolError, and nothing else? `make fuzz` tries a million."""

import random

import pytest

from tests.modem import mutations


@pytest.mark.parametrize("seed", range(4))
def test_bent_answers_are_refused_and_forgotten(seed: int) -> None:
    assert mutations.run(1_000, seed) == 1_000


def test_a_seed_bends_the_same_way_again() -> None:
    assert mutations.mutated(random.Random(7)) == mutations.mutated(random.Random(7))
