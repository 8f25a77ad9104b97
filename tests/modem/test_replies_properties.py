"""Do truncated and damaged replies give a value or ProtocolError, and nothing else?"""

import contextlib
import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modem import replies
from modem.errors import ProtocolError
from modem.families import sim800_setup
from tests.modem.cops_samples import SAMPLES
from tests.modem.families import test_simcom as simcom
from tests.modem.test_replies import TORN, VALUES

ROWS = VALUES + simcom.VALUES
PARSERS = sorted({row[0] for row in ROWS} | {sim800_setup.cells, replies.operators}, key=lambda parse: parse.__name__)
SEEDS = [row[1] for row in ROWS + TORN + simcom.TORN] + [sample[1] for sample in SAMPLES]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(min_value=0, max_value=4))):
        place = draw(st.integers(min_value=0, max_value=len(text)))
        text = draw(
            st.sampled_from(
                [
                    text[:place],
                    text[place:],
                    text[:place] + text[place + 1 :],
                    text[:place] + draw(st.text(max_size=3)) + text[place:],
                    text[:place] + draw(st.sampled_from(list('",()0\r\n-+ '))) + text[place:],
                ]
            )
        )
    return text


@given(st.datetimes(datetime.datetime(2024, 1, 1), datetime.datetime(2069, 12, 31, 23, 59, 59)), st.integers(-56, 56))
def test_a_time_of_the_modem_is_the_calendar_s(local: datetime.datetime, quarters: int) -> None:
    zone = datetime.timezone(datetime.timedelta(minutes=15 * quarters))
    text = '+CCLK: "%s%+03d"' % (local.strftime("%y/%m/%d,%H:%M:%S"), quarters)
    assert replies.clock(text) == int(local.replace(microsecond=0, tzinfo=zone).timestamp())


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@given(text=mutated())
@settings(max_examples=150, deadline=None)
def test_a_value_or_protocol_error(parse, text: str) -> None:
    with contextlib.suppress(ProtocolError):
        parse(text)
