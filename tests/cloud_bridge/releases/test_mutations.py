"""Is a sample of the damaged releases and requests refused? `make fuzz` tries more."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.cloud_bridge.releases.bent_asks import Asking
from tests.cloud_bridge.releases.mutations import RELEASES, makers_mistake, refused

SEEDS = random.Random(21).sample(range(1_000_000), 40)


@pytest.mark.parametrize("made", RELEASES, ids=lambda made: made.__name__)
def test_a_sample_of_bent_releases(made: "object") -> None:
    (kind,) = (one for one in RELEASES if one is made)
    found = {refused(kind, seed) for seed in SEEDS}
    assert kind is makers_mistake or found <= {"BadImage", "BadManifest", "BadSignature"}


def test_a_sample_of_bent_asks(tmp_path: Path) -> None:
    asking = Asking(tmp_path)

    async def all_of_them() -> set[str]:
        return {await asking.ask(seed) for seed in SEEDS * 2}

    found = asyncio.run(all_of_them())
    asking.close()
    assert {"asks_served", "asks_without_order", "asks_beyond_file", "no message"} <= found
