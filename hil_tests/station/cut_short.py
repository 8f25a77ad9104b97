"""`python -m hil_tests.station.cut_short before|after STEP ...`: run the station and kill it before or after it notes a step.

`before` leaves a step that is done but not in the journal. The remaining arguments are the station's own.
"""

import os
import signal
import sys

from hil_tests.station.command_line import main
from hil_tests.station.journal import Facts, Journal

when, at_step = sys.argv[1:3]
note = Journal.note


def note_and_die(journal: Journal, step: str, facts: Facts) -> None:
    if step == at_step and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    note(journal, step, facts)
    if step == at_step:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    del sys.argv[1:3]
    Journal.note = note_and_die  # type: ignore[method-assign,assignment]  # the power of the station, which no program switches off
    sys.exit(main())
