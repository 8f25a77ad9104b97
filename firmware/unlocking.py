"""Opens the installer lock. Imported only while a code is tried (installer_lock.py).

After TRIES wrong codes, each further attempt must wait for WAITS_MS. Each attempt is counted on the flash before the code is
compared, so that neither a restart nor a power cut gives a free guess. After a restart the wait begins again. An attempt
during a wait is neither compared nor written, so guessing causes at most 100 writes a day. While the lock is open, a wrong
code closes it.
"""

from firmware.errors import CommandRefused
from firmware.storage import record_file

if False:  # for mypy alone
    from firmware.installer_lock import InstallerLock

OPEN_MS = 600000
TRIES = 3
# Waits after TRIES wrong codes, TRIES + 1, and so on; the last one applies to all further wrong codes.
WAITS_MS = (60000, 120000, 240000, 480000, 900000)


def unlock(lock: "InstallerLock", code: str) -> None:
    """Open the lock. Raises the errors of InstallerLock.unlock."""
    right, now_ms = lock.settings["installer_code"], lock.clock.now_ms()
    if not right:
        return
    if lock.wait_until_ms is None:
        lock.wait_until_ms = _wait_ms(lock.wrong)  # from the start, when the clock was 0
    if now_ms < lock.wait_until_ms:
        raise CommandRefused("too many wrong codes; wait %d s" % ((lock.wait_until_ms - now_ms + 999) // 1000))
    was_open = now_ms < lock.open_until_ms
    if not was_open:
        _store(lock, lock.wrong + 1)
    if not is_same(code, right):
        lock.open_until_ms = 0
        if was_open:
            _store(lock, lock.wrong + 1)
        lock.wait_until_ms = now_ms + _wait_ms(lock.wrong)
        lock.note("security", {"what": "wrong installer code", "times": lock.wrong})
        raise CommandRefused("wrong code")
    _store(lock, 0)
    lock.open_until_ms = now_ms + OPEN_MS


def _wait_ms(wrong: int) -> int:
    return 0 if wrong < TRIES else WAITS_MS[min(wrong - TRIES, len(WAITS_MS) - 1)]


def is_same(code: str, right: str) -> bool:
    """Return whether the codes are equal, in a time that depends only on the length of `code`. `right` must not be empty."""
    typed, wanted = code.encode(), right.encode()
    differs = len(typed) ^ len(wanted)
    for place in range(len(typed)):
        differs |= typed[place] ^ wanted[place % len(wanted)]
    return not differs


def _store(lock: "InstallerLock", wrong: int) -> None:
    record_file.save(lock.path, wrong)
    lock.wrong = wrong
