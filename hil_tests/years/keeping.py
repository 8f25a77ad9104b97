"""Keeps a story that broke a promise as a test: a file with its shortest list of happenings, which test_kept.py
replays.
"""

import json
from pathlib import Path
from typing import NamedTuple

from hil_tests.years.promises import Broken
from hil_tests.years.story import Happening, Story

KEPT = Path(__file__).parent / "kept"


class KeptStory(NamedTuple):
    """`broke` is the promise that it broke when it was found, in words."""

    broke: str
    story: Story


def keep(name: str, story: Story, broken: Broken) -> Path:
    """Write the file and return its path. `name`: words joined by hyphens."""
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{name}.json"
    said = {"broke": f"{broken.promise} {broken.what}", **story._asdict()}
    happenings = ",\n    ".join(json.dumps(one) for one in story.happenings)
    head = json.dumps({key: value for key, value in said.items() if key != "happenings"}, indent=2)
    path.write_text(f'{head[:-2]},\n  "happenings": [\n    {happenings}\n  ]\n}}\n')
    return path


def read(path: Path) -> KeptStory:
    """Read a kept story. Raise ValueError, KeyError or TypeError if the file is invalid."""
    said = json.loads(path.read_text())
    happenings = tuple(Happening(*one) for one in said["happenings"])
    return KeptStory(said["broke"], Story(said["seed"], said["epoch_s"], said["days"], happenings))
