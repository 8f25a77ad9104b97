"""Is a figure above its budget reported, and the smallest heap found?"""

import pytest

from hil_tests.cortex_m import figures

KEPT = {name: (figure.least or 0) if figure.most is None else figure.most for name, figure in figures.FIGURES.items()}


def test_all_at_their_bounds_are_kept() -> None:
    assert figures.broken(KEPT) == []


@pytest.mark.parametrize("name", figures.FIGURES)
def test_one_byte_or_instruction_too_many_is_told(name: str) -> None:
    figure = figures.FIGURES[name]
    (line,) = figures.broken({**KEPT, name: KEPT[name] + (-1 if figure.most is None else 1)})
    assert line.startswith(name) and figure.what in line


@pytest.mark.parametrize("needed", [1, 999, 57_321, 109_999, 110_000])
def test_the_floor_is_found_within_its_step(needed: int) -> None:
    asked: list[int] = []

    def fits(size: int) -> bool:
        asked.append(size)
        return size >= needed

    floor = figures._floor(fits, figures.BOARD_HEAP_BYTES)
    assert needed <= floor <= needed + figures.FLOOR_STEP_BYTES
    assert len(asked) <= 8
