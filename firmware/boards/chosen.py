"""The board of this build: the virtual one. An image for another BOARD has its own version (hil_tests/rig/image.py)."""

from firmware.boards.virtual import VirtualBoard as Board

__all__ = ("Board",)
