"""Is a module that was borrowed forgotten again, and nothing else?"""

import sys

import pytest

from firmware.lazy_import import LazyImport


def test_it_is_there_meanwhile_and_gone_afterwards():
    with LazyImport("firmware.storage.bounds") as bounds:
        assert bounds.TABLE["port"][0] == 8883
        assert "firmware.storage.bounds" in sys.modules
    assert "firmware.storage.bounds" not in sys.modules
    assert not hasattr(sys.modules["firmware.storage"], "bounds")


def test_it_goes_when_something_fails_too():
    with pytest.raises(ValueError), LazyImport("firmware.storage.bounds"):
        raise ValueError
    assert "firmware.storage.bounds" not in sys.modules


def test_a_loan_within_a_loan():
    with LazyImport("firmware.storage.bounds") as outer:
        with LazyImport("firmware.storage.bounds") as inner:
            assert inner is outer
        assert outer.TABLE
    assert "firmware.storage.bounds" not in sys.modules


def test_what_it_brings_along_goes_too():
    with LazyImport("firmware.orders", "firmware.link.commands") as orders:
        assert orders.Orders
    assert "firmware.link.commands" not in sys.modules
