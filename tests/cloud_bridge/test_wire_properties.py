"""Does anything that a unit sends give a message or BadPayload?"""

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.wire import KINDS, BadPayload, decode

kinds = st.sampled_from(sorted(KINDS))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)
known_keys = st.sampled_from(sorted({key for _, keys in KINDS.values() for key in keys}))


@given(kinds, st.binary(max_size=5000))
def test_any_bytes(kind: str, payload: bytes) -> None:
    with suppress(BadPayload):
        decode(kind, payload)


@given(kinds, st.dictionaries(known_keys | st.text(max_size=3), json_values, max_size=12))
def test_any_json(kind: str, said: dict[str, object]) -> None:
    with suppress(BadPayload):
        message = decode(kind, json.dumps(said).encode())
        assert set(message.other) == set(said) - set(KINDS[kind][1])
