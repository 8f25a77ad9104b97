"""The virtual board as a maker would build one without a hardware guard: the example of what board.py asks of it.

It has no guard because it shows how a unit works that has none: while the contactor is closed no TLS handshake begins, and
nothing erases the flash.
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
