"""Is a sample of the damaged updates refused as it should be? `make fuzz` tries more."""

import random

import pytest

from tests.firmware.update.mutations import KINDS, run

SEEDS = random.Random(21).sample(range(1_000_000), 8)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_of_the_mutations(kind: str) -> None:
    found = {run(kind, seed) for seed in SEEDS}
    assert found
    if kind in ("bent_manifest", "another_key", "other_number_of_key", "another_signature"):
        assert found <= {"refused: signature", "refused: manifest", "nothing"}
