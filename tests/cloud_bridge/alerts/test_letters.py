"""Are letters sent beside the request, in bounded number, whatever one of them raises?"""

import threading
from collections.abc import Iterator

import pytest

from cloud_bridge.alerts import letters as module
from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.letters import AT_ONCE, WAITING_MAX, Letter, Letters
from cloud_bridge.counters import Counters
from cloud_bridge.words.language import language_now, speaking

WITHIN_S = 60.0
LETTER = Letter("nina@example.org", "Hello.")


class MailServer:
    """A mail server that waits while `gate` is closed."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.came = threading.Semaphore(0)
        self.sent: list[str] = []
        self.at_once = 0
        self.most = 0
        self._lock = threading.Lock()

    def send(self, _server: str, address: str, _text: str) -> None:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.came.release()
        assert self.gate.wait(WITHIN_S)
        with self._lock:
            self.at_once -= 1
            self.sent.append(address)
        if address.startswith("refused"):
            raise NotDelivered("no")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    server = MailServer()
    monkeypatch.setattr(module, "send_mail", server.send)
    yield server
    server.gate.set()


def test_what_waits_is_bounded_and_what_is_dropped_is_counted(server: MailServer) -> None:
    counters = Counters()
    letters = Letters("mailto://mail.example", counters)
    taken = [letters.post(lambda: LETTER) for _ in range(WAITING_MAX + 50)]
    assert WAITING_MAX <= taken.count(True) <= WAITING_MAX + AT_ONCE
    assert counters.letters_dropped == taken.count(False)
    for _ in range(AT_ONCE):
        assert server.came.acquire(timeout=WITHIN_S)
    server.gate.set()
    assert letters.wait(WITHIN_S)
    assert (counters.letters_sent, server.most) == (taken.count(True), AT_ONCE)
    assert letters.post(lambda: LETTER) and letters.wait(WITHIN_S), "and it goes on"


def test_one_that_fails_keeps_none_of_the_others(server: MailServer, caplog: pytest.LogCaptureFixture) -> None:
    counters = Counters()
    letters = Letters("mailto://mail.example", counters)
    server.gate.set()

    def wrong() -> Letter:
        raise ValueError("ours")

    for write in (wrong, lambda: Letter("refused@example.org", ""), lambda: None, lambda: LETTER):
        assert letters.post(write)
    assert letters.wait(WITHIN_S)
    assert (counters.letters_sent, counters.letters_failed) == (1, 2)
    assert "refused@" not in caplog.text and "NotDelivered" in caplog.text


def test_without_a_mail_server_nothing_is_taken() -> None:
    counters = Counters()
    assert not Letters(None, counters).post(lambda: LETTER)
    assert counters.letters_dropped == 1


def test_closing_waits_for_no_slow_mail_server(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GOODBYE_S", 0.01)
    counters = Counters()
    letters = Letters("mailto://mail.example", counters)
    for _ in range(AT_ONCE + 5):
        letters.post(lambda: LETTER)
    letters.close()
    assert not letters.post(lambda: LETTER)
    server.gate.set()
    assert letters.wait(WITHIN_S)
    assert len(server.sent) + counters.letters_dropped == AT_ONCE + 6


def test_a_letter_is_written_in_the_language_in_which_it_was_asked_for(server: MailServer) -> None:
    letters, written = Letters("mailto://mail.example", Counters()), []

    def write() -> Letter:
        written.append(language_now())
        return LETTER

    server.gate.set()
    for language in ("de", "en"):
        with speaking(language):
            assert letters.post(write)
        assert letters.wait(WITHIN_S)
    assert written == ["de", "en"]
