"""Has each rule of Great Britain a test that carries its id?"""

from tests import requirements


def test_each_rule_has_a_test() -> None:
    assert set(requirements.rules()) <= set(requirements.carried())
