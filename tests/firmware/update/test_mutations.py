"""Is a sample of the bent updates refused as it should be? All of them: `make fuzz`."""

import pytest

from tests.firmware.update.mutations import KINDS, run

EACH = 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_of_the_mutations(kind: str) -> None:
    found = {run(kind, seed) for seed in range(EACH)}
    assert found
    if kind in ("bent_manifest", "another_key", "other_number_of_key", "another_signature"):
        assert found <= {"refused: signature", "refused: manifest", "nothing"}
