"""Is there a test for each rule of Great Britain, with the rule's id?"""

from tests import requirements


def test_each_rule_has_a_test() -> None:
    assert set(requirements.rules()) <= set(requirements.carried())
