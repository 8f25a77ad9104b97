"""Is no part of a frame stored that identifies a person, in any notation?"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.ingest.ocpp.masked import MASK, MAX_KEPT, masked

TOKEN = "04AABBCCDD"


@pytest.mark.parametrize(
    "frame",
    [
        json.dumps([2, "1", "Authorize", {"idTag": TOKEN}]),
        json.dumps([2, "1", "Authorize", {"IDTAG": TOKEN}]),
        json.dumps([2, "1", "StartTransaction", {"connectorId": 1, "idTag": TOKEN, "meterStart": 7}]),
        json.dumps([2, "1", "Authorize", {"idToken": {"idToken": TOKEN, "type": "ISO14443"}}]),
        json.dumps([2, "1", "X", {"idToken": {"additionalInfo": [{"additionalIdToken": TOKEN}]}}]),
        json.dumps([3, "1", {"idTagInfo": {"status": "Accepted", "parentIdTag": TOKEN}}]),
        json.dumps([2, "1", "DataTransfer", {"vendorId": "V", "data": json.dumps({"idTag": TOKEN, "a": 1})}]),
        json.dumps([2, "1", "DataTransfer", {"data": json.dumps({"x": json.dumps({"vin": TOKEN})})}]),
        json.dumps([3, "1", {"configurationKey": [{"key": "StationPassword", "value": TOKEN}]}]),  # lbbrhzn#899
        json.dumps([3, "1", {"configurationKey": [{"value": TOKEN, "readonly": False, "key": "AuthorizationKey"}]}]),
        json.dumps([2, "1", "ChangeConfiguration", {"key": "wifi_psk", "value": TOKEN}]),
        json.dumps(
            [3, "1", {"getVariableResult": [{"attributeValue": TOKEN, "variable": {"name": "BasicAuthPassword"}}]}]
        ),
        '[2,"1","Authorize",{"idTag" :\n "' + TOKEN,
        '[2,"1","Authorize",{"idTag":"a\\"' + TOKEN + '"}]',
        '[2,"1","Authorize",{"idTag":"\\\\' + TOKEN + '"}]',
    ],
)
def test_a_token_is_masked(frame: str) -> None:
    assert TOKEN not in masked(frame) and MASK in masked(frame)


def test_a_token_that_is_a_number_is_masked_and_the_rest_stays() -> None:
    assert masked('[2,"1","Authorize",{"idTag":4711,"x":2}]') == '[2,"1","Authorize",{"idTag":***,"x":2}]'
    assert masked('[2,"1","Authorize",{"idTag":"","x":"idTag"}]') == '[2,"1","Authorize",{"idTag":"***","x":"idTag"}]'


def test_other_settings_can_be_read() -> None:
    frame = '[3,"1",{"configurationKey":[{"key":"HeartbeatInterval","value":"300"}]}]'
    assert masked(frame) == frame


def test_it_is_short_and_can_be_shown() -> None:
    assert len(masked("x" * 5000)) == MAX_KEPT and masked("x" * 5000).endswith("…")
    assert masked("a\x00b") == "a\ufffdb"


@given(st.text(min_size=6, alphabet=st.characters(codec="ascii", categories=("L", "N"))), st.text(), st.integers(0, 2))
def test_whatever_stands_around_a_token_it_is_masked(token: str, other: str, depth: int) -> None:
    token = f"T0K{token}"
    said = json.dumps({"before": other, "idTag": f'{other}"{token}\\', "after": other})
    for _ in range(depth):
        said = json.dumps({"data": said})
    assert token not in masked(said) or token in other
