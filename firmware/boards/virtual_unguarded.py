"""The virtual board without a hardware guard: an example of what board.py requires of such a board.

It has no guard in order to show how a unit without one works: while the contactor is closed, no TLS handshake begins, and the
flash is not erased.
"""

from firmware.boards import littlefs
from firmware.boards.unguarded_flash import UnguardedFlash
from firmware.boards.virtual import VirtualBoard


class UnguardedBoard(VirtualBoard):
    has_guard = False

    def _mount(self) -> bool:
        return littlefs.mount(UnguardedFlash(self._flash_image, self._is_closed), self.flash)

    def _is_closed(self) -> bool:
        return bool(self._outputs["contactor"])
