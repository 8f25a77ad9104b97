"""All data that the two threads share. Neither thread accesses any other object of the other thread; a test checks this.

The control thread runs the charging control (control_loop.py, controller.py); the main thread does everything else. There is
no lock, because the control thread must never wait. Three rules make this safe:

- Each field has one writer, which replaces its value as a whole by assigning a reference. The referenced value (a number, a
  tuple) is never changed afterwards. MicroPython stores a reference in one instruction, with or without a global lock.
- Two fields may be from different moments. Values that belong together are in one tuple, which a reader reads once (`report`).
- The main thread sets a request, and the control thread resets it when it accepts the request. Requests that are set again
  before that count as one.

`events` and `ended` are rings for one writer and one reader (events.py). In `apart`, only the control thread changes a count.
"""

from collections import namedtuple

from firmware.charging import limits
from firmware.charging.events import Ring

if False:  # for mypy alone
    from firmware.charging.control_state import Setup
    from firmware.charging.faults import History

# The state for link and console. state: "A1".."F"; amps: offered now; total_wh: None before a new unit has read its meter;
# ruling: a limits.Ruling; session: a session.Kept, or None; presses: count of button presses in a session without a fault;
# ceilings: (source, amps) of each ceiling
Report = namedtuple(
    "Report",
    "phase state mode faults contactor amps power_w total_wh session_wh ruling session meter_wh presses ceilings",
)
# `what`, by `kind`: "fault": (name, is set); "mode": its name; "tamper": is open; "session": a session.Record;
# "resumed": the number of the session; "wake_up": the phase in which the vehicle is woken;
# "contactor_rest": seconds for which the contactor does not close; "meter_changed": (last reading, first reading of the new
# meter); "draws_more": by how many A the offer is lowered, 0 = the vehicle is paused
Event = namedtuple("Event", "at_ms kind what")

WITHIN_MS = (20, 21, 22, 25, 30, 40, 60, 100)  # upper bounds of the classes of `apart`
COUNT_MAX = 2**30 - 1  # of one count in `apart`, reached after 248 days; more would not be a small integer


class Exchange:
    def __init__(self, now_ms: int, setup: "Setup", report: Report, fault_history: "tuple[History, ...]") -> None:
        # The main thread writes:
        self.setup = setup  # control_state.Setup
        self.claims: tuple[limits.Claim, ...] = limits.unread(now_ms)
        self.delay_s = 0  # remaining seconds of the running random delay
        self.link_proven = False
        self.pauses = 0  # counts the pauses of the main thread, and `turns` those of the link, for the supervisor
        self.turns = 0
        # Requests: the main thread sets them, the control thread resets them:
        self.clear_wanted = False  # clear the latched faults whose cause has ended
        self.test_wanted = False  # test the residual current sensor
        self.began_ms: int | None = None  # corrected start of the running session
        self.worst_taken = False  # reset `worst_ms`
        self.inputs_wanted = False  # copy the board's next reading to `inputs`
        # The control thread writes:
        self.report = report
        self.fault_history = fault_history  # faults.History of each fault that was set since the start
        self.powered = False  # the unit's own supply is present, so the flash may be written
        self.closings = 0  # of the contactor, in the unit's life
        self.owed = 0  # closings that were not forgiven at the last one (contactor_rest.py)
        self.inputs: tuple[tuple[str, object], ...] = ()  # (name, value) of each field of io.Inputs at the last request
        self.pressed_ms: int | None = None  # uptime when the button was pressed last
        self.worst_ms = 0  # the longest interval between two steps since `take_worst_ms`
        self.apart = [0] * (len(WITHIN_MS) + 1)  # number of steps since the start, by the interval to the previous step
        self.events = Ring()  # Event, for the journal
        self.ended = Ring()  # session.Record, for the session log

    def take_worst_ms(self) -> int:
        """Return `worst_ms`, and make the control thread reset it."""
        self.worst_taken = True
        return self.worst_ms

    def guard_openings(self) -> int:
        """Return how often since the start the hardware guard opened a contactor that the control held closed."""
        for fault in self.fault_history:
            if fault.name == "guard":
                return int(fault.count)
        return 0
