"""Does our parser accept the same frames as the library's, and no others?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol

from cloud_bridge.ingest.ocpp.whole_frame import size_on_wire, text_frame, text_in

TEXT = Opcode.TEXT


def sent(payload: bytes, opcode: Opcode = TEXT, fin: bool = True) -> bytes:
    """Return a frame as a client of the library sends it."""
    return Frame(opcode, payload, fin).serialize(mask=True)


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535])
def test_a_frame_that_is_whole_and_alone_is_its_text(length: int) -> None:
    payload = b"x" * length
    assert text_in(sent(payload)) == payload
    assert size_on_wire(length) == len(sent(payload))
    assert text_frame(payload) == Frame(TEXT, payload).serialize(mask=False)


def test_longer_ones_are_the_librarys_to_read() -> None:
    payload = b"x" * 65_536
    assert text_in(sent(payload)) is None
    assert size_on_wire(len(payload)) == len(sent(payload))
    assert text_frame(payload) == Frame(TEXT, payload).serialize(mask=False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        sent(b"abc")[:-1],
        sent(b"abc") + b"\x81",
        sent(b"abc") * 2,
        sent(b"abc", fin=False),
        sent(b"abc", Opcode.BINARY),
        sent(b"", Opcode.PING),
        sent(b"", Opcode.CLOSE),
        Frame(TEXT, b"abcdef").serialize(mask=False),
    ],
)
def test_all_else_is_left_to_the_library(data: bytes) -> None:
    assert text_in(data) is None


@given(st.binary(max_size=300))
def test_whatever_comes_it_agrees_with_the_library(data: bytes) -> None:
    found = text_in(data)
    if found is None:
        return
    library = Protocol(SERVER)
    library.receive_data(data)
    assert [(one.opcode, one.data) for one in library.events_received() if isinstance(one, Frame)] == [(TEXT, found)]
