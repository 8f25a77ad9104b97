"""Do the five most frequent tasks take at most three actions from the first page, on a phone and on a desk?"""

import pytest
from playwright.sync_api import Browser

from hil_tests.web.cloud_fixture import WebCloudFixture
from hil_tests.web.five_tasks import do_all
from hil_tests.web.visitor import LOOKS

ACTIONS = {"is my charger well": 0, "tonight's plan": 0, "charge now": 1, "ask for help": 3, "close a job": 3}


@pytest.mark.parametrize("look", LOOKS)
def test_the_actions_of_the_five_tasks(browser: Browser, place: WebCloudFixture, look: str) -> None:
    assert {one.task: one.actions for one in do_all(browser, place, look)} == ACTIONS
