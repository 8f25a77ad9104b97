"""Letters about accounts, written and sent in the background of the request that asks for one.

The request only queues the letter. Whether there is an account, and how long the mail server takes, is only known in a
background thread. Neither the response nor its timing therefore reveals whether somebody has an account.

A letter is tried once, for at most mail.MAIL_WITHIN_S, because the person can ask again. Queued letters are in memory, at most
WAITING_MAX.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.mail import send_mail
from cloud_bridge.counters import Counters
from cloud_bridge.words.language import language_now, speaking

AT_ONCE = 3
WAITING_MAX = 200
GOODBYE_S = 2.0  # for letters that are being sent at shutdown

_log = logging.getLogger(__name__)


class Letter(NamedTuple):
    """A letter in plain text."""

    address: str
    text: str


Write = Callable[[], Letter | None]  # returns None to send no letter


class Waiting(NamedTuple):
    """A letter to be written in a background thread, with the language of the request."""

    write: Write
    language: str


class Letters:
    """The queue of letters. `mail` is the operator's mail server (mail.read_server); without one, nothing is accepted.
    Thread-safe."""

    def __init__(self, mail: str | None, counters: Counters) -> None:
        self._mail = mail
        self._counters = counters
        self._changed = threading.Condition()
        self._waiting: deque[Waiting] = deque()
        self._workers = 0
        self._closing = False

    def post(self, write: Write) -> bool:
        """Queue a letter, and return at once. It is written in the current language, unless `write` chooses another. Return
        False if too many are queued, or without a mail server."""
        with self._changed:
            if self._mail is None or self._closing or len(self._waiting) >= WAITING_MAX:
                self._counters.letters_dropped += 1
                return False
            self._waiting.append(Waiting(write, language_now()))
            if self._workers < AT_ONCE:
                self._workers += 1
                threading.Thread(target=self._work, name="letters", daemon=True).start()
        return True

    def wait(self, within_s: float) -> bool:
        """Wait until every letter was sent or given up. Return False if that takes longer than `within_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._workers == 0, within_s)

    def close(self) -> None:
        """Drop the queued letters, and wait at most GOODBYE_S for those being sent."""
        with self._changed:
            self._closing = True
            self._counters.letters_dropped += len(self._waiting)
            self._waiting.clear()
        self.wait(GOODBYE_S)

    def _work(self) -> None:
        while (waiting := self._next()) is not None:
            try:
                is_sent = self._send(waiting)
            except (NotDelivered, SQLAlchemyError) as error:
                _log.warning("a letter was not sent: %s", type(error).__name__)
                self._count(failed=1)
            except Exception:  # affects only this letter; the others still have to be sent
                _log.exception("a letter was not sent")
                self._count(failed=1)
            else:
                self._count(sent=int(is_sent))

    def _next(self) -> Waiting | None:
        with self._changed:
            if self._waiting:
                return self._waiting.popleft()
            self._workers -= 1
            self._changed.notify_all()
            return None

    def _send(self, waiting: Waiting) -> bool:
        with speaking(waiting.language):
            letter = waiting.write()
        if letter is None:
            return False
        send_mail(self._mail, letter.address, letter.text)
        return True

    def _count(self, sent: int = 0, failed: int = 0) -> None:
        with self._changed:
            self._counters.letters_sent += sent
            self._counters.letters_failed += failed
