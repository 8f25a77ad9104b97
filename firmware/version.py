"""The version of this firmware. It equals the product version in pyproject.toml; a test checks this."""

BOARD = "virtual"  # a module of firmware/boards; an image has its own value (firmware/image/sources.py)
VERSION = "0.1.0"
BUILT_S = 1767225600  # 2026-01-01 UTC; an image has the day of its build (firmware/image/sources.py)
