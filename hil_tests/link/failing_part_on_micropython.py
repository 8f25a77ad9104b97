"""Run in place of firmware.main on MicroPython: the same firmware, one constructor of which raises."""

# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="method-assign, assignment"
# (MicroPython has no typing module, and the replacements are intended.)

from firmware import daily_report


def raising(*_):
    raise RuntimeError("made to fail")


daily_report.DailyReport.__init__ = raising

import firmware.main  # noqa: E402, F401  # it does not return
