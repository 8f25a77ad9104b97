"""Is the reason of a stop, which is stored in English, shown in the reader's language?"""

import pytest

from cloud_bridge.releases.stop_words import SAID, SIGN_NAMES, stop_words
from cloud_bridge.releases.verdict import Count, Own, Seen, Sign, reason
from cloud_bridge.words.language import speaking
from tests.cloud_bridge.bracketed import GERMAN, bracket_german


@pytest.mark.parametrize("sign", list(Sign))
@pytest.mark.parametrize(
    ("rest", "own"), [(Count(0, 0), None), (Count(70, 1), None), (Count(2, 0), Own(7, 1))], ids=["alone", "rest", "own"]
)
def test_every_reason(sign: Sign, rest: Count, own: Own | None, monkeypatch: pytest.MonkeyPatch) -> None:
    bracket_german(monkeypatch)
    why = reason(Seen(sign, Count(100, 12), rest, own))
    assert stop_words(why) == why
    with speaking(GERMAN):
        assert stop_words(why) == f"[{why}]"


def test_every_sign_has_words() -> None:
    assert set(SAID) == set(SIGN_NAMES) == set(Sign)


def test_who_has_stopped_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bracket_german(monkeypatch)
    with speaking(GERMAN):
        assert stop_words("olga has stopped it") == "[olga has stopped it]"
        assert stop_words("as no version of ours has written it") == "as no version of ours has written it"
    assert stop_words("3 of 4 has stopped it") == "3 of 4 has stopped it"
