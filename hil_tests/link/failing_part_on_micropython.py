"""Runs on MicroPython, in a unit, in place of firmware.main: the same firmware, of which one constructor raises."""

# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="method-assign, assignment"
# (MicroPython has no typing module, and what is replaced here is replaced on purpose.)

from firmware import daily_report


def raising(*_):
    raise RuntimeError("made to fail")


daily_report.DailyReport.__init__ = raising

import firmware.main  # noqa: E402, F401  # it does not return
