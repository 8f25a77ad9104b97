"""Is what a screen reader is given of the mission's pages what is kept in `trees/`?

A change that is meant is taken over by `python -m hil_tests.web.trees`.
"""

from playwright.sync_api import Browser

from hil_tests.web.cloud_fixture import WebCloudFixture
from hil_tests.web.trees import FOLDER, difference, trees


def test_the_accessibility_trees_are_those_that_are_kept(browser: Browser, place: WebCloudFixture) -> None:
    found = dict(trees(browser, place))
    changed = [line for name, tree in found.items() for line in difference(name, tree)]
    assert not changed, "\n".join(["", *changed, "Meant? python -m hil_tests.web.trees"])
    assert set(found) == {path.stem for path in FOLDER.glob("*.txt")}
