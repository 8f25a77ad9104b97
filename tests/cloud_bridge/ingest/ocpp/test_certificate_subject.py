"""Is a certificate's name parsed correctly from its subject as proxies write it, and can other fields not fake a name?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.ingest.ocpp.certificate_subject import common_name


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("CN=wall", "wall"),
        ("CN=wall,O=Maker,C=GB", "wall"),
        ("O=Maker\\, Inc.,CN=wall", "wall"),
        ("emailAddress=a@b.example,CN=wall,OU=a=b", "wall"),
        ("SERIALNUMBER=7+CN=wall,O=Maker", "wall"),
        ("2.5.4.3=wall", "wall"),
        ("cn=wall", "wall"),
        ("", None),
        ("O=Maker", None),
        ("CN=", None),
        ("CN=wall,CN=other", None),
        ("CN=other+CN=wall", None),
        ("O=x\\,CN=wall", None),
        ("CN=wa\\,ll", None),
        ('O="x,CN=wall"', None),
        ('CN="wall"', None),
        ("CN=wall;O=Maker", None),
        ("/C=GB/CN=wall", None),
        ("CN=#0401", None),
        ("CN=wall,", "wall"),
        ("CN", None),
        ("CN=wall" + ",O=x" * 1000, None),
    ],
)
def test_the_common_name_of_a_subject(subject: str, name: str | None) -> None:
    assert common_name(subject) == name


@given(st.text(alphabet='CN=wal,+\\"O ;#<>', max_size=40))
def test_whatever_is_escaped_or_quoted_is_in_nobodys_name(subject: str) -> None:
    found = common_name(subject)
    assert found is None or not set(found) & set(',+\\"<>;#')
