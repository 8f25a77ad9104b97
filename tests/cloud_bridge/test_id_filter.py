"""Does the filter contain every id that was added, with few false positives?"""

from cloud_bridge.id_filter import IdFilter

ADDED = 20_000


def test_it_never_forgets_one_and_seldom_errs() -> None:
    known = IdFilter()
    for number in range(ADDED):
        known.add(f"CK-{number:07d}")
    assert all(f"CK-{number:07d}" in known for number in range(ADDED))
    assert not any(f"CK-{number:07d}" in known for number in range(ADDED, 2 * ADDED))


def test_an_empty_one_knows_nobody() -> None:
    assert "CK-1" not in IdFilter()
