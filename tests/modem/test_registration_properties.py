"""Is every registration that 3GPP TS 27.007 allows parsed with its meaning?"""

from hypothesis import given
from hypothesis import strategies as st

from modem.registration import registration

TIMER = st.text("01", min_size=8, max_size=8)


@st.composite
def lines(draw):
    """Draw (line, meaning), by clauses 7.2, 10.1.20 and 10.1.22. Areas and cells have quotes or none, as from real modems."""
    command = draw(st.sampled_from(("CREG", "CGREG", "CEREG")))
    n = draw(st.integers(0, 3 if command == "CREG" else 5))
    response = draw(st.booleans())
    stat = draw(st.integers(0, 11))
    area = draw(st.none() | st.integers(0, 0xFFFF))
    cell = draw(st.none() | st.integers(0, 0xFFFFFFFF)) if area is not None else None
    act = draw(st.none() | st.integers(0, 13))
    quote = draw(st.sampled_from(('"', "")))
    case = draw(st.sampled_from(("%04X", "%04x")))
    width = draw(st.sampled_from(("%04X", "%08X", "%07x")))

    def optional(value, form, mark=quote):
        return "" if value is None else mark + form % value + mark

    fields = [str(n)] if response else []
    fields.append(str(stat))
    seen = (stat, None, None, None)
    if n >= 2:
        fields += [optional(area, case), optional(cell, width)]
        with_act = draw(st.booleans()) or n > 2
        if with_act:
            fields.append(optional(act, "%d", ""))
            if command == "CGREG" and (n > 2 or draw(st.booleans())):
                fields.append(optional(draw(st.none() | st.integers(0, 0xFF)), "%02X", '"'))
        seen = (stat, area, cell, act if with_act else None)
    if n >= 3 and (n > 3 or draw(st.booleans())):
        cause = draw(st.none() | st.tuples(st.integers(0, 1), st.integers(0, 255))) if n != 3 else (0, 3)
        fields += ["", ""] if cause is None else [str(part) for part in cause]
    if n >= 4:
        for _ in range(3 if command == "CGREG" else 2):
            fields.append(optional(draw(st.none() | TIMER), "%s", '"'))
    blank = draw(st.sampled_from(("", " ")))
    return "+%s:%s%s" % (command, blank, ("," + blank).join(fields)), seen


@given(lines())
def test_what_the_standard_allows_is_read_as_it_was_meant(written):
    line, seen = written
    assert registration(line) == seen
