"""The board of this build. Here it is the virtual one; an image for another BOARD has its own (hil_tests/rig/image.py)."""

from firmware.boards.virtual import VirtualBoard as Board

__all__ = ("Board",)
