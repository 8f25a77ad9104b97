"""Does every possible identity of a charger map to one unit, and no two to the same?"""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.ingest.ocpp.identity import MAX_IDENTITY, encoded, read_identity, unit_id_of, why_not
from cloud_bridge.wire import UNIT_ID

identities = st.text(min_size=1, max_size=MAX_IDENTITY).filter(lambda one: why_not(one) is None)


@pytest.mark.parametrize("identity", ["wall", "EVB-P1234567", "a" * 36, "A_b-9"])
def test_one_that_could_be_an_id_is_that_id(identity: str) -> None:
    assert unit_id_of(identity) == identity


@pytest.mark.parametrize("identity", ["A B", "A-B ", "CP/1", "_x", "b" * 48, "ü", "*-_=:+|@.", "日本"])
def test_any_other_is_an_id_too_and_says_what_it_was(identity: str) -> None:
    found = unit_id_of(identity)
    assert UNIT_ID.match(found) and not found.startswith("_") and found != identity


@given(identities, identities)
def test_no_two_are_alike(one: str, other: str) -> None:
    if normalize("NFC", one) != normalize("NFC", other):
        assert unit_id_of(one) != unit_id_of(other)


def test_a_letter_that_is_written_in_two_ways_is_the_same() -> None:
    assert unit_id_of("u\u0308") == unit_id_of("\u00fc")


@given(identities)
def test_it_comes_back_from_an_address(identity: str) -> None:
    assert UNIT_ID.match(unit_id_of(identity))
    assert unit_id_of(read_identity(f"/ocpp/{encoded(identity)}", identity)) == unit_id_of(identity)
