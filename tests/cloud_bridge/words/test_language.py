"""Which language is used, for whom, on which thread?"""

import threading

import pytest

from cloud_bridge.words import gettext, ngettext, pgettext
from cloud_bridge.words.language import choose_language, language_now, speaking
from cloud_bridge.words.negotiation import preferred


def test_english_is_the_message_itself() -> None:
    message = "a message of no catalogue"
    assert gettext(message) is message
    assert [ngettext("one", "more", number) for number in (0, 1, 2)] == ["more", "one", "more"]
    assert pgettext("signal", message) is message


def test_german_comes_from_the_catalogue_and_ends_with_the_block() -> None:
    with speaking("de"):
        assert gettext("Charge now") == "Jetzt laden"
        assert gettext("a message of no catalogue") == "a message of no catalogue"
        with speaking("en"):
            assert gettext("Charge now") == "Charge now"
        assert language_now() == "de"
    assert language_now() == "en"


@pytest.mark.parametrize("language", [None, "", "xx", "../de", "DE"])
def test_a_language_that_we_do_not_have_is_english(language: str | None) -> None:
    with speaking(language):
        assert language_now() == "en"


def test_who_reads_may_be_found_out_later_and_chooses_for_the_whole_request() -> None:
    with speaking("de"):
        choose_language("en")
        assert language_now() == "en"
        choose_language(None)
        assert language_now() == "de", "as the browser asks for"
        choose_language("of a newer version")
        assert language_now() == "de"


def test_where_nobody_reads_nothing_can_be_chosen() -> None:
    choose_language("de")
    assert language_now() == "en"


def test_a_thread_without_a_reader_speaks_english() -> None:
    said = []
    with speaking("de"):
        thread = threading.Thread(target=lambda: said.append(language_now()))
        thread.start()
        thread.join()
    assert said == ["en"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("de_CH", "de"),
        ("DE", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr;q=0.9, de;q=0.5, en;q=0.4", "de"),
        ("en;q=0.4, de;q=0.5", "de"),
        ("de;q=0, en;q=0.1", "en"),
        ("fr, ja", "en"),
        ("*", "en"),
        ("de;q=many, en", "en"),
        ("de;q=nan", "en"),
        (";;,=,q=1,-_-", "en"),
        ("x" * 100_000 + ",de", "en"),
    ],
)
def test_a_browser_is_answered_in_the_best_of_our_languages(header: str, language: str) -> None:
    assert preferred(header) == language
