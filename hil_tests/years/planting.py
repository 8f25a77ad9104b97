"""Plants a mistake into the product's code: replaces a text of a module while it loads, in this process only.

The checkout is not changed.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Plant(NamedTuple):
    """In the file `path`, `wrong` replaces `right`, which must occur there once."""

    mistake: str
    path: str
    right: str
    wrong: str

    def source(self) -> str:
        """Return the source with the mistake. Raise ValueError if `right` does not occur exactly once."""
        text = (ROOT / self.path).read_text()
        if text.count(self.right) != 1:
            raise ValueError(f"{self.path} contains this text {text.count(self.right)} times, not once: {self.right}")
        return text.replace(self.right, self.wrong)


class _Loader(SourceFileLoader):
    def __init__(self, name: str, plant: Plant) -> None:
        super().__init__(name, str(ROOT / plant.path))
        self._plant = plant

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._plant.source(), self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._name = plant.path.removesuffix(".py").replace("/", ".")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, ROOT / self._plant.path, loader=_Loader(fullname, self._plant))


def plant_it(plant: Plant) -> None:
    """Plant the mistake. Raise RuntimeError if the module is already imported."""
    name = plant.path.removesuffix(".py").replace("/", ".")
    if name in sys.modules:
        raise RuntimeError(f"{name} is already imported")
    sys.meta_path.insert(0, _Finder(plant))
