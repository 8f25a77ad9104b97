"""Is a module that was imported on demand unloaded again, and no other?"""

import sys

import pytest

from firmware.lazy_import import ON_DEMAND, LazyImport


def forget(name):
    """Unload a module that another test may have imported."""
    if name in sys.modules:
        del sys.modules[name]
        package, own_name = name.rsplit(".", 1)
        delattr(sys.modules[package], own_name)


@pytest.fixture(autouse=True)
def nothing_is_there():
    for name in ON_DEMAND:
        forget(name)
    yield


def test_it_is_there_meanwhile_and_gone_afterwards():
    with LazyImport():
        from firmware.storage import bounds

        assert bounds.TABLE["port"][0] == 8883
        assert "firmware.storage.bounds" in sys.modules
    assert "firmware.storage.bounds" not in sys.modules
    assert not hasattr(sys.modules["firmware.storage"], "bounds")


def test_it_goes_when_something_fails_too():
    with pytest.raises(ValueError), LazyImport():
        from firmware.storage import bounds

        assert bounds.TABLE
        raise ValueError
    assert "firmware.storage.bounds" not in sys.modules


def test_a_loan_within_a_loan():
    with LazyImport():
        from firmware.storage import bounds as outer

        with LazyImport():
            from firmware.storage import bounds as inner

            assert inner is outer
        assert "firmware.storage.bounds" in sys.modules
    assert "firmware.storage.bounds" not in sys.modules


def test_what_it_brings_along_goes_too():
    with LazyImport():
        from firmware import commands

        assert commands.Commands
    assert "firmware.commands" not in sys.modules
    assert "firmware.link.commands" not in sys.modules
