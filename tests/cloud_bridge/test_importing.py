"""Is garbage collection enabled again after the imports, also if one failed?"""

import gc

import pytest

from cloud_bridge.importing import importing


def test_nothing_is_collected_meanwhile_and_everything_afterwards() -> None:
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_module_that_is_not_there_changes_nothing_of_it() -> None:
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()
