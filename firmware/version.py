"""The version of this firmware, which is the product's: pyproject.toml has the same, held by a test."""

BOARD = "virtual"  # a file of firmware/boards; an image has its own (firmware/image/sources.py)
VERSION = "0.1.0"
BUILT_S = 1767225600  # 2026-01-01; an image has the day that it was built, UTC (firmware/image/sources.py)
