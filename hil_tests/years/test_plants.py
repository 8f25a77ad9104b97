"""Do the planted mistakes still fit the product's source? `python -m hil_tests.years.plants` shows whether they are
found.
"""

import subprocess
import sys
from collections import Counter

import pytest

from hil_tests.years.planted import PLANTS
from hil_tests.years.planting import ROOT, Plant, plant_it

IN_A_PROCESS = """
from hil_tests.years.planting import Plant, plant_it
plant_it(Plant("a day of an hour", "modem/budget.py", "DAY_S = 24 * HOUR_S", "DAY_S = HOUR_S"))
from modem.budget import DAY_S
print(DAY_S)
"""


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.mistake)
def test_a_mistake_has_its_place_and_is_code(plant: Plant) -> None:
    compile(plant.source(), plant.path, "exec")


def test_mistakes_are_of_all_rooms() -> None:
    rooms = Counter(plant.path.split("/")[0] for plant in PLANTS)
    assert rooms.total() == 30 and {"firmware", "modem", "cloud_bridge"} == set(rooms)
    assert len({plant.mistake for plant in PLANTS}) == 30


def test_a_mistake_is_in_the_process_that_planted_it_alone() -> None:
    done = subprocess.run([sys.executable, "-c", IN_A_PROCESS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "3600\n"
    assert "24 * HOUR_S" in (ROOT / "modem/budget.py").read_text()


def test_nothing_is_planted_where_it_is_too_late() -> None:
    with pytest.raises(RuntimeError):
        plant_it(Plant("too late", "hil_tests/years/planting.py", "", ""))
