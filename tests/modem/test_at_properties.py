"""Are the tokenizer's events independent of how bytes are split, and does it survive bytes that no modem sends?"""

from hypothesis import given, settings
from hypothesis import strategies as st

from modem import at
from modem.families import sim800
from tests.modem.test_at import DIALOGUES, events_of

LINE_LIMIT_BYTES = 64
BITS = (
    b"\r\n",
    b"\n",
    b"\r",
    b"OK",
    b"ERROR",
    b"> ",
    b">",
    b"+CSQ: 17,0",
    b"+CIPRXGET: 2,0,",
    b"12,",
    b"0",
    b"0, CLOSED",
    b"AT",
)

bytes_of_a_modem = st.lists(st.one_of(st.sampled_from(BITS), st.binary(max_size=8)), max_size=60).map(b"".join)
expectations = st.sampled_from([None] + [row[1] for row in DIALOGUES if row[1] is not None])


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place % (len(data) + 1) for place in cuts)})
    return [data[start:end] for start, end in zip(places, places[1:])]


@given(bytes_of_a_modem, expectations, st.lists(st.integers(min_value=0, max_value=1000), max_size=8))
@settings(max_examples=400, deadline=None)
def test_any_cutting_of_any_bytes_gives_the_same_events(data: bytes, expectation: dict | None, cuts: list[int]) -> None:
    assert events_of(data, expectation, cut(data, cuts)) == events_of(data, expectation)


@given(st.lists(st.one_of(bytes_of_a_modem, st.binary(max_size=300)), max_size=20), expectations)
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_events_and_leave_it_in_working_order(pieces: list[bytes], expectation: dict | None) -> None:
    """Whatever came before, a later command is answered: nothing is stuck, and no buffer has grown."""
    tokenizer = at.Tokenizer(sim800.FAMILY.URCS, sim800.FAMILY.LINK_URCS, LINE_LIMIT_BYTES)
    if expectation is not None:
        tokenizer.expect(**{**expectation, **({"payload": bytearray(32)} if "header" in expectation else {})})
    for piece in pieces:
        for kind, value in tokenizer.feed(piece):
            assert kind in (at.PAYLOAD, at.BROKEN) or len(value) <= LINE_LIMIT_BYTES
    tokenizer.expect_nothing()
    tokenizer.feed(b"\r\n")
    tokenizer.expect("AT+CSQ", info=("+CSQ:",))
    assert tokenizer.feed(b"\r\n+CSQ: 17,0\r\n\r\nOK\r\n") == [(at.INFO, "+CSQ: 17,0"), (at.FINAL, "OK")]


@given(bytes_of_a_modem)
@settings(max_examples=200, deadline=None)
def test_payload_is_never_read_as_lines(payload: bytes) -> None:
    head = b"\r\n+CIPRXGET: 2,0,%d,0\r\n" % len(payload)
    expectation = {"echo": "", "info": ("+CIPRXGET: 2,",), "header": "+CIPRXGET: 2,0,"}
    events, arrived = events_of(head + payload + b"\r\nOK\r\n", expectation, size=len(payload) or None)
    assert arrived[: len(payload)] == payload
    kinds = [kind for kind, _ in events]
    assert kinds == ([at.INFO, at.PAYLOAD, at.FINAL] if payload else [at.INFO, at.FINAL])
