"""Which mutants are drawn, and which tests run for one?"""

from collections.abc import Iterable

import pytest

from hil_tests.mutants.argued import Argued
from hil_tests.mutants.operators import Mutant, changed_lines, mutants
from hil_tests.mutants.rooms import OTHERS_MAX_S, Item, draw, is_mirror, report, room_of, runs_for

OUTBOX = "firmware/storage/outbox.py"


def made(path: str = OUTBOX) -> list[Mutant]:
    return mutants(path, "def f(a):\n" + "    a(1)\n" * 20)


def test_the_same_seed_draws_the_same_sample() -> None:
    assert draw(made(), 10, 7) == draw(made(), 10, 7) != draw(made(), 10, 8)
    assert len(set(draw(made(), 10, 7))) == 10
    assert set(draw(made(), 1000, 7)) == set(made())


@pytest.mark.parametrize(
    ("path", "room"),
    [
        (OUTBOX, "firmware/storage"),
        ("modem/families/m95.py", "modem"),
        ("cloud_bridge/contact.py", "cloud_bridge/contact.py"),
        ("modem/ports/unix_tty.py", None),
        ("cloud_bridge/store/units.py", None),
    ],
)
def test_the_room_of_a_file(path: str, room: str | None) -> None:
    assert room_of(path) == room


@pytest.mark.parametrize(
    ("item", "mirrors"),
    [
        ("tests/firmware/storage/test_outbox.py::test_a", True),
        ("tests/firmware/storage/test_outbox_refused.py::test_a", True),
        ("tests/firmware/storage/test_session_log.py::test_a", False),
        ("tests/firmware/link/test_outbox.py::test_a", False),
    ],
)
def test_the_tests_that_mirror_a_module(item: str, mirrors: bool) -> None:
    assert is_mirror(item, OUTBOX) is mirrors


def items(*rows: tuple[str, float, Iterable[str]]) -> dict[str, Item]:
    return {item: Item(seconds, frozenset(functions)) for item, seconds, functions in rows}


def test_asked_are_the_module_s_own_tests_and_then_the_short_ones_that_come_by() -> None:
    put = f"{OUTBOX} Outbox.put"
    own, quick, slow, longer, elsewhere = (
        f"tests/firmware/{path}::test_a"
        for path in (
            "storage/test_outbox.py",
            "link/test_a.py",
            "link/test_b.py",
            "link/test_c.py",
            "storage/test_outbox_refused.py",
        )
    )
    seen = items(
        (longer, OTHERS_MAX_S, [put]),
        (slow, OTHERS_MAX_S - 1, [put]),
        (quick, 1, [put]),
        (own, 2 * OTHERS_MAX_S, [put]),
        (elsewhere, 1, [f"{OUTBOX} Outbox.oldest"]),
    )
    assert runs_for(OUTBOX, "Outbox.put", seen) == [[own], [quick, slow]]
    assert runs_for(OUTBOX, "Outbox.oldest", seen) == [[elsewhere]]
    assert runs_for(OUTBOX, "Outbox.waiting", seen) == []


def test_the_report_counts_by_room() -> None:
    modem = made("modem/at.py")[:3]
    why = Argued("modem/at.py", "f", modem[0].operator, *changed_lines(modem[0]), "a reason")
    assert report([*made()[:7], *modem], modem[:1], []) == [
        "  firmware/storage            7 of    7 killed  100.0%    0 argued   0 survive",
        "  modem                       2 of    3 killed   66.7%    0 argued   1 survive",
        "  all                         9 of   10 killed   90.0%    0 argued   1 survive",
    ]
    assert (
        report(modem, modem[:1], [why])[-1]
        == "  all                         2 of    3 killed   66.7%    1 argued   0 survive"
    )
