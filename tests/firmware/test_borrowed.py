"""Is a module that was borrowed forgotten again, and nothing else?"""

import sys

import pytest

from firmware.borrowed import Borrowed


def test_it_is_there_meanwhile_and_gone_afterwards():
    with Borrowed("firmware.storage.bounds") as bounds:
        assert bounds.TABLE["port"][0] == 8883
        assert "firmware.storage.bounds" in sys.modules
    assert "firmware.storage.bounds" not in sys.modules
    assert not hasattr(sys.modules["firmware.storage"], "bounds")


def test_it_goes_when_something_fails_too():
    with pytest.raises(ValueError), Borrowed("firmware.storage.bounds"):
        raise ValueError
    assert "firmware.storage.bounds" not in sys.modules


def test_a_loan_within_a_loan():
    with Borrowed("firmware.storage.bounds") as outer:
        with Borrowed("firmware.storage.bounds") as inner:
            assert inner is outer
        assert outer.TABLE
    assert "firmware.storage.bounds" not in sys.modules


def test_what_it_brings_along_goes_too():
    with Borrowed("firmware.orders", "firmware.link.commands") as orders:
        assert orders.Orders
    assert "firmware.link.commands" not in sys.modules
