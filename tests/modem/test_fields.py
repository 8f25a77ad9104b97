"""Is a line cut into its fields as 27.007 writes them, and is everything else an error that shows it?"""

import pytest

from modem import fields
from modem.errors import ProtocolError

SPLIT = [
    ("1,2", ["1", "2"], [False, False]),
    ("", [None], [False]),
    (",", [None, None], [False, False]),
    (",a", [None, "a"], [False, False]),
    ("a,", ["a", None], [False, False]),
    (" 1 , 2 ", ["1", "2"], [False, False]),
    ('"a","b,c"', ["a", "b,c"], [True, True]),
    ('"" , "x" ', [None, "x"], [True, True]),
    ('1,"a",', ["1", "a", None], [False, True, False]),
    ('"a b"', ["a b"], [True]),
]


@pytest.mark.parametrize("line, values, quoted", SPLIT, ids=[row[0] for row in SPLIT])
def test_fields(line, values, quoted):
    assert fields.split(line, "the whole") == (values, quoted)


@pytest.mark.parametrize("line", ['"a', '1,"', '"a"b', '"a" b,c', 'a"b', '1,b"'])
def test_what_is_torn(line):
    with pytest.raises(ProtocolError) as refused:
        fields.split(line, "the whole")
    assert refused.value.text == "the whole"


def test_the_rest_of_the_first_line_that_begins_so():
    text = "RING\r\n+CREG: 1\r+CSQ:  17,0 \n+CSQ: 3,0"
    assert fields.line_after(("+CSQ:",), text) == "17,0"
    assert fields.line_after(("+CSQ:", "+CREG:"), text) == "1"
    with pytest.raises(ProtocolError) as refused:
        fields.line_after(("+CEREG:", "+CGREG:"), text)
    assert refused.value.text == text and "+CEREG: or +CGREG:" in str(refused.value)


def test_lines_without_the_empty_ones():
    assert fields.lines("a\r\n\r\n b\r \nc") == ["a", " b", "c"]


@pytest.mark.parametrize("value", [None, "", "-1", "1.5", "x", "\u0661", "1 "])
def test_what_is_no_number(value):
    with pytest.raises(ProtocolError) as refused:
        fields.number(value, "the whole")
    assert refused.value.text == "the whole"


def test_numbers_and_their_absence():
    assert fields.number("007", "") == 7
    assert fields.optional_number(None, "") is None and fields.optional_number("0", "") == 0
    assert fields.optional_hexadecimal(None, "") is None and fields.optional_hexadecimal("00fF", "") == 255
    with pytest.raises(ProtocolError) as refused:
        fields.optional_hexadecimal("0G", "the whole")
    assert refused.value.text == "the whole"


def test_ascii():
    assert fields.is_ascii("") and fields.is_ascii("a\x7f") and not fields.is_ascii("a\x80")
