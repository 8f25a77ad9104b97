"""How the installer lock opens. Imported only while a code is tried (installer_lock.py).

After TRIES wrong codes each further attempt has to wait, WAITS_MS. Attempts are counted on flash, each before its comparison:
neither a restart nor a power cut gives a free guess, and after a restart the wait begins again. An attempt that has to wait is
not compared and not written, so a guesser causes 100 writes a day at most. While it is open the right code writes nothing,
and a wrong one closes it.
"""

from firmware.errors import CommandRefused
from firmware.storage import record_file

if False:  # for mypy alone
    from firmware.installer_lock import InstallerLock

OPEN_MS = 600000
TRIES = 3
# After so many wrong codes, and one more each; the last for all beyond.
WAITS_MS = (60000, 120000, 240000, 480000, 900000)


def unlock(lock: "InstallerLock", code: str) -> None:
    """Open it, or raise as InstallerLock.unlock says."""
    right, now_ms = lock.settings["installer_code"], lock.clock.now_ms()
    if not right:
        return
    if lock.wait_until_ms is None:
        lock.wait_until_ms = _wait_ms(lock.wrong)  # the clock began at 0
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
    """Return whether they are equal, in a time that depends on the length of `code` alone. `right` is not empty."""
    typed, wanted = code.encode(), right.encode()
    differs = len(typed) ^ len(wanted)
    for place in range(len(typed)):
        differs |= typed[place] ^ wanted[place % len(wanted)]
    return not differs


def _store(lock: "InstallerLock", wrong: int) -> None:
    record_file.save(lock.path, wrong)
    lock.wrong = wrong
