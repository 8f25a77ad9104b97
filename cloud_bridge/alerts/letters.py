"""Letters about accounts, written and sent beside the request that asks for one.

The request only leaves word of what is to be written. Whether there is an account, and how long the mail server takes, is
found out on a thread of ours: so no answer, and no time that an answer takes, tells whether somebody has an account.

A letter is tried once, for mail.MAIL_WITHIN_S at most: who asked can ask again. What waits is in memory, WAITING_MAX at most.
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
GOODBYE_S = 2.0  # for what is being sent when we stop

_log = logging.getLogger(__name__)


class Letter(NamedTuple):
    """In plain text."""

    address: str
    text: str


Write = Callable[[], Letter | None]  # None: nobody is written to


class Waiting(NamedTuple):
    """To be written: on a thread that has no reader of its own."""

    write: Write
    language: str


class Letters:
    """`mail` is the operator's mail server (mail.read_server); without one nothing is taken. Thread-safe."""

    def __init__(self, mail: str | None, counters: Counters) -> None:
        self._mail = mail
        self._counters = counters
        self._changed = threading.Condition()
        self._waiting: deque[Waiting] = deque()
        self._workers = 0
        self._closing = False

    def post(self, write: Write) -> bool:
        """Have it written and sent; returns at once. It is written in the language of now, unless `write` chooses another.
        False: too many wait, or there is no mail server."""
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
        """Until every letter has been sent or given up. False: not within this time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._workers == 0, within_s)

    def close(self) -> None:
        """What waits is dropped; what is being sent has GOODBYE_S."""
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
            except Exception:  # over this one letter, and the others have to be sent
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
