"""Are the names of networks read in the alphabet that the modem is set to?"""

import pytest

from modem.charset import decoded
from modem.errors import ProtocolError


@pytest.mark.parametrize(
    "name, charset, expected",
    [
        ("EE @_", "IRA", "EE @_"),
        ("EE @_", "GSM", "EE \xa1\xa7"),
        ("00450045", "UCS2", "EE"),
        ("20AC", "UCS2", "\u20ac"),
        ("", "UCS2", None),
        ("", "GSM", None),
        (None, "IRA", None),
    ],
)
def test_a_name_is_decoded(name, charset, expected):
    assert decoded(name, charset) == expected


@pytest.mark.parametrize("name", ["004", "00450", "00450045004", "004G"])
def test_what_is_not_in_ucs2_is_refused_and_shown(name):
    with pytest.raises(ProtocolError) as refused:
        decoded(name, "UCS2")
    assert refused.value.text == name
